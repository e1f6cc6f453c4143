-- Which advisors may manage the keys of which client businesses. Asked on each call, not held in
-- memory: whoever ends a grant, by an RPC or by hand, ends it at once.
create table access_grants (
    business_id text collate "C" not null references businesses check (business_id <> '@keyward'),
    -- The change that granted it.
    rev bigint not null,
    user_issuer text collate "C" not null,
    user_subject text collate "C" not null,
    grant_time timestamptz not null,
    -- Null: it is live.
    end_time timestamptz,
    granted_by_caller text not null,
    granted_by_user_issuer text not null,
    granted_by_user_subject text not null,
    primary key (business_id, rev)
);
create unique index access_grants_one_live on access_grants (user_issuer, user_subject, business_id)
    where end_time is null;

create trigger history_stays before delete or truncate on access_grants
    for each statement execute function keyward_refuse('end it instead, by its end_time');

-- Empty: the change concerns no advisor.
alter table audit_events
    add column advisor_issuer text not null default '',
    add column advisor_subject text not null default '';
