//! What is kept between requests: the workspace, and answers that cost something.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dashmap::DashMap;
use trace::Agent;
use workspace::{Env, FileView, Index, PathMapping, Watch, Workspace};

use crate::answers::documents::Documents;
use crate::requests::code_lens::Rows;
use crate::settings::{LogFolder, Settings};
use crate::uri::DocumentKey;

/// The logs with everything that was made of them. Replaced as a whole when other folders are to be read.
pub(crate) struct Engine {
    pub(crate) workspace: Workspace,
    pub(crate) documents: Documents,
    /// Who wrote the lines of open documents, each for one version of the text and of the logs.
    views: DashMap<DocumentKey, KnownView>,
    /// The lenses of open documents.
    pub(crate) rows: DashMap<DocumentKey, Rows>,
    log_folders: Vec<LogFolder>,
    watch: Mutex<Option<Watch>>,
}

struct KnownView {
    version: i32,
    generation: u64,
    view: Arc<FileView>,
}

impl Engine {
    pub(crate) fn new(settings: &Settings) -> Engine {
        let mut env = Env::from_process();
        let folder = |folder: &LogFolder| Some((Agent::from_id(&folder.agent)?, PathBuf::from(&folder.path)));
        env.extra = settings.log_folders.iter().filter_map(folder).collect();
        Engine {
            workspace: Workspace::new(Arc::new(Index::new(env)), workspace_settings(settings)),
            documents: Documents::default(),
            views: DashMap::new(),
            rows: DashMap::new(),
            log_folders: settings.log_folders.clone(),
            watch: Mutex::default(),
        }
    }

    /// Whether these settings ask for the logs that this engine reads.
    pub(crate) fn reads(&self, settings: &Settings) -> bool {
        self.log_folders == settings.log_folders
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

    /// Keeps the watch over the logs for as long as the engine lives.
    pub(crate) fn keep(&self, watch: Watch) {
        *self.watch() = Some(watch);
    }

    /// Stops following the logs.
    pub(crate) fn stop(&self) {
        // Not under the lock: the end of a watch waits for its thread.
        let watch = self.watch().take();
        drop(watch);
    }

    pub(crate) fn is_followed(&self) -> bool {
        self.watch().is_some()
    }

    fn watch(&self) -> MutexGuard<'_, Option<Watch>> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer for this version of an open document, made by `make` where it is not known.
    pub(crate) fn view_of(
        &self,
        key: &DocumentKey,
        version: i32,
        generation: u64,
        make: impl FnOnce() -> FileView,
    ) -> Arc<FileView> {
        if let Some(known) = self.views.get(key)
            && (known.version, known.generation) == (version, generation)
        {
            return known.view.clone();
        }
        let view = Arc::new(make());
        self.views.insert(key.clone(), KnownView { version, generation, view: view.clone() });
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
    let mapping = |(in_log, here): &(String, String)| PathMapping { in_log: in_log.clone(), here: here.clone() };
    workspace::Settings { path_mappings: settings.path_mappings.iter().map(mapping).collect() }
}
