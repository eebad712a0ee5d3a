//! What the client is told of its own accord: sessions were read, lenses and documents are to be asked for anew.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::Notify;
use tower_lsp::lsp_types::notification::{Notification, Progress as ProgressNotification};
use tower_lsp::lsp_types::request::{
    CodeLensRefresh, InlayHintRefreshRequest, Request, SemanticTokensRefresh, WorkDoneProgressCreate,
};
use tower_lsp::lsp_types::{
    NumberOrString, ProgressParams, ProgressParamsValue, WorkDoneProgress, WorkDoneProgressBegin,
    WorkDoneProgressCreateParams, WorkDoneProgressEnd, WorkDoneProgressReport,
};
use workspace::Moment;

use crate::answers::Answers;
use crate::client::Client;
use crate::engine::Engine;
use crate::log;
use crate::pool::{Lane, lower_priority};
use crate::profile::VirtualDocs;
use crate::requests::target::Target;
use crate::state::{Snapshot, State};
use crate::uri::DocumentKey;

/// Between two rounds of news.
const PAUSE: Duration = Duration::from_millis(200);
/// Rows of lenses change so long after the last key.
pub(crate) const TYPING: Duration = Duration::from_secs(1);
/// Reading that takes no longer is nobody's concern.
const SHORT_READING: Duration = Duration::from_secs(2);
const PROGRESS_PAUSE: Duration = Duration::from_millis(500);
/// Stands for the hash of a document whose log was not read yet: any text is another.
const NO_TEXT: u64 = 0;

#[derive(Default)]
pub(crate) struct News {
    something: Notify,
    lenses: AtomicBool,
    settings: AtomicBool,
    /// Counts changes of documents, to know the last one.
    changes: AtomicU64,
    told: Mutex<Told>,
}

/// What the client was told last.
#[derive(Default)]
struct Told {
    generation: u64,
    sessions: usize,
    reading: Option<(usize, usize)>,
    live: Value,
    /// The texts of our open documents, as hashes.
    texts: HashMap<DocumentKey, u64>,
}

impl News {
    /// Logs were read.
    fn logs_changed(&self) {
        self.something.notify_one();
    }

    /// Lenses may be others now although no log changed.
    pub(crate) fn lenses_changed(&self) {
        self.lenses.store(true, Ordering::Relaxed);
        self.something.notify_one();
    }

    pub(crate) fn settings_changed(&self) {
        self.settings.store(true, Ordering::Relaxed);
        self.lenses_changed();
    }

    /// The client has this text of a document of ours.
    pub(crate) fn has(&self, key: DocumentKey, hash: u64) {
        self.told().texts.insert(key, hash);
    }

    /// The client was told that this document is not known yet.
    pub(crate) fn awaits(&self, key: DocumentKey) {
        self.has(key, NO_TEXT);
    }

    pub(crate) fn closed(&self, key: &DocumentKey) {
        self.told().texts.remove(key);
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A document was changed: its lenses may change when nobody has typed for a moment.
    pub(crate) fn typed(self: &Arc<Self>) {
        let this = self.news.changes.fetch_add(1, Ordering::Relaxed) + 1;
        if !self.profile().refresh.code_lens {
            return;
        }
        let state = self.clone();
        self.detach("the end of typing", async move {
            tokio::time::sleep(TYPING).await;
            if state.news.changes.load(Ordering::Relaxed) == this {
                state.news.lenses_changed();
            }
        });
    }
}

/// Reads all logs, on a thread of its own at low priority, and follows them as they grow.
pub(crate) fn follow_logs(state: &Arc<State>, engine: &Arc<Engine>) {
    let tell = Arc::downgrade(state);
    let changed = move |_| {
        if let Some(state) = tell.upgrade() {
            state.news.logs_changed();
        }
    };
    tell_progress(state, engine);
    let (state, engine, folders) = (state.clone(), engine.clone(), state.snapshot().folders.clone());
    let read = move || {
        let index = engine.workspace.index();
        let began = Instant::now();
        // What an earlier server knew is there before anything is looked for.
        index.restore();
        state.news.logs_changed();
        // Watched before it is read: what changes between the two is read by the second.
        engine.keep(index.watch(Box::new(changed)));
        lower_priority();
        index.refresh_first(&folders, &|_| state.news.logs_changed());
        state.timings.set_reading(began.elapsed());
        state.news.lenses_changed();
        drop(state);
        index.save();
        make_filters(&engine);
    };
    if let Err(error) = std::thread::Builder::new().name("turnlens-reading".into()).spawn(read) {
        log::error!("the logs are not read: {error}");
    }
}

/// Makes what searches are fast by.
pub(crate) fn make_filters(engine: &Engine) {
    let folder = caches::folder("search");
    match engine.workspace.make_filters(folder, &|| !engine.is_followed()) {
        Ok(made) => log::info!("filters: {} logs from the cache, {} bytes read", made.loaded, made.read),
        Err(error) => log::error!("filters are not kept: {error}"),
    }
}

/// Tells the client for as long as it stays: at most every 200 ms, and only what changed.
pub(crate) fn start(state: &Arc<State>) {
    let told = state.clone();
    state.detach("telling the client what changed", async move {
        loop {
            told.news.something.notified().await;
            let lenses = told.news.lenses.swap(false, Ordering::Relaxed);
            let state = told.clone();
            let work = told.answer(Lane::Background, move |asked| tell(&state, asked, lenses));
            if let Err(error) = work.await {
                log::error!("the client was not told what changed: {}", error.message);
            }
            tokio::time::sleep(PAUSE).await;
        }
    });
}

fn tell(state: &Arc<State>, asked: &Snapshot, lenses: bool) {
    let moment = asked.engine.workspace.moment();
    let (generation, reading) = (moment.logs().generation(), moment.reading());
    let sessions = moment.logs().sessions().count();
    let (grown, news) = {
        let mut told = state.news.told();
        let grown = told.generation != generation;
        let news = (told.sessions, told.reading) != (sessions, reading) || (grown && sessions > 0);
        (told.generation, told.sessions, told.reading) = (generation, sessions, reading);
        (grown, news)
    };
    if asked.profile.knows_us() && news {
        state.client.notify::<SessionsChanged>(json!({ "sessions": sessions, "reading": reading_json(reading) }));
    }
    if asked.profile.knows_us() && grown && reading.is_none() {
        tell_live(state, asked, &moment);
    }
    let open = state.documents.all();
    if open.is_empty() || !(grown || lenses) {
        return;
    }
    if reading.is_none() || !asked.settings.enable {
        refresh_lenses(state, asked);
    }
    for (key, document) in open {
        refresh_document(state, asked, &key, &document.uri);
    }
}

pub(crate) fn reading_json(reading: Option<(usize, usize)>) -> Value {
    reading.map_or(Value::Null, |(done, total)| json!({ "done": done, "total": total }))
}

fn tell_live(state: &State, asked: &Snapshot, moment: &Moment<'_>) {
    let frame = asked.frame(None);
    let answers = Answers::new(&asked.engine.workspace, &frame);
    let live = asked.live_sessions(&answers, moment);
    let before = std::mem::replace(&mut state.news.told().live, live.clone());
    let nothing = |live: &Value| live.as_array().is_none_or(Vec::is_empty);
    if before != live && !(nothing(&before) && nothing(&live)) {
        state.client.notify::<LiveChanged>(json!({ "live": live }));
    }
}

fn refresh_lenses(state: &Arc<State>, asked: &Snapshot) {
    let refresh = asked.profile.refresh;
    // What was switched off must go, too.
    let switched = state.news.settings.swap(false, Ordering::Relaxed);
    let inlay = refresh.inlay_hint && (asked.settings.inlay_hints || switched);
    if refresh.code_lens {
        ask::<CodeLensRefresh>(state, ());
    }
    if inlay {
        ask::<InlayHintRefreshRequest>(state, ());
    }
}

/// Has a document of ours asked for anew if its text is another.
fn refresh_document(state: &Arc<State>, asked: &Snapshot, key: &DocumentKey, uri: &str) {
    let Ok(url) = url::Url::parse(uri) else { return };
    let Target::Ours(id) = state.target(&url) else { return };
    let Some(page) = asked.page(&id) else {
        return refresh_awaited(state, asked, key, uri);
    };
    let before = state.news.told().texts.insert(key.clone(), page.hash);
    if before.is_none_or(|before| before == page.hash) {
        return;
    }
    if key.scheme() == "file" {
        if let Err(error) = asked.door.write(&id, &page.name, &page.rendered.text) {
            log::warning!("a document is not up to date: {error}");
        }
    } else {
        refresh_text(state, asked, uri);
    }
    if asked.profile.refresh.folding_range {
        ask::<FoldingRangeRefresh>(state, ());
    }
    if asked.profile.refresh.semantic_tokens {
        ask::<SemanticTokensRefresh>(state, ());
    }
}

/// Has a document asked for anew that was waited for, once everything is read and it is not there.
fn refresh_awaited(state: &Arc<State>, asked: &Snapshot, key: &DocumentKey, uri: &str) {
    let is_read = asked.engine.workspace.moment().reading().is_none();
    if is_read && state.news.told().texts.get(key) == Some(&NO_TEXT) {
        state.news.closed(key);
        refresh_text(state, asked, uri);
    }
}

/// Has the text of a document that is no file asked for anew.
fn refresh_text(state: &Arc<State>, asked: &Snapshot, uri: &str) {
    match asked.profile.virtual_docs {
        VirtualDocs::Standard => ask::<ContentRefresh>(state, json!({ "uri": uri })),
        VirtualDocs::Custom => state.client.notify::<OwnContentRefresh>(json!({ "uri": uri })),
        VirtualDocs::Files => {}
    }
}

/// Asks the client for something whose answer says nothing.
fn ask<R: Request<Result = ()>>(state: &Arc<State>, params: R::Params)
where
    R::Params: Send + 'static,
{
    let client = state.client.clone();
    state.detach(R::METHOD, async move {
        if let Err(error) = client.ask::<R>(params).await {
            log::debug!("{}: {error:?}", R::METHOD);
        }
    });
}

/// Shows the progress of the first reading, where that takes long.
fn tell_progress(state: &Arc<State>, engine: &Arc<Engine>) {
    if !state.profile().work_done_progress {
        return;
    }
    let (client, engine) = (state.client.clone(), engine.clone());
    state.detach("the progress of reading", async move {
        tokio::time::sleep(SHORT_READING).await;
        let reading = || engine.workspace.moment().reading();
        if reading().is_none() {
            return;
        }
        let token = NumberOrString::String("turnlens/reading".into());
        let create = WorkDoneProgressCreateParams { token: token.clone() };
        if client.ask::<WorkDoneProgressCreate>(create).await.is_err() {
            return;
        }
        let begin = WorkDoneProgressBegin { title: "Turnlens reads logs".into(), ..Default::default() };
        show_progress(&client, &token, WorkDoneProgress::Begin(begin));
        while let Some((done, total)) = reading() {
            let percentage = u32::try_from(done * 100 / total.max(1)).ok();
            let message = Some(format!("{done} of {total}"));
            let report = WorkDoneProgressReport { cancellable: None, message, percentage };
            show_progress(&client, &token, WorkDoneProgress::Report(report));
            tokio::time::sleep(PROGRESS_PAUSE).await;
        }
        show_progress(&client, &token, WorkDoneProgress::End(WorkDoneProgressEnd::default()));
    });
}

fn show_progress(client: &Client, token: &NumberOrString, progress: WorkDoneProgress) {
    let params = ProgressParams { token: token.clone(), value: ProgressParamsValue::WorkDone(progress) };
    client.notify::<ProgressNotification>(params);
}

enum SessionsChanged {}
enum LiveChanged {}
enum OwnContentRefresh {}
enum ContentRefresh {}
enum FoldingRangeRefresh {}

impl Notification for SessionsChanged {
    type Params = Value;
    const METHOD: &'static str = "turnlens/didChangeSessions";
}

impl Notification for LiveChanged {
    type Params = Value;
    const METHOD: &'static str = "turnlens/liveChanged";
}

impl Notification for OwnContentRefresh {
    type Params = Value;
    const METHOD: &'static str = "turnlens/textDocumentContent/refresh";
}

impl Request for ContentRefresh {
    type Params = Value;
    type Result = ();
    const METHOD: &'static str = "workspace/textDocumentContent/refresh";
}

impl Request for FoldingRangeRefresh {
    type Params = ();
    type Result = ();
    const METHOD: &'static str = "workspace/foldingRange/refresh";
}
