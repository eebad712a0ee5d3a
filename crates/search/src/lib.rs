//! Finding texts in logs: where in the bytes of a log a record lies whose text may match, told at the speed at which
//! bytes are read.
//!
//! A [`Pattern`] is matched against decoded texts. What it needs to find there ([`need`]) is looked for in the raw
//! bytes, in every way in which JSON may write it: a [`Scanner`] gives offsets, and whoever asked reads the records
//! there. It may give too many, never too few. A [`Filter`] says of a block of a log that nothing can be in it, without
//! keeping any of its text.
//!
//! All of it computes on bytes but for [`hunt`], which reads files, and [`Store`], which keeps filters in a folder.

mod filter;
mod filters;
mod hunt;
mod need;
mod pattern;
mod places;
mod scan;
mod stamp;
mod store;
#[cfg(test)]
mod tests;

pub use filter::{Block, Blocks, Filter, Probe};
pub use filters::{AllFilters, Filters, Subject};
pub use hunt::{Group, Read, hunt};
pub use need::Need;
pub use pattern::{Case, Pattern};
pub use places::{Part, Places};
pub use scan::Scanner;
pub use store::Store;
