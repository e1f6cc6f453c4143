-- No writer bypasses the one history of changes, not even an operator with psql. A change of a table
-- that servers hold in memory takes the next revision before any row is locked (or two writers could
-- deadlock), once a transaction, and every row that it touches is stamped with it.
create function keyward_next_revision() returns bigint language plpgsql as $$
declare
    taken bigint;
begin
    update change_counter set rev = rev + 1 returning rev into taken;
    -- With the transaction's own number, so that what a session may have set before counts for nothing.
    perform set_config('keyward.revision', pg_current_xact_id()::text || ':' || taken::text, true);
    -- A session's own settings must not weaken a change, nor may a forgotten transaction block all others.
    if current_setting('synchronous_commit') in ('off', 'local', 'remote_write') then
        perform set_config('synchronous_commit', 'on', true);
    end if;
    perform set_config('idle_in_transaction_session_timeout', '5s', true);
    -- A hint, and never more: whoever listens looks for itself.
    perform pg_notify('keyward_changes', '');
    return taken;
end
$$;

create function keyward_take_revision() returns trigger language plpgsql as $$
begin
    if split_part(coalesce(current_setting('keyward.revision', true), ''), ':', 1)
        <> pg_current_xact_id()::text then
        perform keyward_next_revision();
    end if;
    return null;
end
$$;

create function keyward_stamp() returns trigger language plpgsql as $$
begin
    new.rev := split_part(current_setting('keyward.revision'), ':', 2)::bigint;
    return new;
end
$$;

-- Nothing that servers hold is ever deleted: a DELETE becomes the final state of what it names, which
-- reaches every memory as any other change does, and no digest is lost.
create function keyward_end_business() returns trigger language plpgsql as $$
begin
    update businesses set suspend_time = coalesce(suspend_time, now()) where business_id = old.business_id;
    return null;
end
$$;
create function keyward_end_key() returns trigger language plpgsql as $$
begin
    update keys set revoke_time = now(), revoke_reason = 5, revoke_reason_text = 'deleted in the database'
        where key_id = old.key_id and revoke_time is null;
    return null;
end
$$;
create function keyward_end_secret() returns trigger language plpgsql as $$
begin
    update secrets set rotate_time = now() where digest = old.digest and rotate_time is null;
    return null;
end
$$;
create function keyward_end_scope() returns trigger language plpgsql as $$
begin
    update scopes set retire_time = coalesce(retire_time, now()) where name = old.name;
    return null;
end
$$;
create function keyward_refuse() returns trigger language plpgsql as $$
begin
    raise exception '% of % is refused: %', tg_op, tg_table_name, tg_argv[0];
end
$$;

-- Who follows the history would miss what takes a place that was taken before.
create trigger forward_only before update of rev on change_counter for each row
    when (new.rev < old.rev) execute function keyward_refuse('it never goes back');

create trigger a_take_revision before insert or update or delete on businesses
    for each statement execute function keyward_take_revision();
create trigger a_take_revision before insert or update or delete on keys
    for each statement execute function keyward_take_revision();
create trigger a_take_revision before insert or update or delete on secrets
    for each statement execute function keyward_take_revision();
create trigger a_take_revision before insert or update or delete on scopes
    for each statement execute function keyward_take_revision();

create trigger b_stamp before insert or update on businesses
    for each row execute function keyward_stamp();
create trigger b_stamp before insert or update on keys
    for each row execute function keyward_stamp();
create trigger b_stamp before insert or update on secrets
    for each row execute function keyward_stamp();
create trigger b_stamp before insert or update on scopes
    for each row execute function keyward_stamp();

create trigger c_end before delete on businesses for each row execute function keyward_end_business();
create trigger c_end before delete on keys for each row execute function keyward_end_key();
create trigger c_end before delete on secrets for each row execute function keyward_end_secret();
create trigger c_end before delete on scopes for each row execute function keyward_end_scope();

create trigger d_no_truncate before truncate on businesses
    for each statement execute function keyward_refuse('delete or update rows instead');
create trigger d_no_truncate before truncate on keys
    for each statement execute function keyward_refuse('delete or update rows instead');
create trigger d_no_truncate before truncate on secrets
    for each statement execute function keyward_refuse('digests are never deleted');
create trigger d_no_truncate before truncate on scopes
    for each statement execute function keyward_refuse('delete or update rows instead');

-- What a row is found by stays: a memory would go on holding what has another name now.
create trigger e_same_name before update on businesses for each row
    when (old.business_id is distinct from new.business_id)
    execute function keyward_refuse('a business keeps its id');
create trigger e_same_name before update on keys for each row
    when (old.key_id is distinct from new.key_id)
    execute function keyward_refuse('a key keeps its id');
create trigger e_same_name before update on secrets for each row
    when (old.digest is distinct from new.digest)
    execute function keyward_refuse('digests never go');
create trigger e_same_name before update on scopes for each row
    when (old.name is distinct from new.name)
    execute function keyward_refuse('a scope keeps its name');

-- When a business's billing periods start. `billing_since`: from when on this day and zone count;
-- the pending ones take over at their own time.
alter table businesses
    add column billing_day smallint not null default 1 check (billing_day between 1 and 31),
    add column time_zone text not null default 'UTC',
    add column billing_since timestamptz not null default '0001-01-01 00:00:00+00',
    add column pending_billing_day smallint check (pending_billing_day between 1 and 31),
    add column pending_time_zone text,
    add column pending_billing_since timestamptz,
    add check ((pending_billing_day is null) = (pending_time_zone is null)
        and (pending_billing_day is null) = (pending_billing_since is null));

-- Who did what, in the transaction of the change itself.
create table audit_events (
    rev bigint not null,
    -- Tells the events of one change apart.
    seq integer not null check (seq >= 0),
    event_time timestamptz not null,
    -- As the contract's AuditAction numbers them.
    action smallint not null check (action between 1 and 13),
    -- Empty: the change concerns no business.
    business_id text collate "C" not null,
    key_id uuid,
    -- Empty: the change concerns no scope.
    scope text not null,
    actor_caller text not null,
    actor_user_issuer text not null,
    actor_user_subject text not null,
    peer_address text not null,
    key_before jsonb,
    key_after jsonb,
    primary key (rev, seq)
);
create index audit_events_by_business on audit_events (business_id, rev);
create index audit_events_by_key on audit_events (key_id, rev) where key_id is not null;

create trigger append_only before update or delete or truncate on audit_events
    for each statement execute function keyward_refuse('it is append-only');

-- What a `request_id` stood for, for a day.
create table idempotent_requests (
    actor_caller text collate "C" not null,
    actor_user_issuer text collate "C" not null,
    actor_user_subject text collate "C" not null,
    business_id text collate "C" not null,
    request_id uuid not null,
    -- SHA-256 over what was asked.
    request_hash bytea not null check (length(request_hash) = 32),
    key_id uuid not null references keys,
    create_time timestamptz not null,
    primary key (actor_caller, actor_user_issuer, actor_user_subject, business_id, request_id)
);
create index idempotent_requests_by_time on idempotent_requests (create_time);
