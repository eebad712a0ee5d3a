//! The engine: from what logs, git, disk and buffers prove about a file to who wrote each of its lines.
//!
//! Events in, timeline out. Nothing here reads a file, knows an agent or a clock, or fails on data.

mod account;
mod align;
mod apply;
mod blame;
mod diff;
mod event;
mod flow;
mod follow;
mod history;
mod infer;
mod later;
mod merge;
mod moved;
mod order;
mod page;
mod reflow;
mod sources;
mod text;
mod timeline;
mod waiting;

#[cfg(test)]
mod tests;

pub use account::{Account, Between, Stood, Suspect};
pub use align::{Alignment, Match, align};
pub use blame::Blame;
pub use diff::{ChangedRange, changed_ranges};
pub use event::{Chain, Event, EventKey, Happening, Rewrite, Seen, Slot, Tree, TurnKey, Writes};
pub use follow::{Follower, LineSplice, line_count};
pub use history::{Fate, LineNow, Link, Removed, Stage, Witness, Written};
pub use infer::{Doubt, Fit};
pub use merge::{Merge, MergedFate, MergedHunk, TextSplice, merge, splices};
pub use moved::{is_mostly, moved_from};
pub use text::{is_small, lines};
pub use timeline::{NodeId, Timeline};
