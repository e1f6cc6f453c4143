//! Starts: the first, the later ones, and those that must not be.

mod again;
mod first;
mod flags;
mod peppers;
mod postgres;
