//! Every table, once, for both engines. The SQL types name PostgreSQL's native type and SQLite's
//! affinity at once, so that one query text serves both; `columns` says how values travel.

use diesel::{allow_tables_to_appear_in_same_query, joinable, table};

/// The SQL types that the two engines spell differently. Public, as `table!` makes public items of
/// them; this module is not.
pub(crate) mod sql_types {
    use diesel::{query_builder::QueryId, sql_types::SqlType};

    /// `uuid`, or a blob of 16 bytes.
    #[derive(Debug, SqlType, QueryId)]
    #[diesel(postgres_type(oid = 2950, array_oid = 2951), sqlite_type(name = "Binary"))]
    pub struct Uid;

    /// `timestamptz`, or integer microseconds since the Unix epoch. Not named for time: diesel would take
    /// it for a number.
    #[derive(Debug, SqlType, QueryId)]
    #[diesel(postgres_type(oid = 1184, array_oid = 1185), sqlite_type(name = "Long"))]
    pub struct Moment;

    /// `text[]`, or a JSON array as text.
    #[derive(Debug, SqlType, QueryId)]
    #[diesel(postgres_type(oid = 1009, array_oid = 0), sqlite_type(name = "Text"))]
    pub struct TextList;

    /// `jsonb`, or JSON as text.
    #[derive(Debug, SqlType, QueryId)]
    #[diesel(postgres_type(oid = 3802, array_oid = 3807), sqlite_type(name = "Text"))]
    pub struct Json;
}

table! {
    change_counter (id) {
        id -> SmallInt,
        rev -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use super::sql_types::Moment;

    businesses (business_id) {
        business_id -> Text,
        rev -> BigInt,
        key_limit -> Integer,
        suspend_time -> Nullable<Moment>,
        create_time -> Moment,
        update_time -> Moment,
        billing_day -> SmallInt,
        time_zone -> Text,
        billing_since -> Moment,
        pending_billing_day -> Nullable<SmallInt>,
        pending_time_zone -> Nullable<Text>,
        pending_billing_since -> Nullable<Moment>,
    }
}

table! {
    use diesel::sql_types::*;
    use super::sql_types::{Moment, TextList, Json, Uid};

    keys (key_id) {
        key_id -> Uid,
        business_id -> Text,
        rev -> BigInt,
        display_name -> Text,
        description -> Text,
        scopes -> TextList,
        annotations -> Json,
        expire_time -> Nullable<Moment>,
        suspended_by -> Nullable<SmallInt>,
        revoke_time -> Nullable<Moment>,
        revoke_reason -> Nullable<SmallInt>,
        revoke_reason_text -> Text,
        rotate_time -> Nullable<Moment>,
        prefix -> Text,
        obfuscated_secret -> Text,
        creator_caller -> Text,
        creator_user_issuer -> Text,
        creator_user_subject -> Text,
        create_time -> Moment,
        update_time -> Moment,
        external_id -> Text,
    }
}

table! {
    use diesel::sql_types::*;
    use super::sql_types::{Moment, Uid};

    secrets (digest) {
        digest -> Binary,
        pepper_version -> Integer,
        key_id -> Uid,
        generation -> Integer,
        rev -> BigInt,
        create_time -> Moment,
        rotate_time -> Nullable<Moment>,
        move_time -> Nullable<Moment>,
    }
}

table! {
    use diesel::sql_types::*;
    use super::sql_types::{Moment, TextList};

    scopes (name) {
        name -> Text,
        rev -> BigInt,
        description -> Text,
        assignable_by -> SmallInt,
        endpoints -> TextList,
        retire_time -> Nullable<Moment>,
        create_time -> Moment,
        update_time -> Moment,
    }
}

table! {
    use diesel::sql_types::*;
    use super::sql_types::Moment;

    pepper_checks (pepper_version) {
        pepper_version -> Integer,
        check_value -> Binary,
        create_time -> Moment,
        retire_time -> Nullable<Moment>,
    }
}

table! {
    use diesel::sql_types::*;
    use super::sql_types::{Json, Moment, Uid};

    audit_events (rev, seq) {
        rev -> BigInt,
        seq -> Integer,
        event_time -> Moment,
        action -> SmallInt,
        business_id -> Text,
        key_id -> Nullable<Uid>,
        scope -> Text,
        actor_caller -> Text,
        actor_user_issuer -> Text,
        actor_user_subject -> Text,
        peer_address -> Text,
        key_before -> Nullable<Json>,
        key_after -> Nullable<Json>,
        advisor_issuer -> Text,
        advisor_subject -> Text,
    }
}

table! {
    use diesel::sql_types::*;
    use super::sql_types::{Moment, Uid};

    idempotent_requests (actor_caller, actor_user_issuer, actor_user_subject, business_id, request_id) {
        actor_caller -> Text,
        actor_user_issuer -> Text,
        actor_user_subject -> Text,
        business_id -> Text,
        request_id -> Uid,
        request_hash -> Binary,
        key_id -> Uid,
        create_time -> Moment,
    }
}

table! {
    use diesel::sql_types::*;
    use super::sql_types::Moment;

    access_grants (business_id, rev) {
        business_id -> Text,
        rev -> BigInt,
        user_issuer -> Text,
        user_subject -> Text,
        grant_time -> Moment,
        end_time -> Nullable<Moment>,
        granted_by_caller -> Text,
        granted_by_user_issuer -> Text,
        granted_by_user_subject -> Text,
    }
}

table! {
    use diesel::sql_types::*;
    use super::sql_types::{Moment, Uid};

    usage_flushers (flusher_id) {
        flusher_id -> Uid,
        batch -> BigInt,
        flushed_through -> Moment,
    }
}

table! {
    use diesel::sql_types::*;
    use super::sql_types::Moment;

    usage_gaps (start_time, end_time) {
        start_time -> Moment,
        end_time -> Moment,
    }
}

table! {
    use diesel::sql_types::*;
    use super::sql_types::{Moment, Uid};

    usage_progress (id) {
        id -> SmallInt,
        slot_start -> Moment,
        key_id -> Uid,
    }
}

table! {
    use diesel::sql_types::*;
    use super::sql_types::{Moment, Uid};

    usage_slots (slot_start, key_id, verdict) {
        slot_start -> Moment,
        key_id -> Uid,
        verdict -> SmallInt,
        count -> BigInt,
        last_time -> Moment,
    }
}

table! {
    use diesel::sql_types::*;
    use super::sql_types::{Moment, Uid};

    usage_hours (key_id, hour_start, verdict) {
        key_id -> Uid,
        hour_start -> Moment,
        verdict -> SmallInt,
        count -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use super::sql_types::{Moment, Uid};

    usage_days (key_id, day_start, verdict) {
        key_id -> Uid,
        day_start -> Moment,
        verdict -> SmallInt,
        count -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use super::sql_types::{Moment, Uid};

    usage_totals (key_id, period_start) {
        key_id -> Uid,
        period_start -> Moment,
        request_count -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use super::sql_types::{Moment, Uid};

    usage_last (key_id) {
        key_id -> Uid,
        last_use_time -> Moment,
        last_denied_use_time -> Moment,
    }
}

joinable!(secrets -> keys (key_id));
joinable!(keys -> businesses (business_id));
allow_tables_to_appear_in_same_query!(businesses, keys, secrets);
allow_tables_to_appear_in_same_query!(audit_events, keys);
allow_tables_to_appear_in_same_query!(keys, usage_slots);
allow_tables_to_appear_in_same_query!(keys, usage_hours);
allow_tables_to_appear_in_same_query!(keys, usage_days);
