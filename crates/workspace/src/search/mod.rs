//! Finding where something was asked, said or done, in the texts of sessions.
//!
//! What is sought is looked for in the bytes of the logs, block by block, where filters do not say that it cannot be
//! there (the crate `search`). Only records at such places are read, and only the steps that they tell of are looked at, so
//! what is found is the same as if every text of every session were read.

mod filters;
mod hits;
mod query;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::sync::Arc;

use ::search::{AllFilters, Group, Part, Places, Probe, Scanner};
use index::LogSummary;

use crate::Moment;

pub use filters::Filtered;
use hits::Tell;
pub use hits::{Hit, HitsOfSession};
pub use query::{Field, Query};

pub(crate) use filters::Kept;

/// What was found, by relevance: first the sessions where it was asked for, then those where it was said, then where
/// a tool was called with it, thought, put out; of each the newest first. Inside a session in the order of the trace.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Records with a hit.
    pub total: usize,
    /// Sessions with a hit.
    pub sessions: usize,
    /// The first ones.
    pub listed: Vec<HitsOfSession>,
}

/// How a search goes on while it is under way.
pub struct Course<'c> {
    /// Hits that are listed in the end.
    pub most: usize,
    /// Looked at for each chunk of a log and for each record.
    pub is_cancelled: &'c (dyn Fn() -> bool + Sync),
    /// Handed hits as they are found, those of the newest session first, of a session with many in several portions; it
    /// may break off, and what was found by then is told.
    pub sink: &'c mut dyn FnMut(&HitsOfSession) -> ControlFlow<()>,
}

impl Moment<'_> {
    /// Looks through these sessions, in their order. At most `most` hits are listed. Records that a session only
    /// repeats are found in the one that they come from.
    pub fn search<'p>(
        &self,
        query: &Query,
        sessions: impl IntoIterator<Item = &'p Arc<LogSummary>>,
        most: usize,
    ) -> Found {
        let sink = &mut |_: &HitsOfSession| ControlFlow::Continue(());
        self.search_by(query, sessions, Course { most, is_cancelled: &|| false, sink })
    }

    /// The same for whoever wants to see hits before all are found.
    pub fn search_by<'p>(
        &self,
        query: &Query,
        sessions: impl IntoIterator<Item = &'p Arc<LogSummary>>,
        course: Course<'_>,
    ) -> Found {
        let wanted = |path: &&Arc<LogSummary>| query.agent.is_none_or(|agent| agent == path.agent);
        let paths: Vec<&Arc<LogSummary>> = sessions.into_iter().filter(wanted).collect();
        let need = query.need();
        let (scanner, probe) = (Scanner::new(&need), Probe::new(&need));
        let mut found = Found::default();
        let Course { most, is_cancelled, sink } = course;
        let filters = self.workspace.filters.now();
        let group =
            |number: usize| paths.get(number).map_or(Group { parts: Vec::new() }, |path| self.group(path, &filters));
        let read = |number: usize, places: &[Places<'_>], stop: &dyn Fn() -> bool, tell: &mut Tell<'_>| {
            if let Some(path) = paths.get(number) {
                self.hits_of(query, path, places, most, stop, tell);
            }
        };
        let mut open: Option<HitsOfSession> = None;
        ::search::hunt(paths.len(), &group, &scanner, &probe, is_cancelled, &read, &mut |hits| {
            let goes_on = sink(&hits);
            match &mut open {
                Some(session) if session.path.log == hits.path.log => session.append(hits),
                _ => open.replace(hits).into_iter().for_each(|session| found.take(session, most)),
            }
            goes_on
        });
        open.into_iter().for_each(|session| found.take(session, most));
        found
    }

    /// The logs of a session: its own, then those of its sub-agents.
    fn group(&self, path: &LogSummary, filters: &AllFilters) -> Group<'_> {
        let logs = std::iter::once(&path.log).chain(self.logs.side_logs(&path.session));
        let extents = logs.filter_map(|log| self.logs.extent(*log));
        let parts = extents.map(|extent| Part {
            path: extent.file,
            len: extent.len,
            blocks: filters.of(extent.log.0, extent.epoch),
        });
        Group { parts: parts.collect() }
    }
}

impl Found {
    /// Takes what was found in one more session, and lets go of what comes behind the first `most`.
    fn take(&mut self, hits: HitsOfSession, most: usize) {
        self.total += hits.total;
        self.sessions += 1;
        let at = self.listed.partition_point(|known| known.best <= hits.best);
        self.listed.insert(at, hits);
        let mut room = most;
        for session in &mut self.listed {
            session.hits.truncate(room);
            room -= session.hits.len();
        }
        self.listed.retain(|session| !session.hits.is_empty());
    }
}
