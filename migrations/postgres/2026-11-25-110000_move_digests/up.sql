-- A secret's digest is made anew under a newer pepper when the secret is next seen: a row of its own, as
-- digests never change. The row before stays, so that the secret is known under each pepper that it was
-- ever digested with, and nobody answers from it any more. Of each generation one row is in force.
alter table secrets add column move_time timestamptz;
alter table secrets drop constraint secrets_key_id_generation_key;
create unique index secrets_one_a_generation on secrets (key_id, generation) where move_time is null;
drop index secrets_one_current;
create unique index secrets_one_current on secrets (key_id)
    where rotate_time is null and move_time is null;

-- From when on the pepper is nowhere any more: no secret needs it.
alter table pepper_checks add column retire_time timestamptz;
