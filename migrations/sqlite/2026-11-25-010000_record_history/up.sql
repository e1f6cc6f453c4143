-- As for PostgreSQL; the reasons stand there. -62135596800000000: 0001-01-01T00:00:00Z.
alter table businesses add column billing_day integer not null default 1
    check (billing_day between 1 and 31);
alter table businesses add column time_zone text not null default 'UTC';
alter table businesses add column billing_since integer not null default -62135596800000000;
alter table businesses add column pending_billing_day integer
    check (pending_billing_day between 1 and 31);
alter table businesses add column pending_time_zone text
    check ((pending_billing_day is null) = (pending_time_zone is null));
alter table businesses add column pending_billing_since integer
    check ((pending_billing_day is null) = (pending_billing_since is null));

create table audit_events (
    rev integer not null,
    seq integer not null check (seq >= 0),
    event_time integer not null,
    action integer not null check (action between 1 and 13),
    business_id text not null,
    key_id blob check (length(key_id) = 16),
    scope text not null,
    actor_caller text not null,
    actor_user_issuer text not null,
    actor_user_subject text not null,
    peer_address text not null,
    key_before text check (json_type(key_before) = 'object'),
    key_after text check (json_type(key_after) = 'object'),
    primary key (rev, seq)
) strict;
create index audit_events_by_business on audit_events (business_id, rev);
create index audit_events_by_key on audit_events (key_id, rev) where key_id is not null;
-- `replace` would take an event's place without a delete that a trigger sees.
create trigger audit_events_insert before insert on audit_events
begin
    select keyward_writes();
end;
create trigger audit_events_no_update before update on audit_events
begin
    select raise(abort, 'audit_events is append-only');
end;
create trigger audit_events_no_delete before delete on audit_events
begin
    select raise(abort, 'audit_events is append-only');
end;

create table idempotent_requests (
    actor_caller text not null,
    actor_user_issuer text not null,
    actor_user_subject text not null,
    business_id text not null,
    request_id blob not null check (length(request_id) = 16),
    request_hash blob not null check (length(request_hash) = 32),
    key_id blob not null references keys,
    create_time integer not null,
    primary key (actor_caller, actor_user_issuer, actor_user_subject, business_id, request_id)
) strict;
create index idempotent_requests_by_time on idempotent_requests (create_time);

-- Who follows the history would miss what takes a place that was taken before.
create trigger change_counter_forward_only before update of rev on change_counter when new.rev < old.rev
begin
    select raise(abort, 'UPDATE of change_counter is refused: it never goes back');
end;

-- Only Keyward writes what it holds in memory: `keyward_writes()` is a function of its own connections,
-- so that any other program's statement fails. (A write that is forced all the same is noticed.) The
-- rows' stamps are compared too, so that Keyward itself cannot forget one.
create trigger businesses_insert_stamped before insert on businesses
begin
    select keyward_writes();
    select raise(abort, 'businesses: a row without the stamp of its change')
        where new.rev <> (select rev from change_counter);
end;
create trigger businesses_update_stamped before update on businesses
begin
    select keyward_writes();
    select raise(abort, 'businesses: a row without the stamp of its change')
        where new.rev <> (select rev from change_counter);
end;
create trigger businesses_no_delete before delete on businesses
begin
    select raise(abort, 'businesses: rows are never deleted');
end;
create trigger keys_insert_stamped before insert on keys
begin
    select keyward_writes();
    select raise(abort, 'keys: a row without the stamp of its change')
        where new.rev <> (select rev from change_counter);
end;
create trigger keys_update_stamped before update on keys
begin
    select keyward_writes();
    select raise(abort, 'keys: a row without the stamp of its change')
        where new.rev <> (select rev from change_counter);
end;
create trigger keys_no_delete before delete on keys
begin
    select raise(abort, 'keys: rows are never deleted');
end;
create trigger secrets_insert_stamped before insert on secrets
begin
    select keyward_writes();
    select raise(abort, 'secrets: a row without the stamp of its change')
        where new.rev <> (select rev from change_counter);
end;
create trigger secrets_update_stamped before update on secrets
begin
    select keyward_writes();
    select raise(abort, 'secrets: a row without the stamp of its change')
        where new.rev <> (select rev from change_counter);
end;
create trigger secrets_no_delete before delete on secrets
begin
    select raise(abort, 'secrets: rows are never deleted');
end;
create trigger scopes_insert_stamped before insert on scopes
begin
    select keyward_writes();
    select raise(abort, 'scopes: a row without the stamp of its change')
        where new.rev <> (select rev from change_counter);
end;
create trigger scopes_update_stamped before update on scopes
begin
    select keyward_writes();
    select raise(abort, 'scopes: a row without the stamp of its change')
        where new.rev <> (select rev from change_counter);
end;
create trigger scopes_no_delete before delete on scopes
begin
    select raise(abort, 'scopes: rows are never deleted');
end;
