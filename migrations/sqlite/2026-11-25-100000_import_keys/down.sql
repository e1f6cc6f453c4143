drop index keys_by_external_id;
alter table keys drop column external_id;
