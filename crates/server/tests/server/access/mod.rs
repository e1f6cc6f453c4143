//! Who may do what, and what nobody gains.

mod advisor_access;
mod cast;
mod grants;
mod key_management;
mod key_verification;
mod power;
mod refusals;
mod requests;
mod table;
mod tokens;
mod unseen;
mod users;
