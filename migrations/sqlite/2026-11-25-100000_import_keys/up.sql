-- As for PostgreSQL; the reasons stand there.
alter table keys add column external_id text not null default '';
create unique index keys_by_external_id on keys (business_id, external_id) where external_id <> '';
