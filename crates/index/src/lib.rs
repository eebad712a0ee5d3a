//! All logs of all agents.

mod derive;

pub use derive::Deriver;
