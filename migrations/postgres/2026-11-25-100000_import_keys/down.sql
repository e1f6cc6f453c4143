drop index keys_by_scope;
alter table keys drop column external_id, drop column origin_use_time;
