drop index keys_by_external_id;
alter table keys drop column origin_use_time;
alter table keys drop column external_id;
