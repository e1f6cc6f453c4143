//! KeyManagement, a file an RPC.

mod batch_import_keys;
mod batch_revoke_keys;
mod create_key;
mod get_business;
mod get_key;
mod key_limit;
mod list_audit_events;
mod list_businesses;
mod list_keys;
mod list_scopes;
mod lookup_key;
mod repetition;
mod resume_key;
mod retire_scope;
mod revoke_key;
mod rotate_key;
mod service_keys;
mod suspend_key;
mod update_business;
mod update_key;
mod update_scope;
