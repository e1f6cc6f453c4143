//! The rows of the file itself: nothing is there by halves.

use std::path::Path;

use super::ledger::Ledger;

/// What must not be: each query finds the rows that break the rule of its name.
const RULES: [(&str, &str); 11] = [
    (
        "the file is sound",
        "select integrity_check as line from pragma_integrity_check where integrity_check <> 'ok'",
    ),
    (
        "what is referred to is there",
        "select \"table\" || ' ' || rowid as line from pragma_foreign_key_check",
    ),
    (
        "a key has one current secret",
        "select hex(key_id) as line from keys where 1 <> (select count(*) from secrets
            where secrets.key_id = keys.key_id and rotate_time is null)",
    ),
    (
        "secrets are counted from 1, without gaps",
        "select hex(key_id) as line from secrets group by key_id
            having count(*) <> max(generation) or min(generation) <> 1",
    ),
    (
        "a row's revision has its audit event",
        "with rows(name, rev) as (select 'keys', rev from keys
                union all select 'secrets', rev from secrets
                union all select 'businesses', rev from businesses
                union all select 'scopes', rev from scopes)
            select name || ' ' || rev as line from rows
            where rev not in (select rev from audit_events)",
    ),
    (
        "an audit event's revision was taken",
        "select 'revision ' || audit_events.rev as line from audit_events, change_counter
            where audit_events.rev > change_counter.rev",
    ),
    (
        "a key is made once, by an event",
        "select hex(key_id) as line from keys where 1 <> (select count(*) from audit_events
            where audit_events.key_id = keys.key_id and action = 1)",
    ),
    (
        "an event's key is there",
        "select 'revision ' || rev as line from audit_events
            where key_id is not null and key_id not in (select key_id from keys)",
    ),
    (
        "a rotation is an event and a secret",
        "select hex(key_id) as line from keys where
            (select count(*) from secrets where secrets.key_id = keys.key_id) <> 1 + (
                select count(*) from audit_events
                where audit_events.key_id = keys.key_id and action = 3)",
    ),
    (
        "a key is what its last event made of it",
        "select hex(keys.key_id) as line from keys join audit_events using (key_id)
            where audit_events.rev = (select max(rev) from audit_events as later
                where later.key_id = keys.key_id)
            and (key_after ->> 'rev', key_after ->> 'display_name', key_after ->> 'description',
                key_after ->> 'obfuscated_secret', key_after ->> 'revoke_time' is null)
            is not (keys.rev, display_name, description, obfuscated_secret, revoke_time is null)",
    ),
    (
        "each secret of a customer's key was asked for under an id",
        "select hex(key_id) as line from keys where business_id <> '@keyward' and
            (select count(*) from secrets where secrets.key_id = keys.key_id) <> (
                select count(*) from idempotent_requests as requests
                where requests.key_id = keys.key_id)",
    ),
];

/// Looks for whatever breaks a rule.
pub(super) fn rows(file: &Path, violations: &mut Vec<String>) {
    for (rule, query) in RULES {
        let found = test_sqlite::lines(file, query).unwrap();
        violations.extend(found.into_iter().map(|row| format!("{rule}: {row}")));
    }
}

/// Counts: nothing is there that no ledger knows of, but the operator's key.
pub(super) fn counts(file: &Path, ledgers: &[Ledger], violations: &mut Vec<String>) {
    let count = |what: &str| -> u64 {
        let query = format!("select cast(({what}) as text) as line");
        test_sqlite::lines(file, &query).unwrap()[0].parse().unwrap()
    };
    let keys: usize = ledgers.iter().map(|ledger| ledger.keys.len()).sum();
    let keys = 1 + u64::try_from(keys).unwrap();
    let of_keys = ledgers.iter().flat_map(|ledger| &ledger.keys);
    let secrets = 1 + of_keys.map(|key| key.secrets).sum::<u64>();
    for (table, expected) in [("keys", keys), ("secrets", secrets)] {
        let found = count(&format!("select count(*) from {table}"));
        if found != expected {
            violations.push(format!("{found} {table}, not {expected}"));
        }
    }
    // Repetitions take a place in the history, and leave no event there.
    let eventless = count(
        "select (select rev from change_counter) - (select count(distinct rev) from audit_events)",
    );
    let repeated: u64 = ledgers.iter().map(|ledger| ledger.repeated).sum();
    let perhaps: u64 = ledgers.iter().map(|ledger| ledger.perhaps_repeated).sum();
    if !(repeated..=repeated + perhaps).contains(&eventless) {
        let most = repeated + perhaps;
        violations
            .push(format!("{eventless} revisions without an event, not {repeated} to {most}"));
    }
}
