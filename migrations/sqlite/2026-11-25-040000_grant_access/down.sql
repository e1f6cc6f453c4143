alter table audit_events drop column advisor_subject;
alter table audit_events drop column advisor_issuer;
drop table access_grants;
