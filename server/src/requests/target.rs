//! What a request is about, and what every request needs of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::{Glob, GlobSet, GlobSetBuilder};
use lens::{DocumentId, Part, SCHEME};
use serde_json::{Value, json};
use tower_lsp::lsp_types::{Location, Position, Range};
use url::Url;
use workspace::{FileView, Moment, SessionView};

use crate::answers::documents::Page;
use crate::answers::{Answers, Buffers, Frame};
use crate::engine::Engine;
use crate::log;
use crate::profile::VirtualDocs;
use crate::settings::{Settings, Thinking};
use crate::state::{Snapshot, State};
use crate::text::{Document, Documents, byte_at, column_of};
use crate::time::{LocalZone, now};
use crate::uri::DocumentKey;

/// Files with more lines get no lens and no hover.
const MOST_LINES: usize = 20_000;

/// Files without lens and hover, by name.
pub(crate) struct Excluded(GlobSet);

impl Excluded {
    pub(crate) fn new(settings: &Settings) -> Excluded {
        let mut globs = GlobSetBuilder::new();
        for glob in &settings.exclude {
            // A wrong one was told of where the settings were read.
            if let Ok(glob) = Glob::new(glob) {
                globs.add(glob);
            }
        }
        Excluded(globs.build().unwrap_or_else(|error| {
            log::warning!("files.exclude: {error}");
            GlobSet::empty()
        }))
    }

    fn holds(&self, path: &Path) -> bool {
        self.0.is_match(path)
    }
}

/// The document that a request names.
pub(crate) enum Target {
    /// One of ours, by either of its names.
    Ours(DocumentId),
    Code(CodeTarget),
    /// Nothing that anything is known of: an unsaved buffer, another program's document.
    Other,
}

/// A file, with its buffer if it is open.
pub(crate) struct CodeTarget {
    key: DocumentKey,
    pub(crate) uri: Url,
    pub(crate) path: PathBuf,
    open: Option<Arc<Document>>,
}

/// A file with who wrote its lines.
pub(crate) struct Code {
    pub(crate) uri: Url,
    pub(crate) document: Arc<Document>,
    pub(crate) view: Arc<FileView>,
    pub(crate) is_excluded: bool,
}

impl State {
    pub(crate) fn target(&self, uri: &Url) -> Target {
        if uri.scheme() == SCHEME {
            return DocumentId::from_uri(uri.as_str()).map_or(Target::Other, Target::Ours);
        }
        let key = DocumentKey::from_url(uri);
        let Some(path) = key.file_path() else { return Target::Other };
        if let Some(id) = self.door.document_of(&path) {
            return Target::Ours(id);
        }
        Target::Code(CodeTarget { open: self.documents.get(&key), key, uri: uri.clone(), path })
    }
}

/// What the editor has open.
struct OpenBuffers {
    documents: Arc<Documents>,
    engine: Arc<Engine>,
}

impl Buffers for OpenBuffers {
    fn view(&self, moment: &Moment<'_>, path: &Path) -> Option<Arc<FileView>> {
        let name = self.engine.workspace.buffers.name_of(path)?;
        let key = DocumentKey::from_url(&file_uri(&name)?);
        let document = self.documents.get(&key)?;
        Some(self.engine.view_of(moment, &key, &name, &document))
    }
}

impl CodeTarget {
    /// The line as the protocol counts it.
    pub(crate) fn lsp_line(&self, line: u32) -> u32 {
        let known = self.open.as_ref().map(|open| open.lsp_line_of(line as usize));
        known.map_or(line, |line| u32::try_from(line).unwrap_or(u32::MAX))
    }
}

impl Code {
    /// The line, from 0 as the engine counts, that a position stands on.
    pub(crate) fn line_at(&self, asked: &Snapshot, position: Position) -> u32 {
        let line = self.document.engine_line_of(self.document.byte_of(position, asked.profile.encoding));
        u32::try_from(line).unwrap_or(u32::MAX)
    }

    /// The lines, first and last, that a range touches. A range that ends at the beginning of a line leaves it out.
    pub(crate) fn lines_of(&self, asked: &Snapshot, range: Range) -> (u32, u32) {
        let (first, mut last) = (self.line_at(asked, range.start), self.line_at(asked, range.end));
        if range.end.character == 0 && last > first {
            last -= 1;
        }
        (first, last.max(first))
    }

    /// The beginning of a line as the protocol counts it.
    pub(crate) fn start_of(&self, line: u32) -> Position {
        let line = self.document.lsp_line_of(line as usize);
        Position { line: u32::try_from(line).unwrap_or(u32::MAX), character: 0 }
    }

    /// A line, with its end.
    pub(crate) fn range_of(&self, asked: &Snapshot, line: u32) -> Range {
        let start = self.start_of(line);
        let text = self.document.line_text(start);
        let end = Position { line: start.line, character: column_of(&text, text.len(), asked.profile.encoding) };
        Range { start, end }
    }
}

impl Snapshot {
    /// For whom and when is answered; paths are shown relative to the repository of `near`.
    pub(crate) fn frame(&self, near: Option<&Path>) -> Frame {
        let home = ["HOME", "USERPROFILE"].into_iter().find_map(|name| std::env::var(name).ok());
        let output_lines = u32::try_from(self.settings.output_lines).unwrap_or(u32::MAX);
        let show_thinking = match self.settings.thinking {
            Thinking::Folded => lens::Thinking::Folded,
            Thinking::Open => lens::Thinking::Open,
            Thinking::Hidden => lens::Thinking::Hidden,
        };
        Frame {
            now: now(),
            zone: LocalZone::system(),
            document: lens::Settings { output_lines, show_thinking },
            recent_hours: self.settings.recent_hours,
            root: self.root_near(near).map(|root| root.to_string_lossy().into_owned()),
            home,
            buffers: Some(Box::new(OpenBuffers { documents: self.documents.clone(), engine: self.engine.clone() })),
        }
    }

    fn root_near(&self, near: Option<&Path>) -> Option<PathBuf> {
        let near = near.or(self.folders.first().map(PathBuf::as_path))?;
        let repo = self.engine.workspace.repo(near).map(|repo| repo.root().to_owned());
        let folder = || self.folders.iter().find(|folder| near.starts_with(folder)).cloned();
        // A root behind a link would leave paths as they are.
        repo.filter(|root| near.starts_with(root)).or_else(folder)
    }

    /// Who wrote the lines of a file. `None`: it cannot be read.
    pub(crate) fn code(&self, answers: &Answers<'_>, target: &CodeTarget) -> Option<Code> {
        if !self.settings.enable {
            return None;
        }
        let moment = &answers.moment;
        let (document, view) = match &target.open {
            Some(open) => (open.clone(), self.engine.view_of(moment, &target.key, &target.path, open)),
            None => {
                let view = moment.file(&target.path).ok()?;
                (Arc::new(Document::new(target.uri.as_str(), "", 0, &view.text)), Arc::new(view))
            }
        };
        let is_excluded = document.engine_lines() > MOST_LINES || self.excluded.holds(&target.path);
        Some(Code { uri: target.uri.clone(), document, view, is_excluded })
    }

    /// A document of ours as it is now.
    pub(crate) fn page(&self, id: &DocumentId) -> Option<Arc<Page>> {
        let frame = self.frame_of(id);
        Answers::new(&self.engine.workspace, &frame).page(&self.engine.documents, id)
    }

    /// The frame in which a document of ours is shown.
    pub(crate) fn frame_of(&self, id: &DocumentId) -> Frame {
        let mut frame = self.frame(None);
        match id {
            DocumentId::Trace { session, .. } => {
                let root = {
                    let answers = Answers::new(&self.engine.workspace, &frame);
                    answers.session_of_key(session).and_then(|view| answers.root_of(&view))
                };
                frame.root = root.or(frame.root);
            }
            DocumentId::Sessions { repository, .. } => {
                let roots = self.folders.iter().filter_map(|folder| self.root_near(Some(folder)));
                let roots: Vec<String> = roots.map(|root| root.to_string_lossy().into_owned()).collect();
                let root = roots.into_iter().find(|root| *lens::repository_key(root) == **repository);
                frame.root = root.or(frame.root);
            }
            _ => {}
        }
        frame
    }

    /// The URI under which this client opens a document. A file is written now where it takes files.
    pub(crate) fn uri_of(&self, answers: &Answers<'_>, id: &DocumentId, name: &str) -> Option<String> {
        if self.profile.virtual_docs != VirtualDocs::Files {
            return Some(id.uri(name));
        }
        let page = answers.page(&self.engine.documents, id)?;
        self.uri_of_page(&page)
    }

    pub(crate) fn uri_of_page(&self, page: &Page) -> Option<String> {
        if self.profile.virtual_docs != VirtualDocs::Files {
            return Some(page.id.uri(&page.name));
        }
        match self.door.write(&page.id, &page.name, &page.rendered.text) {
            Ok(path) => file_uri(&path).map(String::from),
            Err(error) => {
                log::warning!("cannot write a document: {error}");
                None
            }
        }
    }

    /// The URI of a part of a session.
    pub(crate) fn uri_of_part(&self, answers: &Answers<'_>, view: &SessionView, part: Part) -> Option<String> {
        let (id, name) = answers.named_part(view, part);
        self.uri_of(answers, &id, &name)
    }

    /// A whole line of a document of ours.
    pub(crate) fn range_in(&self, page: &Page, line: u32) -> Range {
        let text = page.line(line);
        let end = column_of(text, text.len(), self.profile.encoding);
        Range { start: Position { line, character: 0 }, end: Position { line, character: end } }
    }

    /// Where a step stands in the document of its turn; with `written` the line of its diff, as edit and line.
    pub(crate) fn place_of_step(
        &self,
        answers: &Answers<'_>,
        view: &SessionView,
        step: &lens::StepRef,
        written: Option<(u32, u32)>,
    ) -> Option<(Arc<Page>, Range)> {
        let (id, _) = answers.named_part(view, Part::Turn(step.turn));
        let page = answers.page(&self.engine.documents, &id)?;
        let shown = lens::find_step(&page.rendered, step, written);
        let line = shown.map_or(0, |shown| shown.line.unwrap_or(shown.head));
        let range = self.range_in(&page, line);
        Some((page, range))
    }

    /// A line (from 1, as the engine counts) of a file as it is in its buffer, else on disk.
    pub(crate) fn location_in_file(&self, path: &Path, line: u32) -> Option<Location> {
        let mut location = self.lines_in_file(path, line, line)?;
        location.range.end = location.range.start;
        Some(location)
    }

    /// The lines from `from` to `to`, both included; see [`Snapshot::location_in_file`].
    pub(crate) fn lines_in_file(&self, path: &Path, from: u32, to: u32) -> Option<Location> {
        let uri = file_uri(path)?;
        let open = self.documents.get(&DocumentKey::from_url(&uri));
        let start = |line: u32| match &open {
            Some(open) => u32::try_from(open.lsp_line_of(line as usize)).unwrap_or(u32::MAX),
            None => line,
        };
        let at = |line: u32| Position { line: start(line), character: 0 };
        let uri = open.as_ref().and_then(|open| Url::parse(&open.uri).ok()).unwrap_or(uri);
        Some(Location { uri, range: Range { start: at(from.saturating_sub(1)), end: at(to) } })
    }

    /// The byte of a line of a document of ours at a position.
    pub(crate) fn byte_in(&self, page: &Page, position: Position) -> usize {
        byte_at(page.line(position.line), position.character, self.profile.encoding)
    }

    /// Whether a session worked in one of the client's folders.
    pub(crate) fn sessions_here(&self, moment: &Moment<'_>) -> std::collections::HashSet<Arc<str>> {
        let repos = self.folders.iter().map(|folder| (folder, self.engine.workspace.repo(folder)));
        let mut here = std::collections::HashSet::new();
        for (folder, repo) in repos {
            match repo {
                Some(repo) => here.extend(moment.sessions(Some(&repo)).into_iter().map(|path| path.session.clone())),
                None => {
                    let inside = |path: &&Arc<workspace::LogSummary>| {
                        path.cwds.iter().any(|cwd| Path::new(&**cwd).starts_with(folder))
                    };
                    let all = moment.logs().sessions();
                    here.extend(all.filter(inside).map(|path| path.session.clone()));
                }
            }
        }
        here
    }

    /// The sessions of the client's folders in which an agent works or waits, as the protocol tells them.
    pub(crate) fn live_sessions(&self, answers: &Answers<'_>, moment: &Moment<'_>) -> Value {
        let here = self.sessions_here(moment);
        let told = moment.logs().sessions().filter(|path| here.contains(&path.session)).filter_map(|path| {
            let view = moment.session_view(&path.session)?;
            let state = match answers.live(&view)? {
                lens::Live::Working { .. } => "working",
                lens::Live::Waits { .. } => "waits",
            };
            let document = self.uri_of_part(answers, &view, Part::Session);
            let (name, title) = (path.agent.short(), path.title());
            Some(json!({ "id": &*path.session, "agentName": name, "title": title, "state": state, "document": document }))
        });
        Value::Array(told.collect())
    }
}

pub(crate) fn file_uri(path: &Path) -> Option<Url> {
    Url::from_file_path(path).ok()
}

/// `9f3c1a2b:12.7`
pub(crate) fn address(session: &str, step: &lens::StepRef) -> String {
    format!("{}:{}", workspace::short_session(session), step.label())
}
