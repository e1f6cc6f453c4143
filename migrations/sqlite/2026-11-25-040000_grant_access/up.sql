-- As for PostgreSQL; the reasons stand there.
create table access_grants (
    business_id text not null references businesses check (business_id <> '@keyward'),
    rev integer not null,
    user_issuer text not null,
    user_subject text not null,
    grant_time integer not null,
    end_time integer,
    granted_by_caller text not null,
    granted_by_user_issuer text not null,
    granted_by_user_subject text not null,
    primary key (business_id, rev)
) strict;
create unique index access_grants_one_live on access_grants (user_issuer, user_subject, business_id)
    where end_time is null;

create trigger access_grants_insert before insert on access_grants
begin
    select keyward_writes();
end;
create trigger access_grants_update before update on access_grants
begin
    select keyward_writes();
end;
create trigger access_grants_no_delete before delete on access_grants
begin
    select raise(abort, 'access_grants: rows are never deleted');
end;

alter table audit_events add column advisor_issuer text not null default '';
alter table audit_events add column advisor_subject text not null default '';
