-- The one history of changes: every change adds one here, first, in its own transaction. A counter
-- row and not a sequence, because numbers must become visible in their order.
create table change_counter (
    id smallint primary key check (id = 1),
    rev bigint not null
);
insert into change_counter values (1, 0);

create table businesses (
    -- Ids are compared byte by byte, whatever the database's locale.
    business_id text collate "C" primary key,
    rev bigint not null,
    key_limit integer not null check (key_limit >= 0),
    suspend_time timestamptz,
    create_time timestamptz not null,
    update_time timestamptz not null
);
create index businesses_by_rev on businesses (rev);

create table keys (
    key_id uuid primary key,
    business_id text collate "C" not null references businesses,
    rev bigint not null,
    display_name text not null,
    description text not null,
    scopes text[] not null,
    annotations jsonb not null,
    expire_time timestamptz,
    -- 1 the business, 2 the platform.
    suspended_by smallint check (suspended_by in (1, 2)),
    revoke_time timestamptz,
    -- 1 leaked, 2 unused, 3 replaced, 4 owner left, 5 other.
    revoke_reason smallint check (revoke_reason between 1 and 5),
    revoke_reason_text text not null,
    rotate_time timestamptz,
    prefix text not null,
    obfuscated_secret text not null,
    creator_caller text not null,
    creator_user_issuer text not null,
    creator_user_subject text not null,
    create_time timestamptz not null,
    update_time timestamptz not null,
    check ((revoke_time is null) = (revoke_reason is null))
);
create index keys_by_rev on keys (rev);
create index keys_by_business on keys (business_id, create_time desc, key_id desc);

-- Every secret that ever was, by its keyed digest. Rows are never deleted, so that a revoked secret
-- cannot come back by an import.
create table secrets (
    digest bytea primary key check (length(digest) = 32),
    pepper_version integer not null,
    key_id uuid not null references keys,
    -- 1 for a key's first secret, one more with each rotation.
    generation integer not null check (generation > 0),
    rev bigint not null,
    create_time timestamptz not null,
    -- Null: this is the key's current secret.
    rotate_time timestamptz,
    unique (key_id, generation)
);
create unique index secrets_one_current on secrets (key_id) where rotate_time is null;
create index secrets_by_rev on secrets (rev);

create table scopes (
    name text collate "C" primary key,
    rev bigint not null,
    description text not null,
    -- 1 users, 2 operators.
    assignable_by smallint not null check (assignable_by in (1, 2)),
    -- One template a text: `<service> <METHOD> <path>`, or `<service> gRPC <method>`.
    endpoints text[] not null,
    retire_time timestamptz,
    create_time timestamptz not null,
    update_time timestamptz not null
);
create index scopes_by_rev on scopes (rev);

-- Tells a wrong pepper from a right one. Derived from the pepper by a MAC: it reveals nothing.
create table pepper_checks (
    pepper_version integer primary key,
    check_value bytea not null check (length(check_value) = 32),
    create_time timestamptz not null
);

-- Its one row is there while a server serves, and stays behind where one ended without a word: whoever
-- comes next then waits until nobody can be answering from memory any more.
create table serving (
    id smallint primary key check (id = 1)
);
