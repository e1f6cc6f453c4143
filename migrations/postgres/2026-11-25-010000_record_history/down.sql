drop table idempotent_requests;
drop table audit_events;
alter table businesses
    drop column pending_billing_since,
    drop column pending_time_zone,
    drop column pending_billing_day,
    drop column billing_since,
    drop column time_zone,
    drop column billing_day;
drop trigger e_same_name on businesses;
drop trigger d_no_truncate on businesses;
drop trigger c_end on businesses;
drop trigger b_stamp on businesses;
drop trigger a_take_revision on businesses;
drop trigger e_same_name on keys;
drop trigger d_no_truncate on keys;
drop trigger c_end on keys;
drop trigger b_stamp on keys;
drop trigger a_take_revision on keys;
drop trigger e_same_name on secrets;
drop trigger d_no_truncate on secrets;
drop trigger c_end on secrets;
drop trigger b_stamp on secrets;
drop trigger a_take_revision on secrets;
drop trigger e_same_name on scopes;
drop trigger d_no_truncate on scopes;
drop trigger c_end on scopes;
drop trigger b_stamp on scopes;
drop trigger a_take_revision on scopes;
drop trigger forward_only on change_counter;
drop function keyward_refuse();
drop function keyward_end_scope();
drop function keyward_end_secret();
drop function keyward_end_key();
drop function keyward_end_business();
drop function keyward_stamp();
drop function keyward_take_revision();
drop function keyward_next_revision();
