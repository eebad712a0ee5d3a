//! The one owner of what changes while the server runs.
//!
//! Notification handlers write here, from the loop, in the order of arrival. A request takes what it needs as a
//! [`Snapshot`] before its first `.await` and never looks back: later messages do not reach it.

use std::collections::HashSet;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;
use tower_lsp::jsonrpc;
use tower_lsp::lsp_types::{MessageType, WorkspaceFoldersChangeEvent};

use crate::client::Client;
use crate::door::Door;
use crate::engine::Engine;
use crate::log;
use crate::news::News;
use crate::pool::{Cancel, Lane, Pools};
use crate::profile::ClientProfile;
use crate::requests::target::Excluded;
use crate::settings::{Layer, Settings};
use crate::text::{Document, Documents};
use crate::timings::Timings;
use crate::uri::DocumentKey;

pub(crate) struct State {
    pub(crate) client: Client,
    pub(crate) pools: Pools,
    pub(crate) documents: Arc<Documents>,
    pub(crate) door: Arc<Door>,
    /// What the client is to be told of.
    pub(crate) news: News,
    pub(crate) timings: Arc<Timings>,
    tasks: tokio::runtime::Handle,
    inner: RwLock<Inner>,
}

struct Inner {
    profile: Arc<ClientProfile>,
    settings: Arc<Settings>,
    excluded: Arc<Excluded>,
    folders: Arc<Vec<PathBuf>>,
    engine: Arc<Engine>,
    /// From `initializationOptions`.
    initial: Layer,
    /// From `workspace/configuration` or `didChangeConfiguration`; goes over `initial`.
    configured: Layer,
    /// What is wrong with the settings and was not told yet.
    complaints: Vec<String>,
    told: HashSet<String>,
}

/// The world as it was when a request arrived.
#[derive(Clone)]
pub(crate) struct Snapshot {
    pub(crate) profile: Arc<ClientProfile>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) excluded: Arc<Excluded>,
    pub(crate) folders: Arc<Vec<PathBuf>>,
    pub(crate) engine: Arc<Engine>,
    /// What is open, as it is while the request is answered: where a trace leads must follow the newest text.
    pub(crate) documents: Arc<Documents>,
    pub(crate) door: Arc<Door>,
    pub(crate) timings: Arc<Timings>,
    /// Set when the client cancels the request.
    pub(crate) cancel: Cancel,
}

impl State {
    pub(crate) fn new(client: Client, tasks: tokio::runtime::Handle) -> State {
        let inner = Inner {
            profile: Arc::new(ClientProfile::new(&Value::Null)),
            settings: Arc::default(),
            excluded: Arc::new(Excluded::new(&Settings::default())),
            folders: Arc::default(),
            engine: Arc::new(Engine::new(&Settings::default())),
            initial: Layer::default(),
            configured: Layer::default(),
            complaints: Vec::new(),
            told: HashSet::new(),
        };
        State {
            client,
            pools: Pools::start(),
            documents: Arc::default(),
            door: Arc::new(Door::new()),
            news: News::default(),
            timings: Arc::default(),
            tasks,
            inner: RwLock::new(inner),
        }
    }

    /// Takes the raw params of `initialize`.
    pub(crate) fn initialize(&self, params: &Value) {
        let profile = ClientProfile::new(params);
        log::info!("client {:?}, {:?}, {:?}", profile.name, profile.encoding, profile.virtual_docs);
        let mut inner = self.write();
        inner.folders = Arc::new(profile.folders.clone());
        inner.profile = Arc::new(profile);
        let (layer, complaints) = Layer::read(&params["initializationOptions"]);
        inner.initial = layer;
        if inner.settings_changed(complaints).is_none() {
            inner.engine.set(&inner.settings.clone());
        }
    }

    /// Takes the settings that the client holds now.
    pub(crate) fn configure(self: &Arc<Self>, settings: &Value) {
        let (layer, complaints) = Layer::read(settings);
        // Some clients send every server's settings; if nothing in them is for us they are no one's mistake.
        let complaints = if layer.is_empty() && settings.get("turnlens").is_none() { Vec::new() } else { complaints };
        let mut inner = self.write();
        inner.configured = layer;
        let other_logs = inner.settings_changed(complaints);
        let (engine, settings) = (inner.engine.clone(), inner.settings.clone());
        drop(inner);
        if let Some(before) = other_logs {
            let watch = before.stop();
            // Ends a thread, which may take a moment.
            self.pools.start_job(Lane::Background, move || drop(watch));
            for (key, document) in self.documents.all() {
                if let Some(path) = key.file_path() {
                    engine.workspace.buffers.opened(&path, &document.text());
                }
            }
        } else {
            engine.set(&settings);
        }
        self.follow_logs();
        self.news.settings_changed();
    }

    /// Reads the logs and follows them from now on, once, on threads of their own.
    pub(crate) fn follow_logs(self: &Arc<Self>) {
        let snapshot = self.snapshot();
        if snapshot.settings.enable && snapshot.engine.begin_following() {
            crate::news::follow_logs(self, &snapshot.engine);
        }
    }

    /// Tells the person what is wrong with the settings, each thing once in a session.
    pub(crate) fn tell_complaints(&self) {
        let complaints = std::mem::take(&mut self.write().complaints);
        for complaint in complaints {
            self.client.show_message(MessageType::WARNING, complaint);
        }
    }

    pub(crate) fn change_folders(&self, event: &WorkspaceFoldersChangeEvent) {
        let path = |uri: &url::Url| DocumentKey::from_url(uri).file_path();
        let removed: Vec<PathBuf> = event.removed.iter().filter_map(|folder| path(&folder.uri)).collect();
        let added = event.added.iter().filter_map(|folder| path(&folder.uri));
        let mut inner = self.write();
        let kept = inner.folders.iter().filter(|folder| !removed.contains(folder)).cloned();
        let mut folders: Vec<PathBuf> = kept.collect();
        for folder in added {
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        inner.folders = Arc::new(folders);
    }

    pub(crate) fn profile(&self) -> Arc<ClientProfile> {
        self.read().profile.clone()
    }

    /// To be taken before the first `.await`.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let inner = self.read();
        Snapshot {
            profile: inner.profile.clone(),
            settings: inner.settings.clone(),
            excluded: inner.excluded.clone(),
            folders: inner.folders.clone(),
            engine: inner.engine.clone(),
            documents: self.documents.clone(),
            door: self.door.clone(),
            timings: self.timings.clone(),
            cancel: Cancel::current(),
        }
    }

    /// Answers a request: takes the snapshot now, and runs `job` with it in a pool.
    pub(crate) fn answer<T: Send + 'static>(
        &self,
        lane: Lane,
        job: impl FnOnce(&Snapshot) -> T + Send + 'static,
    ) -> BoxFuture<'static, jsonrpc::Result<T>> {
        let snapshot = self.snapshot();
        let cancel = snapshot.cancel.clone();
        let result = self.pools.run(lane, &cancel, move |_| job(&snapshot));
        Box::pin(async move { Ok(result.await?) })
    }

    /// The open document with this URI, as it is now. To be taken before the first `.await`.
    pub(crate) fn document(&self, uri: &url::Url) -> Option<Arc<Document>> {
        self.documents.get(&DocumentKey::from_url(uri))
    }

    /// Runs what must not hold up a handler: above all, asking the client.
    pub(crate) fn detach(&self, what: &'static str, future: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(async move {
            if AssertUnwindSafe(future).catch_unwind().await.is_err() {
                log::error!("{what} failed");
            }
        });
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Gives the engine of before, where other logs are to be read from now on.
    fn settings_changed(&mut self, complaints: Vec<String>) -> Option<Arc<Engine>> {
        self.settings = Arc::new(Settings::from_layers(&[&self.initial, &self.configured]));
        self.excluded = Arc::new(Excluded::new(&self.settings));
        let new = complaints.into_iter().filter(|complaint| self.told.insert(complaint.clone()));
        self.complaints.extend(new);
        if self.engine.reads(&self.settings) {
            return None;
        }
        Some(std::mem::replace(&mut self.engine, Arc::new(Engine::new(&self.settings))))
    }
}
