-- As for PostgreSQL; the reasons stand there. SQLite drops no constraint of a table: it is made anew.
create table secrets_rebuilt (
    digest blob primary key not null check (length(digest) = 32),
    pepper_version integer not null,
    key_id blob not null references keys,
    generation integer not null check (generation > 0),
    rev integer not null,
    create_time integer not null,
    rotate_time integer,
    move_time integer
) strict;
insert into secrets_rebuilt
    select digest, pepper_version, key_id, generation, rev, create_time, rotate_time, null from secrets;
drop table secrets;
alter table secrets_rebuilt rename to secrets;
create unique index secrets_one_a_generation on secrets (key_id, generation) where move_time is null;
create unique index secrets_one_current on secrets (key_id)
    where rotate_time is null and move_time is null;
create index secrets_by_rev on secrets (rev);
create trigger secrets_insert_stamped before insert on secrets
begin
    select keyward_writes();
    select raise(abort, 'secrets: a row without the stamp of its change')
        where new.rev <> (select rev from change_counter);
end;
create trigger secrets_update_stamped before update on secrets
begin
    select keyward_writes();
    select raise(abort, 'secrets: a row without the stamp of its change')
        where new.rev <> (select rev from change_counter);
end;
create trigger secrets_no_delete before delete on secrets
begin
    select raise(abort, 'secrets: rows are never deleted');
end;

alter table pepper_checks add column retire_time integer;
