//! Documents that are no files: from a name to its text and everything that belongs to it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lens::{
    DocumentId, Explanation, FileDiff, Form, LineHistory, Live, Part, Rendered, SearchResults, SessionList, SessionRow,
    SessionState, file_key, line_key, search_key,
};
use trace::{DerivedPath, StepAt, StepKind};
use workspace::{LogSummary, SessionView};

use super::Answers;

/// Texts of all kept documents together, in bytes.
const MOST_BYTES: usize = 32 << 20;
/// Histories, explanations and results of searches that are remembered.
const MOST_NAMES: usize = 256;

/// A rendered document.
pub(crate) struct Page {
    pub(crate) id: DocumentId,
    /// For the last part of its URI.
    pub(crate) name: String,
    pub(crate) rendered: Rendered,
    /// The session that it is a part of.
    pub(crate) session: Option<Arc<SessionView>>,
    /// Of the text.
    pub(crate) hash: u64,
    /// Where lines begin, in bytes.
    starts: Vec<usize>,
}

impl Page {
    fn new(id: DocumentId, name: String, rendered: Rendered, session: Option<Arc<SessionView>>) -> Page {
        let hash = hash_of(&rendered.text);
        let ends = memchr::memchr_iter(b'\n', rendered.text.as_bytes()).map(|at| at + 1);
        let starts = std::iter::once(0).chain(ends).collect();
        Page { id, name, rendered, session, hash, starts }
    }

    /// A line from 0, without its end; empty beyond the text.
    pub(crate) fn line(&self, line: u32) -> &str {
        let at = |line: usize| self.starts.get(line).copied();
        let Some(start) = at(line as usize) else { return "" };
        let end = at(line as usize + 1).map_or(self.rendered.text.len(), |next| next - 1);
        self.rendered.text.get(start..end).unwrap_or_default()
    }
}

/// What a document named by a key shows: the answer to a question that was asked.
#[derive(Clone, Debug)]
pub(crate) enum Named {
    History(LineHistory),
    Explained(Explanation),
    Found(SearchResults),
}

impl Named {
    fn id(&self) -> DocumentId {
        match self {
            Named::History(asked) => DocumentId::LineHistory { key: line_key(&asked.path, asked.from, asked.to) },
            Named::Explained(asked) => DocumentId::Explanation { key: line_key(&asked.path, asked.line, asked.line) },
            Named::Found(found) => DocumentId::Search { key: search_key(&found.query) },
        }
    }

    /// For the last part of its URI.
    fn name(&self) -> String {
        match self {
            Named::History(asked) => place_name(&asked.path, asked.from),
            Named::Explained(asked) => place_name(&asked.path, asked.line),
            Named::Found(found) => found.query.clone().into(),
        }
    }
}

/// Rendered documents, and what keys in names of documents stand for.
#[derive(Default)]
pub(crate) struct Documents {
    kept: Mutex<Kept>,
    named: Mutex<Vec<(DocumentId, Named)>>,
}

#[derive(Default)]
struct Kept {
    pages: HashMap<DocumentId, KeptPage>,
    clock: u64,
}

struct KeptPage {
    page: Arc<Page>,
    made_of: MadeOf,
    used: u64,
}

/// What a rendered trace depends on.
#[derive(Clone)]
struct MadeOf {
    logs: Vec<Arc<DerivedPath>>,
    live: Option<Live>,
    settings: lens::Settings,
    inherited: Option<u32>,
}

impl PartialEq for MadeOf {
    fn eq(&self, other: &MadeOf) -> bool {
        let same_logs = self.logs.len() == other.logs.len()
            && self.logs.iter().zip(&other.logs).all(|(one, other)| Arc::ptr_eq(one, other));
        same_logs && (&self.live, self.settings, self.inherited) == (&other.live, other.settings, other.inherited)
    }
}

impl Documents {
    pub(crate) fn forget(&self) {
        self.kept().pages.clear();
    }

    /// Remembers an answer, so that its document can be opened. The oldest are forgotten.
    pub(crate) fn name(&self, named: Named) -> (DocumentId, String) {
        let (id, name) = (named.id(), named.name());
        let mut known = self.named();
        known.retain(|(other, _)| *other != id);
        if known.len() >= MOST_NAMES {
            known.remove(0);
        }
        known.push((id.clone(), named));
        (id, name)
    }

    fn named_by(&self, id: &DocumentId) -> Option<Named> {
        self.named().iter().find(|(known, _)| known == id).map(|(_, named)| named.clone())
    }

    fn get(&self, id: &DocumentId, made_of: &MadeOf) -> Option<Arc<Page>> {
        let mut kept = self.kept();
        kept.clock += 1;
        let now = kept.clock;
        let known = kept.pages.get_mut(id).filter(|known| known.made_of == *made_of)?;
        known.used = now;
        Some(known.page.clone())
    }

    fn put(&self, page: &Arc<Page>, made_of: MadeOf) {
        let mut kept = self.kept();
        let used = kept.clock;
        kept.pages.insert(page.id.clone(), KeptPage { page: page.clone(), made_of, used });
        let mut bytes: usize = kept.pages.values().map(|known| known.page.rendered.text.len()).sum();
        while bytes > MOST_BYTES && kept.pages.len() > 1 {
            let oldest = kept.pages.iter().min_by_key(|(_, known)| known.used).map(|(id, _)| id.clone());
            let Some(gone) = oldest.and_then(|id| kept.pages.remove(&id)) else { return };
            bytes -= gone.page.rendered.text.len();
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn named(&self) -> MutexGuard<'_, Vec<(DocumentId, Named)>> {
        self.named.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answers<'_> {
    /// A document as it is now. `None`: there is no such document, or no longer.
    pub(crate) fn page(&self, documents: &Documents, id: &DocumentId) -> Option<Arc<Page>> {
        match id {
            DocumentId::Trace { session, part, .. } => self.trace_page(documents, id, session, part),
            DocumentId::Sessions { repository, helpers } => {
                let list = self.session_list(repository, *helpers)?;
                let rendered = lens::session_list(&list, &self.frame.view());
                Some(Arc::new(Page::new(id.clone(), "sessions".into(), rendered, None)))
            }
            DocumentId::Commit { id: commit } => {
                let rendered = self.commit_page(commit)?;
                Some(Arc::new(Page::new(id.clone(), String::new(), rendered, None)))
            }
            DocumentId::Blob { id: blob } => {
                let rendered = Rendered { text: self.blob_text(blob)?, ..Rendered::default() };
                Some(Arc::new(Page::new(id.clone(), String::new(), rendered, None)))
            }
            DocumentId::LineHistory { .. } | DocumentId::Explanation { .. } | DocumentId::Search { .. } => {
                let view = self.frame.view();
                let named = documents.named_by(id)?;
                let rendered = match &named {
                    Named::History(asked) => lens::line_history(asked, &view),
                    Named::Explained(asked) => lens::explanation(asked, &view),
                    Named::Found(found) => lens::search_results(found, &view),
                };
                Some(Arc::new(Page::new(id.clone(), named.name(), rendered, None)))
            }
        }
    }

    /// The session with this key in the names of documents.
    pub(crate) fn session_of_key(&self, key: &str) -> Option<Arc<SessionView>> {
        if let Some(view) = self.moment.session_view(key) {
            return Some(view);
        }
        let mut all = self.moment.logs().sessions();
        let found = all.find(|path| *lens::session_key(&path.session) == *key)?;
        self.moment.session_view(&found.session)
    }

    fn trace_page(&self, documents: &Documents, id: &DocumentId, key: &str, part: &Part) -> Option<Arc<Page>> {
        let view = self.session_of_key(key)?;
        let name = self.part_name(&view, part);
        match part {
            Part::File { turn, steps, moment, file } => {
                let at = view.session.step(*turn, steps)?;
                let text = self.file_text(&view, &at, *moment, *file)?;
                let rendered = Rendered { text, ..Rendered::default() };
                return Some(Arc::new(Page::new(id.clone(), name, rendered, Some(view))));
            }
            Part::Changes { turn, steps, form: Form::Now } => {
                let rendered = self.changes_now(&view, *turn, steps)?;
                return Some(Arc::new(Page::new(id.clone(), name, rendered, Some(view))));
            }
            _ => {}
        }
        let live = self.live(&view);
        let mut logs = vec![view.session.path.clone()];
        logs.extend(self.moment.logs().load_sides(&view.session.path.session));
        let inherited = view.session.inherited.as_ref().map(|(turns, _)| *turns);
        let made_of = MadeOf { logs, live: live.clone(), settings: self.frame.document, inherited };
        if let Some(page) = documents.get(id, &made_of) {
            return Some(page);
        }
        let root = self.root_of(&view);
        let shown = lens::View { root: root.as_deref(), live: live.as_ref(), ..self.frame.view() };
        let source = lens::Source { session: &view.session, bodies: self.moment.bodies(), view: shown };
        let rendered = lens::render(&source, part)?;
        let page = Arc::new(Page::new(id.clone(), name, rendered, Some(view.clone())));
        documents.put(&page, made_of);
        Some(page)
    }

    /// What a running session does at this moment.
    pub(crate) fn live(&self, view: &SessionView) -> Option<Live> {
        let path = &view.session.path;
        let summary = self.moment.logs().summary(path.log)?;
        if !self.moment.summary(summary, self.frame.now).live {
            return None;
        }
        let since = path.ended.or(path.started)?;
        let waiting = path.turns.last().and_then(|turn| turn.steps.last()).filter(|step| step.result.is_none());
        let Some(step) = waiting.filter(|step| step.call.is_some()) else {
            return Some(Live::Working { what: "".into(), since });
        };
        let tool = step.tool.as_deref().unwrap_or_default();
        let since = step.at.unwrap_or(since);
        if matches!(tool, "AskUserQuestion" | "ExitPlanMode") {
            return Some(Live::Waits { since });
        }
        let subject = match step.kind {
            StepKind::Command => step.text.head.lines().next().unwrap_or_default(),
            _ => step.files.first().map(|path| &**path).unwrap_or_default(),
        };
        Some(Live::Working { what: format!("{tool} {subject}").trim_end().into(), since })
    }

    /// The folder that a session's paths are shown relative to: its repository's.
    pub(crate) fn root_of(&self, view: &SessionView) -> Option<String> {
        let cwd = view.session.path.cwd.as_deref()?;
        let folder = Path::new(cwd);
        let repo = folder.is_dir().then(|| self.workspace.repo(folder)).flatten();
        let root = repo.map(|repo| repo.root().to_owned()).filter(|root| folder.starts_with(root));
        Some(root.map_or_else(|| cwd.to_owned(), |root| root.to_string_lossy().into_owned()))
    }

    /// How a path that a session spells is shown in its documents.
    pub(crate) fn shown_path(&self, view: &SessionView, spelled: &str) -> String {
        let root = self.root_of(view);
        lens::View { root: root.as_deref(), ..self.frame.view() }.path(spelled).into_owned()
    }

    /// The name for the last part of a document's URI: a title or a file name.
    fn part_name(&self, view: &SessionView, part: &Part) -> String {
        let path = &view.session.path;
        match part {
            Part::Turn(turn) | Part::Prompt(turn) => path.turn(*turn).map_or("", |turn| &turn.title).to_owned(),
            Part::Side { turn, steps } => {
                let step = view.session.step(*turn, steps);
                step.and_then(|at| at.step.detail.clone()).unwrap_or_default().into_string()
            }
            Part::File { turn, steps, file, .. } => {
                let at = view.session.step(*turn, steps);
                at.and_then(|at| self.spelled(view, &at, *file)).unwrap_or_default()
            }
            _ => path.title().to_owned(),
        }
    }

    /// The document of a part of a session, with the name for its URI.
    pub(crate) fn named_part(&self, view: &SessionView, part: Part) -> (DocumentId, String) {
        let name = self.part_name(view, &part);
        let path = &view.session.path;
        (DocumentId::Trace { agent: path.agent, session: lens::session_key(&path.session), part }, name)
    }

    /// The document of a file before or after a step.
    pub(crate) fn named_file(
        &self,
        view: &SessionView,
        at: (u32, &[u32]),
        moment: lens::Moment,
        spelled: &str,
    ) -> (DocumentId, String) {
        let file = file_key(&self.shown_path(view, spelled));
        self.named_part(view, Part::File { turn: at.0, steps: at.1.to_vec(), moment, file })
    }

    /// The path by which a step calls the file with this key.
    fn spelled(&self, view: &SessionView, at: &StepAt<'_>, file: u32) -> Option<String> {
        let result = at.step.result.as_ref()?;
        let mut paths = result.edits.iter().map(|edit| &edit.path).chain(&result.whole_read);
        paths.find(|path| file_key(&self.shown_path(view, path)) == file).map(|path| path.to_string())
    }

    fn file_text(&self, view: &SessionView, at: &StepAt<'_>, moment: lens::Moment, file: u32) -> Option<String> {
        let spelled = self.spelled(view, at, file)?;
        let (before, after) = self.moment.file_at(&view.session, at, &spelled)?;
        Some(match moment {
            lens::Moment::Before => before.unwrap_or_default(),
            lens::Moment::After => after,
        })
    }

    /// What of a turn's or step's changes still stands: the text now against the text now without them.
    fn changes_now(&self, view: &SessionView, turn: u32, steps: &[u32]) -> Option<Rendered> {
        let at = self.steps_of(view, turn, steps)?;
        let standing = self.moment.standing(view, &at, &|path| self.buffer(path));
        let diff = |file: &workspace::Standing| FileDiff {
            path: file.here.to_string_lossy().into(),
            hunks: lens::between(&file.without, &file.now),
            ..FileDiff::default()
        };
        let files: Vec<FileDiff> = standing.iter().map(diff).filter(|file| !file.hunks.is_empty()).collect();
        let title = match steps {
            [] => format!("Turn {turn} · {}", view.session.path.turn(turn)?.title),
            _ => format!("Step {}", lens::StepRef { turn, steps: steps.to_vec() }.label()),
        };
        Some(lens::changes(&self.frame.view(), &format!("{title} · now"), &files))
    }

    /// One step, or all steps of a turn.
    pub(crate) fn steps_of<'v>(&self, view: &'v SessionView, turn: u32, steps: &[u32]) -> Option<Vec<StepAt<'v>>> {
        let turn = view.session.path.turn(turn)?;
        let mut all = Vec::new();
        match steps {
            [] => view.session.steps_of(turn, &mut all),
            _ => all.push(view.session.step(turn.number, steps)?),
        }
        Some(all)
    }

    /// The sessions that worked in the repository (or folder) with this key.
    fn session_list(&self, key: &str, _with_helpers: bool) -> Option<SessionList> {
        let root = self.frame.root.as_deref()?;
        if *lens::repository_key(root) != *key {
            return None;
        }
        let repo = self.workspace.repo(Path::new(root));
        let rows = self.moment.sessions(repo.as_ref()).into_iter().map(|path| self.session_row(path)).collect();
        let worktrees = repo.map_or(1, |repo| repo.worktrees().len() + 1);
        let repository = root.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or(root);
        Some(SessionList {
            repository: repository.into(),
            worktrees: u32::try_from(worktrees).unwrap_or(u32::MAX),
            rows,
            ..SessionList::default()
        })
    }

    /// A session as lists tell it.
    pub(crate) fn session_row(&self, path: &LogSummary) -> SessionRow {
        let summary = self.moment.summary(path, self.frame.now);
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let state = if summary.live { SessionState::Working } else { SessionState::Done };
        SessionRow {
            session: (*path.session).into(),
            document: DocumentId::Trace {
                agent: path.agent,
                session: lens::session_key(&path.session),
                part: Part::Session,
            },
            state,
            agent: path.agent.short().into(),
            title: summary.title,
            retries: 0,
            started: summary.started,
            ended: summary.ended.filter(|_| !summary.live),
            turns: clamp(summary.turns),
            files: clamp(summary.files),
            added: u32::try_from(summary.added).unwrap_or(u32::MAX),
            removed: u32::try_from(summary.removed).unwrap_or(u32::MAX),
            worktree: None,
        }
    }
}

/// A text's hash, to know it again in this process.
pub(crate) fn hash_of(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// `loader.rs:41`
fn place_name(path: &str, line: u32) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    format!("{name}:{line}")
}
