//! What an API key *is*, and the decision on a presented one: the rules of Keyward without any of
//! its machinery.
//!
//! In reading order:
//!
//! 1. [`clock`]: time as one type, in microseconds, and where it comes from.
//! 2. [`text`]: what can be wrong with a short text, said in one way.
//! 3. [`id`]: the names of keys and businesses.
//! 4. [`secret`]: the string that a customer's integration sends; issued once, recognised by form.
//! 5. [`digest`]: what is stored instead of it, and the peppers that key it.
//! 6. [`scope`]: what a key may reach, by name.
//! 7. [`endpoint`]: what a request reaches, and the templates that cover it.
//! 8. [`catalogue`]: which scopes exist, and which of them cover which endpoints.
//! 9. [`settings`]: what people write on a key.
//! 10. [`lifecycle`]: states, and the only ways between them.
//! 11. [`billing`]: when a business's request count starts anew.
//! 12. [`verdict`]: [`decide`](verdict::decide), for which all the rest is here.
//! 13. [`usage`]: what is counted of it, and under which time.
//!
//! What always holds:
//!
//! - Everything is synchronous and pure. Time comes in as a [`Timestamp`](clock::Timestamp),
//!   randomness as a [`SecureRandom`](ring::rand::SecureRandom); nothing reads the environment,
//!   waits, logs, or knows a database or a wire format. [`clock::SystemClock`] is the one exception.
//! - What exists is valid: every type is made by a parser that refuses what its rule refuses, and
//!   what it prints, it parses again.
//! - A secret cannot be printed: `Debug` of whatever is derived from one shows the type's name.
//! - Nothing here panics, whatever it is given.

pub mod billing;
pub mod catalogue;
pub mod clock;
pub mod digest;
pub mod endpoint;
pub mod id;
pub mod lifecycle;
pub mod scope;
pub mod secret;
pub mod settings;
pub mod text;
pub mod usage;
pub mod verdict;
