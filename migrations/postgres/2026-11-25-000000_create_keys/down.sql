drop table serving;
drop table pepper_checks;
drop table scopes;
drop table secrets;
drop table keys;
drop table businesses;
drop table change_counter;
