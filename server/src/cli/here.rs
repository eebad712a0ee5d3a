//! Where a command works: the folder, its repository, and every log there is.

use std::cell::Cell;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustc_hash::FxHashSet;
use trace::{Agent, LogId, Timestamp};
use workspace::{Env, Index, LogSummary, Progress, Repo, Settings, Summary, Workspace};

use super::out::Out;
use super::{Globals, not_found, wrong_use};
use crate::answers::{Answers, Frame};
use crate::time::{self, LocalZone};

pub(super) struct Here {
    pub(super) globals: Globals,
    /// Links resolved.
    pub(super) folder: PathBuf,
    /// The repository whose sessions are meant. `None`: all.
    pub(super) repo: Option<Repo>,
    pub(super) frame: Frame,
    pub(super) workspace: Workspace,
    pub(super) out: Out,
    /// Where logs were looked for.
    pub(super) roots: Vec<PathBuf>,
}

/// Reading that takes longer is told on stderr.
const PATIENCE: Duration = Duration::from_millis(700);
/// Lines of a turn that ended less than so many hours ago count as recent.
const RECENT_HOURS: f64 = 24.0;

impl Here {
    /// Reads every log there is.
    pub(super) fn open(globals: Globals) -> anyhow::Result<Here> {
        let env = Env::from_process();
        let index = match caches::folder("index") {
            Some(folder) => Index::with_cache(env.clone(), &Agent::ALL, &folder),
            None => Index::new(env.clone()),
        };
        Here::open_with(globals, env, index)
    }

    pub(super) fn open_with(globals: Globals, env: Env, index: Index) -> anyhow::Result<Here> {
        let folder = folder(globals.folder.as_deref())?;
        let home = env.home.as_ref().map(|home| home.to_string_lossy().into_owned());
        let index = Arc::new(index);
        let roots = index.roots();
        read(&index, globals.quiet);
        let workspace = Workspace::new(index, Settings::default());
        let around = workspace.repo(&folder);
        let repo = match globals.repo.as_deref() {
            None => around.clone(),
            Some(all) if all == Path::new("all") => None,
            Some(path) => {
                let found = workspace.repo(&folder.join(path));
                Some(found.ok_or_else(|| wrong_use(format!("{} is in no git repository", path.display())))?)
            }
        };
        let root = around.as_ref().map_or(&*folder, Repo::root).to_string_lossy().into_owned();
        let frame = Frame {
            now: time::now(),
            zone: LocalZone::system(),
            document: lens::Settings::default(),
            recent_hours: RECENT_HOURS,
            root: Some(root),
            home,
            buffers: None,
        };
        let out = Out::new(&globals);
        Ok(Here { globals, folder, repo, frame, workspace, out, roots })
    }

    pub(super) fn answers(&self) -> Answers<'_> {
        Answers::new(&self.workspace, &self.frame)
    }

    pub(super) fn view(&self) -> lens::View<'_> {
        self.frame.view()
    }

    /// The repository in which the command was started.
    pub(super) fn repo_around(&self) -> anyhow::Result<Repo> {
        let found = self.workspace.repo(&self.folder);
        found.ok_or_else(|| {
            not_found(format!("{} is in no git repository; go into one, or name it with -C", self.folder.display()))
        })
    }

    /// A path as it was typed, from the folder on.
    pub(super) fn path(&self, typed: &Path) -> PathBuf {
        self.folder.join(typed)
    }

    /// The sessions that the options leave, the newest first. A session in several logs is one.
    pub(super) fn sessions<'a>(&self, answers: &'a Answers<'_>) -> Vec<&'a Arc<LogSummary>> {
        let mut seen = FxHashSet::default();
        let all = answers.moment.sessions(self.repo.as_ref()).into_iter();
        let wanted = all.filter(|path| {
            let Globals { agent, since, until, .. } = &self.globals;
            agent.is_none_or(|agent| agent == path.agent)
                && since.is_none_or(|since| path.ended.is_some_and(|ended| ended >= since))
                && until.is_none_or(|until| path.started.is_some_and(|started| started < until))
        });
        wanted.filter(|path| seen.insert(&*path.session)).collect()
    }

    pub(super) fn summary(&self, answers: &Answers<'_>, path: &LogSummary) -> Summary {
        answers.moment.summary(path, self.frame.now)
    }

    /// `None`: the log is gone since it was asked for.
    pub(super) fn summary_of(&self, answers: &Answers<'_>, log: LogId) -> Option<Summary> {
        Some(self.summary(answers, answers.moment.logs().summary(log)?))
    }

    /// Whether the options leave what happened then.
    pub(super) fn is_in_time(&self, at: Option<Timestamp>) -> bool {
        let Globals { since, until, .. } = &self.globals;
        since.is_none_or(|since| at.is_some_and(|at| at >= since))
            && until.is_none_or(|until| at.is_some_and(|at| at < until))
    }

    /// Why there is no session to show.
    pub(super) fn no_sessions(&self, answers: &Answers<'_>) -> String {
        let elsewhere = answers.moment.logs().sessions().count();
        if elsewhere == 0 {
            return self.no_logs();
        }
        let Globals { agent, since, until, .. } = &self.globals;
        if agent.is_some() || since.is_some() || until.is_some() {
            return "No session is left by --agent, --since and --until.".into();
        }
        let sessions = lens::count(elsewhere as u64, "session");
        format!("No agent has worked in this folder yet. {sessions} of other folders: turnlens sessions --repo all")
    }

    /// The words for a machine without any log.
    pub(super) fn no_logs(&self) -> String {
        let places: Vec<String> = self.roots.iter().map(|root| self.shown(root)).collect();
        let places: Vec<&str> = places.iter().map(String::as_str).collect();
        let words = lens::no_sessions(&places);
        match places.is_empty() {
            true => format!("{words} HOME is not set, so there is no place to look in; set HOME or CLAUDE_CONFIG_DIR."),
            false => format!("{words} turnlens doctor says more; turnlens demo shows what it is like."),
        }
    }

    /// A path as people read it: below the home folder with `~`, harmless to show.
    pub(super) fn shown(&self, path: &Path) -> String {
        let text = path.to_string_lossy();
        lens::clean(&lens::View { root: None, ..self.view() }.path(&text)).into_owned()
    }
}

/// The folder that the command works in: `-C DIR`, else where it was started.
pub(super) fn folder(chosen: Option<&Path>) -> anyhow::Result<PathBuf> {
    let here = || std::env::current_dir().context("the folder that turnlens was started in is gone");
    let Some(chosen) = chosen else { return here() };
    let folder = if chosen.is_absolute() { chosen.to_owned() } else { here()?.join(chosen) };
    match folder.metadata() {
        Ok(meta) if meta.is_dir() => Ok(folder),
        Ok(_) => Err(wrong_use(format!("{} is not a folder", chosen.display()))),
        Err(error) => Err(wrong_use(format!("cannot go to {}: {error}", chosen.display()))),
    }
}

/// Reads all logs. Where that takes long and a person looks on, says how far it is.
fn read(index: &Index, quiet: bool) {
    let began = Instant::now();
    let is_told = Mutex::new(Cell::new(false));
    let progress = |Progress { done, total }: Progress| {
        if quiet || began.elapsed() < PATIENCE || !std::io::stderr().is_terminal() {
            return;
        }
        let total = lens::count(total as u64, "log");
        _ = write!(std::io::stderr(), "\rReading: {} of {total} ", lens::thousands(done as u64));
        is_told.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).set(true);
    };
    index.refresh(&progress);
    if is_told.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()).get() {
        _ = write!(std::io::stderr(), "\r\x1b[K");
    }
}
