-- As for PostgreSQL; the reasons stand there. -62135596800000000: 0001-01-01T00:00:00Z.
create table usage_flushers (
    flusher_id blob primary key not null check (length(flusher_id) = 16),
    batch integer not null check (batch >= 0),
    flushed_through integer not null
) strict;

create table usage_gaps (
    start_time integer not null,
    end_time integer not null,
    primary key (start_time, end_time),
    check (start_time <= end_time)
) strict;

create table usage_progress (
    id integer primary key not null check (id = 1),
    slot_start integer not null,
    key_id blob not null check (length(key_id) = 16)
) strict;
insert into usage_progress values (1, -62135596800000000, zeroblob(16));

create table usage_slots (
    slot_start integer not null,
    key_id blob not null check (length(key_id) = 16),
    verdict integer not null check (verdict between 1 and 9 and verdict <> 2),
    count integer not null check (count >= 0),
    last_time integer not null,
    primary key (slot_start, key_id, verdict)
) strict, without rowid;

create table usage_hours (
    key_id blob not null check (length(key_id) = 16),
    hour_start integer not null,
    verdict integer not null check (verdict between 1 and 9 and verdict <> 2),
    count integer not null check (count >= 0),
    primary key (key_id, hour_start, verdict)
) strict, without rowid;

create table usage_days (
    key_id blob not null check (length(key_id) = 16),
    day_start integer not null,
    verdict integer not null check (verdict between 1 and 9 and verdict <> 2),
    count integer not null check (count >= 0),
    primary key (key_id, day_start, verdict)
) strict, without rowid;

create table usage_totals (
    key_id blob not null check (length(key_id) = 16),
    period_start integer not null,
    request_count integer not null check (request_count >= 0),
    primary key (key_id, period_start)
) strict, without rowid;

create table usage_last (
    key_id blob primary key not null check (length(key_id) = 16),
    last_use_time integer not null,
    last_denied_use_time integer not null
) strict, without rowid;
