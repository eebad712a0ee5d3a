//! Sessions as people name and list them.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use dashmap::DashMap;
use index::LogSummary;
use repo::Repo;
use rustc_hash::{FxHashMap, FxHashSet};
use trace::{Address, Agent, Session, SessionRef, StepAt, Timestamp, Turn, TurnRef};

use crate::Moment;
use crate::mapping::{forward_slashes, real};

/// A session with its steps by the id of their call.
pub struct SessionView {
    pub session: Session,
    /// Made when the first is asked for: it takes all steps of the session.
    by_call: OnceLock<FxHashMap<Arc<str>, At>>,
}

/// The number of a turn, and the numbers of a step in it.
type At = (u32, Vec<u32>);

impl SessionView {
    fn new(session: Session) -> SessionView {
        SessionView { by_call: OnceLock::new(), session }
    }

    pub fn step_of_call(&self, call: &str) -> Option<StepAt<'_>> {
        let place = |at: StepAt<'_>| Some((at.step.call.clone()?, (at.turn.number, at.numbers)));
        let by_call = self.by_call.get_or_init(|| self.session.steps().into_iter().filter_map(place).collect());
        let (turn, numbers) = by_call.get(call)?;
        self.session.step(*turn, numbers)
    }
}

/// Sessions joined already, each with the publication of the logs that it was made of.
#[derive(Default)]
pub(crate) struct Cache {
    joined: DashMap<Arc<str>, (u64, Arc<SessionView>)>,
    /// The newest publication that was asked about. What was made of older ones is of no use any more.
    newest: AtomicU64,
}

/// One session in a list.
#[derive(Clone, Debug)]
pub struct Summary {
    pub id: Arc<str>,
    pub agent: Agent,
    pub title: Box<str>,
    pub cwd: Option<Arc<str>>,
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    /// Real prompts.
    pub turns: usize,
    /// Edits that succeeded, sub-agents' included, copies of another session's left out.
    pub edits: usize,
    pub tool_calls: usize,
    /// Files edited.
    pub files: usize,
    pub added: u64,
    pub removed: u64,
    pub tokens: trace::Tokens,
    /// The agent is at work on it.
    pub live: bool,
}

/// What an address names.
pub struct Located {
    pub view: Arc<SessionView>,
    /// 0: the session.
    pub turn: u32,
    /// Empty: the turn.
    pub steps: Vec<u32>,
}

/// A log that did not grow for so long is not at work, whatever its last record leaves open. One from so far in the
/// future is not, either: a clock that went wrong would keep it at work until then.
const LIVE_MS: u64 = 10 * 60 * 1000;
/// Sessions that are kept joined.
const MOST_VIEWS: usize = 64;
/// The shortest beginning of an id that names a session.
const SHORTEST_ID: usize = 4;

impl Moment<'_> {
    pub fn session_view(&self, id: &str) -> Option<Arc<SessionView>> {
        let generation = self.logs.generation();
        let cache = &self.workspace.sessions.joined;
        if self.workspace.sessions.newest.fetch_max(generation, Ordering::Relaxed) < generation {
            cache.retain(|_, known| known.0 >= generation);
        }
        if let Some(known) = cache.get(id)
            && known.0 == generation
        {
            return Some(known.1.clone());
        }
        let view = Arc::new(SessionView::new(self.logs.load_session(id)?));
        // What is asked for again is made again: better than to keep every session that a list once led to.
        if cache.len() >= MOST_VIEWS {
            cache.clear();
        }
        cache.insert(id.into(), (generation, view.clone()));
        Some(view)
    }

    /// All sessions, the newest first; with `repo` only those that worked in it.
    pub fn sessions(&self, repo: Option<&Repo>) -> Vec<&Arc<LogSummary>> {
        let here = repo.map(Here::new);
        self.logs.sessions().filter(|path| here.as_ref().is_none_or(|here| here.holds(path))).collect()
    }

    /// Sessions that edited a file, the newest first.
    pub fn sessions_of_file(&self, path: &Path) -> Vec<Arc<str>> {
        let by_call = self.with_timeline(path, |file| {
            let states = file.timeline.states().into_iter().filter_map(|(by, _)| by.step);
            states
                .filter_map(|key| file.view.step_of(key).map(|step| (step.at, step.session.clone())))
                .collect::<Vec<_>>()
        });
        let mut newest_first = by_call;
        newest_first.sort_by(|a, b| b.cmp(a));
        let mut seen = FxHashSet::default();
        newest_first.into_iter().map(|(_, session)| session).filter(|session| seen.insert(session.clone())).collect()
    }

    /// The session whose own log this is, as a list tells it. Reads nothing.
    pub fn summary(&self, log: &LogSummary, now: Timestamp) -> Summary {
        let logs = || std::iter::once(log).chain(self.logs.sides_of(&log.session).map(|side| &**side));
        let mut summary = Summary {
            id: log.session.clone(),
            agent: log.agent,
            title: log.title().into(),
            cwd: log.cwd.clone(),
            started: log.started,
            ended: logs().filter_map(|log| log.ended).max(),
            turns: log.prompts as usize,
            edits: 0,
            tool_calls: 0,
            files: 0,
            added: 0,
            removed: 0,
            tokens: trace::Tokens::default(),
            live: false,
        };
        let own: Vec<_> = logs().map(|log| self.logs.own_files(log)).collect();
        let mut files: Vec<&str> = Vec::new();
        for (log, own) in logs().zip(&own) {
            summary.tool_calls += log.tool_calls as usize;
            for file in own.iter().filter(|file| file.edits > 0) {
                files.push(&file.path);
                summary.edits += file.edits as usize;
                summary.added += file.added;
                summary.removed += file.removed;
            }
            summary.tokens.add(&log.all_spent().tokens);
        }
        if own.len() > 1 {
            files.sort_unstable();
            files.dedup();
        }
        summary.files = files.len();
        let grew = summary.ended.is_some_and(|ended| now.0.abs_diff(ended.0) < LIVE_MS);
        summary.live = grew && logs().any(|log| log.open);
        summary
    }

    /// What an address names. `Err`: a sentence that says why it names nothing.
    pub fn locate(&self, address: &Address, repo: Option<&Repo>) -> Result<Located, String> {
        let view = self.find(&address.session, repo)?;
        let session = &view.session;
        let turn = match address.turn {
            None => 0,
            Some(TurnRef::Number(number)) => number,
            Some(TurnRef::Last) => {
                let edits = |turn: &&Arc<Turn>| {
                    let mut steps = Vec::new();
                    session.steps_of(turn, &mut steps);
                    steps.iter().any(|at| !at.step.edits().is_empty())
                };
                let last = session.path.turns.iter().rev().find(edits).map(|turn| turn.number);
                last.ok_or_else(|| format!("No turn of session {} edited a file.", session.path.session))?
            }
        };
        let turns = session.path.turns.len();
        if turn as usize > turns {
            return Err(format!("Session {} has {turns} turns, no turn {turn}.", session.path.session));
        }
        if !address.steps.is_empty() && session.step(turn, &address.steps).is_none() {
            let steps = session.path.turn(turn).map_or(0, |turn| turn.steps.len());
            return Err(format!("“{address}” names no step: turn {turn} has {steps} steps."));
        }
        Ok(Located { view, turn, steps: address.steps.clone() })
    }

    fn find(&self, session: &SessionRef, repo: Option<&Repo>) -> Result<Arc<SessionView>, String> {
        let id = match session {
            SessionRef::Recent(n) => {
                let sessions = self.sessions(repo);
                let found = sessions.get(*n as usize - 1).ok_or_else(|| match sessions.len() {
                    0 => "No agent has worked in this folder yet.".to_owned(),
                    count => format!("There are {count} sessions here, no @{n}."),
                });
                found?.session.clone()
            }
            SessionRef::Id(id) => {
                let begins = |path: &&Arc<LogSummary>| path.session.starts_with(&**id);
                let found: Vec<_> = self.logs.sessions().filter(begins).collect();
                match found.as_slice() {
                    [] => return Err(format!("There is no session {id}. `turnlens sessions --repo all` lists them.")),
                    _ if found.iter().any(|path| *path.session == **id) => (**id).into(),
                    _ if id.len() < SHORTEST_ID => {
                        return Err(format!(
                            "“{id}” is too short: write {SHORTEST_ID} characters of a session's id or more."
                        ));
                    }
                    [one] => one.session.clone(),
                    several => {
                        let ids: Vec<_> = several.iter().take(5).map(|path| &*path.session).collect();
                        return Err(format!("“{id}” begins {} sessions: {}.", several.len(), ids.join(", ")));
                    }
                }
            }
        };
        self.session_view(&id).ok_or_else(|| format!("The log of session {id} is gone."))
    }

    /// The last turn that edited a file of this repository, over all sessions: the newest by its end.
    pub fn last_editing_turn(&self, repo: Option<&Repo>) -> Option<(Arc<SessionView>, u32)> {
        let newest = self.sessions(repo).into_iter().filter_map(|log| {
            let has_edits = |side: &&Arc<LogSummary>| side.files.iter().any(|file| file.edits > 0);
            let sides: Vec<_> = self.logs.sides_of(&log.session).filter(has_edits).collect();
            let (turn, ended) = if sides.is_empty() { log.last_edit? } else { self.last_edit(log, &sides)? };
            Some((ended, log.session.clone(), turn))
        });
        let (_, session, turn) = newest.max_by_key(|(ended, ..)| *ended)?;
        Some((self.session_view(&session)?, turn))
    }

    /// The last turn of a log that edited a file itself or by one of these sub-agents, and when it ended.
    fn last_edit(&self, log: &LogSummary, sides: &[&Arc<LogSummary>]) -> Option<(u32, Option<Timestamp>)> {
        let by_side = |step: &trace::Step| {
            let side = step.result.as_ref().and_then(|result| result.side.as_ref());
            side.is_some() && sides.iter().any(|log| log.owner.as_ref().map(|owner| &owner.side) == side)
        };
        let path = self.logs.load(log.log)?;
        let edited = |turn: &&Arc<Turn>| turn.steps.iter().any(|step| !step.edits().is_empty() || by_side(step));
        path.turns.iter().rev().find(edited).map(|turn| (turn.number, turn.ended))
    }
}

/// The folders that are this repository.
struct Here {
    roots: Vec<String>,
    name: Option<String>,
}

impl Here {
    fn new(repo: &Repo) -> Here {
        let linked = repo.worktrees().into_iter().map(|worktree| worktree.root);
        let all = std::iter::once(repo.root().to_owned()).chain(repo.main_root()).chain(linked);
        let roots = all.map(|root| forward_slashes(&root.to_string_lossy())).collect();
        Here { roots, name: repo.root().file_name().map(|name| name.to_string_lossy().into_owned()) }
    }

    fn holds(&self, path: &LogSummary) -> bool {
        path.cwds.iter().any(|cwd| {
            let spelled = forward_slashes(cwd);
            let below = |root: &String| {
                spelled.strip_prefix(root.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            if self.roots.iter().any(below) {
                return true;
            }
            // A folder of another machine, or one that is gone, with this repository's name.
            let gone = !Path::new(&**cwd).exists();
            let named_alike = spelled.rsplit('/').next() == self.name.as_deref();
            (gone && named_alike)
                || (!gone
                    && self
                        .roots
                        .iter()
                        .any(|root| *root == forward_slashes(&real(Path::new(&**cwd)).to_string_lossy())))
        })
    }
}
