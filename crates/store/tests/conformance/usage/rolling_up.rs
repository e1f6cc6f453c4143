//! What a roll-up makes of slots, and that nobody can tell whether it ran.

use apikey::{
    billing::{BillingDay, ZoneName},
    usage::CountedVerdict,
};
use keyward_store::business::BusinessPatch;

use super::*;
use crate::{
    database::Database,
    samples::{act, create, new_key},
};

on_each_engine![
    a_roll_up_changes_no_answer,
    only_what_everybody_has_flushed_is_rolled_up,
    a_late_count_is_not_lost,
    last_uses_only_move_forward,
    a_call_of_a_service_key_is_a_use_and_no_request,
    days_and_periods_are_the_businesses_own,
    more_rows_than_a_step_has_are_all_rolled_up,
];

const ALL_DAY: (Timestamp, Timestamp) = (
    Timestamp::from_micros(NOON.as_micros() - 86_400_000_000),
    Timestamp::from_micros(NOON.as_micros() + 86_400_000_000),
);

async fn both(store: &Store, now: Timestamp) -> (KeyUsage, UsageReport, UsageReport) {
    (
        usage(store, 1, now).await,
        report(store, None, ALL_DAY, Granularity::Hour, now).await,
        report(store, Some(key_id(1)), ALL_DAY, Granularity::Day, now).await,
    )
}

async fn a_roll_up_changes_no_answer(db: Database) {
    create(&db.store, new_key(1), NOON).await;
    create(&db.store, new_key(2), NOON).await;
    db.store.open_flusher(flusher(1), None, NOON).await.unwrap();
    let denied = count(1, CountedVerdict::InsufficientScope, 2, minute(20));
    let counts =
        vec![valid(1, 3, minute(1)), valid(1, 4, minute(20)), denied, valid(2, 9, minute(59))];
    flush(&db.store, flusher(1), batch(1, counts, minute(61))).await;
    let before = both(&db.store, minute(62)).await;
    let (usage, hours, days) = &before;
    assert_eq!((usage.request_count, usage.last_use_time), (7, Some(minute(20))));
    assert_eq!(usage.last_denied_use_time, Some(minute(20)));
    let sum = [(CountedVerdict::Valid, 16), (CountedVerdict::InsufficientScope, 2)];
    assert_eq!(hours.rows, [(NOON, sum.into())].into());
    let sum = [(CountedVerdict::Valid, 7), (CountedVerdict::InsufficientScope, 2)];
    assert_eq!(days.rows, [(minute(-12 * 60), sum.into())].into());

    // After each step, and when it is asked for again.
    while db.store.roll_up_usage(minute(62)).await.unwrap() {
        assert_eq!(both(&db.store, minute(62)).await, before);
    }
    roll_up_all(&db.store, minute(62)).await;
    assert_eq!(both(&db.store, minute(62)).await, before);
    let totals = "select cast(sum(request_count) as text) as line from usage_totals";
    assert_eq!(db.lines(totals), ["16"]);
}

async fn only_what_everybody_has_flushed_is_rolled_up(db: Database) {
    create(&db.store, new_key(1), NOON).await;
    db.store.open_flusher(flusher(1), None, NOON).await.unwrap();
    let rolled_up = || {
        db.lines("select cast(coalesce(sum(request_count), 0) as text) as line from usage_totals")
    };
    flush(&db.store, flusher(1), batch(1, vec![valid(1, 3, minute(1))], minute(14))).await;
    roll_up_all(&db.store, minute(100)).await;
    assert_eq!(rolled_up(), ["0"], "the slot may get more");
    flush(&db.store, flusher(1), batch(2, vec![valid(1, 1, minute(14))], minute(15))).await;
    roll_up_all(&db.store, minute(14)).await;
    assert_eq!(rolled_up(), ["0"], "the slot is not over");
    roll_up_all(&db.store, minute(15)).await;
    assert_eq!(rolled_up(), ["4"]);
}

/// A clock was set back: its counts come for a slot that was rolled up.
async fn a_late_count_is_not_lost(db: Database) {
    create(&db.store, new_key(1), NOON).await;
    db.store.open_flusher(flusher(1), None, NOON).await.unwrap();
    flush(&db.store, flusher(1), batch(1, vec![valid(1, 3, minute(1))], minute(30))).await;
    roll_up_all(&db.store, minute(30)).await;
    // Both become counts of one slot.
    let late = vec![valid(1, 10, minute(2)), valid(1, 20, minute(16)), valid(1, 40, minute(31))];
    flush(&db.store, flusher(1), batch(2, late, minute(45))).await;
    assert_eq!(usage(&db.store, 1, minute(45)).await.request_count, 73);
    roll_up_all(&db.store, minute(45)).await;
    let usage = usage(&db.store, 1, minute(45)).await;
    assert_eq!((usage.request_count, usage.last_use_time), (73, Some(minute(31))));
}

async fn last_uses_only_move_forward(db: Database) {
    create(&db.store, new_key(1), NOON).await;
    db.store.open_flusher(flusher(1), None, NOON).await.unwrap();
    let denied = |minutes| count(1, CountedVerdict::Expired, 1, minute(minutes));
    let mut number = 0;
    for (used, is, was_denied, denied_is) in
        [(20, 20, 5, 5), (3, 20, 30, 30), (40, 40, 29, 30), (39, 40, 44, 44)]
    {
        for rolls_up in [false, true] {
            number += 1;
            let counts = vec![valid(1, 1, minute(used)), denied(was_denied)];
            flush(&db.store, flusher(1), batch(number, counts, minute(60))).await;
            if rolls_up {
                roll_up_all(&db.store, minute(60)).await;
            }
            let usage = usage(&db.store, 1, minute(60)).await;
            assert_eq!(usage.last_use_time, Some(minute(is)));
            assert_eq!(usage.last_denied_use_time, Some(minute(denied_is)));
        }
    }
}

async fn a_call_of_a_service_key_is_a_use_and_no_request(db: Database) {
    create(&db.store, new_key(1), NOON).await;
    db.store.open_flusher(flusher(1), None, NOON).await.unwrap();
    flush(&db.store, flusher(1), batch(1, vec![valid(1, 0, minute(1))], minute(30))).await;
    for _ in 0..2 {
        let (usage, hours, days) = both(&db.store, minute(30)).await;
        assert_eq!((usage.request_count, usage.last_use_time), (0, Some(minute(1))));
        assert_eq!((hours.rows.len(), days.rows.len()), (0, 0));
        roll_up_all(&db.store, minute(30)).await;
    }
}

/// In Auckland, where it is one in the morning of the 2nd at noon; and the change of the billing day
/// lets March run to its end there, in the old zone.
async fn days_and_periods_are_the_businesses_own(db: Database) {
    create(&db.store, new_key(1), NOON).await;
    let patch = BusinessPatch {
        billing_day: Some(BillingDay::new(3).unwrap()),
        zone: Some(ZoneName::parse("Pacific/Auckland").unwrap()),
        ..BusinessPatch::default()
    };
    db.store.update_business(&acme(), patch, None, act(NOON)).await.unwrap();
    let day = 24 * 60;
    let april = minute(31 * day - day / 2);
    db.store.open_flusher(flusher(1), None, NOON).await.unwrap();
    let counts = vec![
        valid(1, 1, minute(0)),
        // From the 1st of April in UTC on; then the 3rd of April in Auckland, 13 hours before UTC's.
        valid(1, 2, april),
        valid(1, 4, minute(31 * day + 8 * 60)),
        valid(1, 8, minute(33 * day - day / 2 - 13 * 60)),
    ];
    flush(&db.store, flusher(1), batch(1, counts, minute(40 * day))).await;
    for _ in 0..2 {
        for (now, expected) in [(minute(1), 1), (april, 6), (minute(33 * day), 8)] {
            let usage = usage(&db.store, 1, now).await;
            assert_eq!(usage.request_count, expected, "{now}: {:?}", usage.billing_period);
        }
        let span = (minute(-day), minute(40 * day));
        let days = report(&db.store, None, span, Granularity::Day, minute(40 * day)).await;
        let starts: Vec<String> = days.rows.keys().map(ToString::to_string).collect();
        // Of the 1st of April in Auckland 13 hours are over when it begins to count.
        assert_eq!(
            starts,
            [
                "2026-03-01T00:00:00Z",
                "2026-04-01T00:00:00Z",
                "2026-04-01T11:00:00Z",
                "2026-04-02T11:00:00Z"
            ]
        );
        roll_up_all(&db.store, minute(40 * day)).await;
    }
}

/// A step ends within a key, and takes it up whole.
async fn more_rows_than_a_step_has_are_all_rolled_up(db: Database) {
    for number in 1..=3 {
        create(&db.store, new_key(number), NOON).await;
    }
    db.store.open_flusher(flusher(1), None, NOON).await.unwrap();
    let mut counts = Vec::new();
    for number in 1..=1_700 {
        for verdict in
            [CountedVerdict::Valid, CountedVerdict::Suspended, CountedVerdict::EndpointNotMapped]
        {
            counts.push(count(number, verdict, 1, minute(1)));
        }
    }
    flush(&db.store, flusher(1), batch(1, counts, minute(30))).await;
    let steps = {
        let mut steps = 0;
        while db.store.roll_up_usage(minute(30)).await.unwrap() {
            steps += 1;
        }
        steps
    };
    assert_eq!(steps, 3, "to the slot, and two of its rows");
    let lines = "select cast(count(*) as text) as line from usage_last";
    assert_eq!(db.lines(lines), ["1700"]);
    let lines = "select cast(sum(count) as text) as line from usage_hours";
    assert_eq!(db.lines(lines), ["9"], "of the three keys that are there");
}
