alter table pepper_checks drop column retire_time;
create table secrets_rebuilt (
    digest blob primary key not null check (length(digest) = 32),
    pepper_version integer not null,
    key_id blob not null references keys,
    generation integer not null check (generation > 0),
    rev integer not null,
    create_time integer not null,
    rotate_time integer,
    unique (key_id, generation)
) strict;
insert into secrets_rebuilt
    select digest, pepper_version, key_id, generation, rev, create_time, rotate_time from secrets;
drop table secrets;
alter table secrets_rebuilt rename to secrets;
create unique index secrets_one_current on secrets (key_id) where rotate_time is null;
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
