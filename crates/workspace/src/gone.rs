//! Files that logs tell of and that are not there any more.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use trace::Timestamp;

use crate::{Moment, SessionView};

/// Paths that are looked for here, those that were touched last.
const MOST_PATHS: usize = 1_000;

impl Moment<'_> {
    /// The files that these sessions read whole or edited and that are gone, below one of these folders; the one
    /// touched last first.
    pub fn gone_files(&self, sessions: &[Arc<SessionView>], folders: &[PathBuf]) -> Vec<PathBuf> {
        let mut touched: Vec<(Timestamp, &SessionView, Box<str>)> = Vec::new();
        for view in sessions {
            let of_session = touched_paths(view).into_iter().filter(|(path, _)| !Path::new(&**path).is_file());
            touched.extend(of_session.map(|(path, at)| (at, &**view, path)));
        }
        touched.sort_by(|a, b| (b.0, &a.2).cmp(&(a.0, &b.2)));
        let mut gone: BTreeMap<PathBuf, Timestamp> = BTreeMap::new();
        for (at, view, spelled) in touched.into_iter().take(MOST_PATHS) {
            let here = self.local(&view.session, &spelled);
            if !here.exists() && folders.iter().any(|folder| here.starts_with(folder)) {
                gone.entry(here).or_insert(at);
            }
        }
        let mut gone: Vec<(PathBuf, Timestamp)> = gone.into_iter().collect();
        gone.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        gone.into_iter().map(|(path, _)| path).collect()
    }
}

/// The paths, as the log spells them, of files that a session read whole or edited, each with the last time.
fn touched_paths(view: &SessionView) -> HashMap<Box<str>, Timestamp> {
    let mut touched: HashMap<Box<str>, Timestamp> = HashMap::new();
    for at in view.session.steps() {
        let Some(result) = &at.step.result else { continue };
        let when = result.at.or(at.step.at).unwrap_or_default();
        let paths = result.edits.iter().map(|edit| &edit.path).chain(&result.whole_read);
        for path in paths {
            let last = touched.entry(path.clone()).or_insert(when);
            *last = when.max(*last);
        }
    }
    touched
}
