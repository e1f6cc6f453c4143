-- Refused by the constraint while a digest was moved: there would be two secrets of one generation.
alter table pepper_checks drop column retire_time;
drop index secrets_one_current;
create unique index secrets_one_current on secrets (key_id) where rotate_time is null;
drop index secrets_one_a_generation;
alter table secrets add constraint secrets_key_id_generation_key unique (key_id, generation);
alter table secrets drop column move_time;
