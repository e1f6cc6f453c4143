-- Where a key came from another system: its id there.
alter table keys add column external_id text collate "C" not null default '';
create unique index keys_by_external_id on keys (business_id, external_id) where external_id <> '';

-- Changes of a scope count the keys that hold it, while all other changes wait. SQLite has no index
-- into a list; its databases are small enough to be read through.
create index keys_by_scope on keys using gin (scopes);
