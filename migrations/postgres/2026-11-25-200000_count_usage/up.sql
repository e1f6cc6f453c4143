-- Usage. Nothing here is held in memory by servers: it is no change, takes no revision and is in no
-- feed. No column that a flush changes is in an index, so that a count is rewritten in its own page.
-- No reference to `keys`: checking one would write to the key's row with each new count.

-- Who counts: a row from a server's start to its end. What a server has counted before its
-- `flushed_through` is in the tables below.
create table usage_flushers (
    flusher_id uuid primary key,
    -- The last batch that was counted, so that a repeated one counts once.
    batch bigint not null check (batch >= 0),
    flushed_through timestamptz not null
) with (fillfactor = 50);

-- Times of which counts may be missing: a server vanished, and what it had not flushed with it.
create table usage_gaps (
    start_time timestamptz not null,
    end_time timestamptz not null,
    primary key (start_time, end_time),
    check (start_time <= end_time)
);

-- How far slots are rolled up into hours, days and totals: all before this slot, and in it the keys up
-- to this one.
create table usage_progress (
    id smallint primary key check (id = 1),
    slot_start timestamptz not null,
    key_id uuid not null
);
insert into usage_progress values (1, '0001-01-01 00:00:00+00', '00000000-0000-0000-0000-000000000000');

-- What flushes write: a quarter of an hour each, for 48 hours. Verdicts as the contract numbers them.
-- The server makes a partition a day ahead; the default one takes what no other does.
create table usage_slots (
    slot_start timestamptz not null,
    key_id uuid not null,
    verdict smallint not null check (verdict between 1 and 9 and verdict <> 2),
    count bigint not null check (count >= 0),
    -- The last verdict that is counted here.
    last_time timestamptz not null,
    primary key (slot_start, key_id, verdict)
) partition by range (slot_start);
create table usage_slots_default partition of usage_slots default;

-- Rolled up: by hour of UTC, for 35 days.
create table usage_hours (
    key_id uuid not null,
    hour_start timestamptz not null,
    verdict smallint not null check (verdict between 1 and 9 and verdict <> 2),
    count bigint not null check (count >= 0),
    primary key (key_id, hour_start, verdict)
) partition by range (hour_start);
create table usage_hours_default partition of usage_hours default;

-- Rolled up: by day in the business's zone, for 400 days.
create table usage_days (
    key_id uuid not null,
    day_start timestamptz not null,
    verdict smallint not null check (verdict between 1 and 9 and verdict <> 2),
    count bigint not null check (count >= 0),
    primary key (key_id, day_start, verdict)
) partition by range (day_start);
create table usage_days_default partition of usage_days default;

-- Rolled up: VALID verdicts by billing period, for ever.
create table usage_totals (
    key_id uuid not null,
    period_start timestamptz not null,
    request_count bigint not null check (request_count >= 0),
    primary key (key_id, period_start)
) with (fillfactor = 80);

-- Rolled up: the last use of each key, and the last time that its secret was denied.
create table usage_last (
    key_id uuid primary key,
    -- '0001-01-01': never, in both.
    last_use_time timestamptz not null,
    last_denied_use_time timestamptz not null
) with (fillfactor = 80);
