drop index keys_by_scope;
alter table keys drop column external_id;
