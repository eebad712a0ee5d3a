//! What a scan remembers of the records before: all that travels with a cursor. It is bounded, and every part is shared
//! with the cursor before until it changes.

use std::sync::Arc;

use trace::{Context, Place, Prompt, RecordId, StepKind, Timestamp};

use super::record::TokenCounts;
use super::tools::Asked;
use crate::recent::Recent;

#[derive(Clone, Default)]
pub(super) struct Known {
    /// The log's own session, as its first record tells it.
    pub(super) own: Option<Arc<str>>,
    /// The record before the first turn: where a person lands who goes back to the beginning.
    pub(super) root: Option<RecordId>,
    pub(super) told: Context,
    pub(super) copying: Copying,
    /// The turn that the agent works in, by its own id.
    pub(super) turn: Option<Arc<str>>,
    /// Hashes of what was said in this turn: the same words said twice are two records.
    pub(super) said: Arc<Vec<u32>>,
    /// The agent answered since the last prompt.
    pub(super) answered: bool,
    /// A turn was begun and not ended.
    pub(super) is_working: bool,
    /// The client asked for a review, in words of its own.
    pub(super) reviewing: bool,
    /// The log tells prompts by events, so messages need not be judged.
    pub(super) tells_prompts: bool,
    /// A message that is a prompt unless an event tells it.
    pub(super) held: Option<Held>,
    /// The hash of the last prompt.
    pub(super) last_prompt: Option<u32>,
    /// Prompts that the person did not go back from.
    pub(super) living: Arc<Vec<RecordId>>,
    pub(super) rolled_back: bool,
    /// Words that events told, as long as no record repeated them.
    pub(super) words: Vec<Words>,
    /// Calls that wait for their results.
    pub(super) calls: Arc<Recent<Arc<str>, Asked, 1024>>,
    /// Calls whose results were told.
    pub(super) done: Arc<Recent<Arc<str>, (), 1024>>,
    /// Exit statuses told before the results.
    pub(super) exits: Arc<Recent<Arc<str>, i32, 64>>,
    /// Scripts under way, and where their first patch lies.
    pub(super) scripts: Arc<Vec<Script>>,
    /// A search was told by an event; the record behind it tells the same.
    pub(super) searched: bool,
    pub(super) total: TokenCounts,
}

/// Whether a sub-agent's log is still repeating the records of its parent, with which it begins.
#[derive(Clone, Default)]
pub(super) enum Copying {
    #[default]
    No,
    Since(Option<Timestamp>),
    Done,
}

/// A prompt that is not told yet.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) place: Place,
    pub(super) at: Option<Timestamp>,
    pub(super) id: RecordId,
    pub(super) prompt: Prompt,
    pub(super) check: u32,
}

/// A text that an event told.
#[derive(Clone)]
pub(super) struct Words {
    pub(super) kind: StepKind,
    pub(super) check: u32,
    pub(super) place: Place,
    pub(super) at: Option<Timestamp>,
    /// The time as it is spelled.
    pub(super) stamp: Box<str>,
    pub(super) text: trace::Excerpt,
}

/// A script whose result was not told yet.
#[derive(Clone)]
pub(super) struct Script {
    pub(super) call: Arc<str>,
    /// Files that its patches name.
    pub(super) files: Vec<Box<str>>,
    pub(super) patches: Option<Patches>,
}

/// The patches that a script applied.
#[derive(Clone)]
pub(super) struct Patches {
    /// Of the first one.
    pub(super) first: u64,
    pub(super) last: Place,
    pub(super) at: Option<Timestamp>,
    pub(super) edits: Vec<trace::EditStub>,
}

impl Known {
    /// What the call asked for. A call has one result.
    pub(super) fn take_call(&mut self, id: &str) -> Option<Asked> {
        self.calls.get(id)?;
        Arc::make_mut(&mut self.calls).take(id)
    }

    pub(super) fn take_exit(&mut self, id: &str) -> Option<i32> {
        self.exits.get(id)?;
        Arc::make_mut(&mut self.exits).take(id)
    }

    /// Whether this is the first result of the call.
    pub(super) fn is_first_result(&mut self, id: &str) -> bool {
        self.done.get(id).is_none() && Arc::make_mut(&mut self.done).put(id.into(), ())
    }

    pub(super) fn take_script(&mut self, id: &str) -> Option<Script> {
        let at = self.scripts.iter().position(|script| &*script.call == id)?;
        Some(Arc::make_mut(&mut self.scripts).remove(at))
    }

    /// The script that a patch belongs to which bears an id of its own: the only one under way, else the only one
    /// that names one of the files.
    pub(super) fn script_of(&mut self, files: &[trace::EditStub]) -> Option<&mut Script> {
        let names = |script: &Script| files.iter().any(|edit| script.files.contains(&edit.path));
        let at = match self.scripts.len() {
            1 => 0,
            _ => {
                let mut naming = self.scripts.iter().enumerate().filter(|(_, script)| names(script));
                let (at, _) = naming.next()?;
                naming.next().is_none().then_some(at)?
            }
        };
        Arc::make_mut(&mut self.scripts).get_mut(at)
    }
}
