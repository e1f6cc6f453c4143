drop table usage_last;
drop table usage_totals;
drop table usage_days;
drop table usage_hours;
drop table usage_slots;
drop table usage_progress;
drop table usage_gaps;
drop table usage_flushers;
