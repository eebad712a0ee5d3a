//! What is kept between requests: the workspace, and answers that cost something.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dashmap::DashMap;
use trace::Agent;
use workspace::{Env, FileView, Index, Moment, PathMapping, Watch, Workspace};

use crate::answers::documents::Documents;
use crate::requests::code_lens::Rows;
use crate::settings::{LogFolder, Settings};
use crate::text::Document;
use crate::uri::DocumentKey;

/// The logs with everything that was made of them. Replaced as a whole when other folders are to be read.
pub(crate) struct Engine {
    pub(crate) workspace: Workspace,
    pub(crate) documents: Documents,
    /// Who wrote the lines of open documents, each for one version of the text and of the logs.
    views: DashMap<DocumentKey, KnownView>,
    /// The lenses of open documents.
    pub(crate) rows: DashMap<DocumentKey, Rows>,
    reads: Reads,
    following: Mutex<Following>,
}

/// Whether logs are followed as they grow.
#[derive(Default)]
enum Following {
    #[default]
    NotYet,
    Begun,
    By(Watch),
    NoMore,
}

/// Which logs are read.
#[derive(PartialEq, Eq)]
struct Reads {
    enable: bool,
    agents: Option<Vec<String>>,
    folders: Vec<LogFolder>,
}

impl Reads {
    fn of(settings: &Settings) -> Reads {
        Reads { enable: settings.enable, agents: settings.agents.clone(), folders: settings.log_folders.clone() }
    }
}

struct KnownView {
    version: i32,
    generation: u64,
    /// How many buffers had been saved: lines may have gone from one file to another.
    saves: u64,
    view: Arc<FileView>,
}

impl Engine {
    pub(crate) fn new(settings: &Settings) -> Engine {
        let mut env = Env::from_process();
        let folder = |folder: &LogFolder| Some((Agent::from_id(&folder.agent)?, env.expand(&folder.path)));
        env.extra = settings.log_folders.iter().filter_map(folder).collect();
        let agents = match &settings.agents {
            None => Agent::ALL.to_vec(),
            Some(ids) => ids.iter().filter_map(|id| Agent::from_id(id)).collect(),
        };
        let index = match caches::folder("index") {
            Some(folder) => Index::with_cache(env, &agents, &folder),
            None => Index::of_agents(env, &agents),
        };
        Engine {
            workspace: Workspace::new(Arc::new(index), workspace_settings(settings)),
            documents: Documents::default(),
            views: DashMap::new(),
            rows: DashMap::new(),
            reads: Reads::of(settings),
            following: Mutex::default(),
        }
    }

    /// Whether these settings ask for the logs that this engine reads.
    pub(crate) fn reads(&self, settings: &Settings) -> bool {
        self.reads == Reads::of(settings)
    }

    /// Takes settings that do not change which logs are read.
    pub(crate) fn set(&self, settings: &Settings) {
        self.workspace.set(workspace_settings(settings));
        self.forget();
    }

    /// Forgets answers that settings may have changed.
    fn forget(&self) {
        self.views.clear();
        self.rows.clear();
        self.documents.forget();
    }

    /// Whether the logs are to be followed from now on, by whoever asks: true once.
    pub(crate) fn begin_following(&self) -> bool {
        let mut following = self.following();
        let is_first = matches!(*following, Following::NotYet);
        if is_first {
            *following = Following::Begun;
        }
        is_first
    }

    /// Keeps the watch over the logs for as long as the engine lives and they are to be followed.
    pub(crate) fn keep(&self, watch: Watch) {
        let mut following = self.following();
        if matches!(*following, Following::Begun) {
            *following = Following::By(watch);
        }
    }

    /// Follows the logs no more. Whoever drops what is given waits for the end of a thread.
    pub(crate) fn stop(&self) -> Option<Watch> {
        match std::mem::replace(&mut *self.following(), Following::NoMore) {
            Following::By(watch) => Some(watch),
            Following::NotYet | Following::Begun | Following::NoMore => None,
        }
    }

    pub(crate) fn is_followed(&self) -> bool {
        matches!(*self.following(), Following::Begun | Following::By(_))
    }

    fn following(&self) -> MutexGuard<'_, Following> {
        self.following.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who wrote the lines of an open document, a file at `path`.
    pub(crate) fn view_of(
        &self,
        moment: &Moment<'_>,
        key: &DocumentKey,
        path: &Path,
        document: &Document,
    ) -> Arc<FileView> {
        let (version, generation) = (document.version, moment.logs().generation());
        let saves = self.workspace.buffers.saves();
        let make = || Arc::new(moment.open_file(path, &document.text()));
        // While logs are read nobody is named; the generation does not tell the end of that.
        if moment.reading().is_some() {
            return make();
        }
        if let Some(known) = self.views.get(key)
            && (known.version, known.generation, known.saves) == (version, generation, saves)
        {
            return known.view.clone();
        }
        let view = make();
        self.views.insert(key.clone(), KnownView { version, generation, saves, view: view.clone() });
        view
    }

    /// An open document was saved: its lenses may change at once.
    pub(crate) fn saved(&self, key: &DocumentKey) {
        if let Some(mut rows) = self.rows.get_mut(key) {
            rows.saved();
        }
    }

    /// Forgets what was kept for an open document.
    pub(crate) fn closed(&self, key: &DocumentKey) {
        self.views.remove(key);
        self.rows.remove(key);
    }
}

fn workspace_settings(settings: &Settings) -> workspace::Settings {
    let env = Env::from_process();
    let here = |here: &str| env.expand(here).to_string_lossy().into_owned();
    let mapping = |(in_log, to): &(String, String)| PathMapping { in_log: in_log.clone(), here: here(to) };
    workspace::Settings { path_mappings: settings.path_mappings.iter().map(mapping).collect() }
}
