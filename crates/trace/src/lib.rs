//! The words of Turnlens as plain types: log, session, turn, step, edit, derived path, address, origin.
//!
//! Nothing here reads a file, knows an agent's format or speaks a protocol. Everything else depends on this crate and
//! it depends on nothing.

mod address;
mod agent;
mod body;
mod entry;
mod grown;
mod origin;
mod path;
mod session;
mod time;
pub mod title;
mod touch;
mod turns;

pub use address::{Address, SessionRef, TurnRef};
pub use agent::Agent;
pub use body::{Bodies, Body, Change, Content, Hunk, Observation, Replacement};
pub use entry::{
    Backup, Call, Compaction, Context, EditStub, Entry, Excerpt, LogId, Place, Prompt, PromptSource, RecordId,
    StepKind, TitleSource, ToolResult, Usage, What,
};
pub use grown::{Grown, RecordSet};
pub use origin::{Evidence, LineOrigin, StepKey};
pub use path::{
    Caller, DerivedPath, Note, NoteKind, Owner, Response, Side, Spent, Step, StepResult, Tally, Titles, Tokens, Turn,
};
pub use session::{Session, StepAt};
pub use time::{Civil, Timestamp, Zone};
pub use touch::{Target, Touch, TouchKind, Touches};
pub use turns::{Part, Stored, Turns};
