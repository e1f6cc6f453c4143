-- The same tables as for PostgreSQL; the reasons stand there. Times are integer microseconds since
-- the Unix epoch, lists and maps are JSON text.
create table change_counter (
    id integer primary key not null check (id = 1),
    rev integer not null
) strict;
insert into change_counter values (1, 0);

create table businesses (
    business_id text primary key not null,
    rev integer not null,
    key_limit integer not null check (key_limit >= 0),
    suspend_time integer,
    create_time integer not null,
    update_time integer not null
) strict;
create index businesses_by_rev on businesses (rev);

create table keys (
    key_id blob primary key not null check (length(key_id) = 16),
    business_id text not null references businesses,
    rev integer not null,
    display_name text not null,
    description text not null,
    scopes text not null check (json_type(scopes) = 'array'),
    annotations text not null check (json_type(annotations) = 'object'),
    expire_time integer,
    suspended_by integer check (suspended_by in (1, 2)),
    revoke_time integer,
    revoke_reason integer check (revoke_reason between 1 and 5),
    revoke_reason_text text not null,
    rotate_time integer,
    prefix text not null,
    obfuscated_secret text not null,
    creator_caller text not null,
    creator_user_issuer text not null,
    creator_user_subject text not null,
    create_time integer not null,
    update_time integer not null,
    check ((revoke_time is null) = (revoke_reason is null))
) strict;
create index keys_by_rev on keys (rev);
create index keys_by_business on keys (business_id, create_time desc, key_id desc);

create table secrets (
    digest blob primary key not null check (length(digest) = 32),
    pepper_version integer not null,
    key_id blob not null references keys,
    generation integer not null check (generation > 0),
    rev integer not null,
    create_time integer not null,
    rotate_time integer,
    unique (key_id, generation)
) strict;
create unique index secrets_one_current on secrets (key_id) where rotate_time is null;
create index secrets_by_rev on secrets (rev);

create table scopes (
    name text primary key not null,
    rev integer not null,
    description text not null,
    assignable_by integer not null check (assignable_by in (1, 2)),
    endpoints text not null check (json_type(endpoints) = 'array'),
    retire_time integer,
    create_time integer not null,
    update_time integer not null
) strict;
create index scopes_by_rev on scopes (rev);

create table pepper_checks (
    pepper_version integer primary key not null,
    check_value blob not null check (length(check_value) = 32),
    create_time integer not null
) strict;

create table serving (
    id integer primary key not null check (id = 1)
) strict;
