//! Who may do what, and what nobody gains.

mod power;
