//! The name of a document: its URI form, `turnlens://…`, and its file form, a path below a cache folder. Both are the
//! same path; it holds only `a-z 0-9 - . _ /`, so that no client writes it in another way, but for its last part,
//! which is for people and may hold capitals.

use trace::{Agent, title};

pub const SCHEME: &str = "turnlens";

/// So many hex digits of a commit's id are shown.
const SHORT_ID: usize = 7;

/// Everything that can be opened as a document.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DocumentId {
    /// A session or a part of it. The session is named by its [`session_key`].
    Trace {
        agent: Agent,
        session: Box<str>,
        part: Part,
    },
    /// The sessions of a repository, named by its [`repository_key`].
    Sessions {
        repository: Box<str>,
        helpers: bool,
    },
    /// The hits of a query, named by its [`search_key`].
    Search {
        key: Box<str>,
    },
    /// What is known of lines of a file, named by their [`line_key`].
    LineHistory {
        key: Box<str>,
    },
    Explanation {
        key: Box<str>,
    },
    /// A commit, named by its whole id in hex, as `git show` prints it.
    Commit {
        id: Box<str>,
    },
    /// A text that git keeps, named by its whole id in hex.
    Blob {
        id: Box<str>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The session's first page.
    Session,
    /// A later page: whole turns. `None`: to the page's end.
    Turns {
        from: u32,
        to: Option<u32>,
    },
    Turn(u32),
    /// A turn's whole prompt.
    Prompt(u32),
    /// The sub-agent that a step started.
    Side {
        turn: u32,
        steps: Vec<u32>,
    },
    Thought {
        turn: u32,
        steps: Vec<u32>,
    },
    Input {
        turn: u32,
        steps: Vec<u32>,
    },
    Output {
        turn: u32,
        steps: Vec<u32>,
    },
    Record {
        turn: u32,
        steps: Vec<u32>,
    },
    /// A file before or after a step, named by its [`file_key`].
    File {
        turn: u32,
        steps: Vec<u32>,
        moment: Moment,
        file: u32,
    },
    /// The changes of a turn, or of a step.
    Changes {
        turn: u32,
        steps: Vec<u32>,
        form: Form,
    },
    Only(Filter),
    Outline,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moment {
    Before,
    After,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// From before the first edit to after the last.
    Then,
    /// What of it still stands.
    Now,
}

/// Which steps a filtered session shows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Filter {
    Prompts,
    Errors,
    Edits,
    /// A tool, by its name in lower case.
    Tool(Box<str>),
}

impl DocumentId {
    /// `turnlens://claude-code/9f3c…/12/add-retry.trace.md`. The name is a title or a file name; bodies and changes
    /// have names of their own.
    pub fn uri(&self, name: &str) -> String {
        format!("{SCHEME}://{}", self.path(name))
    }

    /// The path of the URI, and of the file below a cache folder.
    pub fn path(&self, name: &str) -> String {
        match self {
            DocumentId::Trace { agent, session, part } => {
                format!("{}/{session}/{}", agent.id(), part_path(part, name))
            }
            DocumentId::Sessions { repository, helpers: false } => format!("list/sessions/{repository}/{}", page(name)),
            DocumentId::Sessions { repository, helpers: true } => {
                format!("list/sessions/{repository}/with/helpers/{}", page(name))
            }
            DocumentId::Search { key } => format!("search/{key}/{}", page(name)),
            DocumentId::LineHistory { key } => format!("line/{key}/history/{}", place_page(name)),
            DocumentId::Explanation { key } => format!("line/{key}/explain/{}", place_page(name)),
            DocumentId::Commit { id } => format!("commit/{id}/{}.diff", id.get(..SHORT_ID).unwrap_or(id)),
            DocumentId::Blob { id } => format!("blob/{id}/{}", file_name(name)),
        }
    }

    /// Reads [`DocumentId::uri`] back, also with one slash or three after the scheme, as clients rewrite it.
    pub fn from_uri(uri: &str) -> Option<DocumentId> {
        let (scheme, path) = uri.split_once(':')?;
        if scheme != SCHEME {
            return None;
        }
        let path = path.split(['?', '#']).next()?;
        DocumentId::from_path(path.trim_start_matches('/'))
    }

    /// Reads [`DocumentId::path`] back; `\` also separates.
    pub fn from_path(path: &str) -> Option<DocumentId> {
        let parts: Vec<&str> = path.split(['/', '\\']).collect();
        let (name, folders) = parts.split_last()?;
        if name.is_empty() || !folders.iter().all(|part| is_key(part)) {
            return None;
        }
        match folders {
            ["list", "sessions", repository] => sessions(repository, false, name),
            ["list", "sessions", repository, "with", "helpers"] => sessions(repository, true, name),
            ["search", key] if is_page(name) => Some(DocumentId::Search { key: (*key).into() }),
            ["line", key, "history"] if is_page(name) => Some(DocumentId::LineHistory { key: (*key).into() }),
            ["line", key, "explain"] if is_page(name) => Some(DocumentId::Explanation { key: (*key).into() }),
            ["commit", id] if name.ends_with(".diff") => Some(DocumentId::Commit { id: object_id(id)? }),
            ["blob", id] => Some(DocumentId::Blob { id: object_id(id)? }),
            [agent, session, rest @ ..] => {
                let agent = Agent::from_id(agent)?;
                Some(DocumentId::Trace { agent, session: (*session).into(), part: read_part(rest, name)? })
            }
            _ => None,
        }
    }
}

/// The whole name of one of git's objects.
fn object_id(text: &str) -> Option<Box<str>> {
    let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (is_hex && matches!(text.len(), 40 | 64)).then(|| text.into())
}

fn sessions(repository: &str, helpers: bool, name: &str) -> Option<DocumentId> {
    is_page(name).then(|| DocumentId::Sessions { repository: repository.into(), helpers })
}

fn part_path(part: &Part, name: &str) -> String {
    match part {
        Part::Session => page(name),
        Part::Turns { from, to: Some(to) } => format!("turns/{from}-{to}/{}", page(name)),
        Part::Turns { from, to: None } => format!("turns/{from}-/{}", page(name)),
        Part::Turn(turn) => format!("{turn}/{}", page(name)),
        Part::Prompt(turn) => format!("{turn}/prompt.md"),
        Part::Side { turn, steps } => format!("{}/{}", numbers(*turn, steps), page(name)),
        Part::Thought { turn, steps } => format!("{}/thought.md", numbers(*turn, steps)),
        Part::Input { turn, steps } => format!("{}/input.txt", numbers(*turn, steps)),
        Part::Output { turn, steps } => format!("{}/output.txt", numbers(*turn, steps)),
        Part::Record { turn, steps } => format!("{}/record.json", numbers(*turn, steps)),
        Part::File { turn, steps, moment, file } => {
            let moment = match moment {
                Moment::Before => "before",
                Moment::After => "after",
            };
            format!("{}/{moment}/{file:08x}/{}", numbers(*turn, steps), file_name(name))
        }
        Part::Changes { turn, steps, form: Form::Then } => format!("{}/changes.diff", numbers(*turn, steps)),
        Part::Changes { turn, steps, form: Form::Now } => format!("{}/changes-now.diff", numbers(*turn, steps)),
        Part::Only(Filter::Prompts) => format!("only/prompts/{}", page(name)),
        Part::Only(Filter::Errors) => format!("only/errors/{}", page(name)),
        Part::Only(Filter::Edits) => format!("only/edits/{}", page(name)),
        Part::Only(Filter::Tool(tool)) => format!("only/tool-{tool}/{}", page(name)),
        Part::Outline => format!("outline/{}", page(name)),
    }
}

fn read_part(folders: &[&str], name: &str) -> Option<Part> {
    match folders {
        [] if is_page(name) => Some(Part::Session),
        ["outline"] if is_page(name) => Some(Part::Outline),
        ["turns", range] if is_page(name) => {
            let (from, to) = range.split_once('-')?;
            let to = if to.is_empty() { None } else { Some(number(to)?) };
            Some(Part::Turns { from: number(from)?, to })
        }
        ["only", filter] if is_page(name) => Some(Part::Only(match *filter {
            "prompts" => Filter::Prompts,
            "errors" => Filter::Errors,
            "edits" => Filter::Edits,
            tool => Filter::Tool(tool.strip_prefix("tool-").filter(|tool| !tool.is_empty())?.into()),
        })),
        [step, moment @ ("before" | "after"), file] => {
            let (turn, steps) = read_numbers(step).filter(|(_, steps)| !steps.is_empty())?;
            let moment = if *moment == "before" { Moment::Before } else { Moment::After };
            let file = (file.len() == 8).then(|| u32::from_str_radix(file, 16).ok())??;
            Some(Part::File { turn, steps, moment, file })
        }
        [step] => {
            let (turn, steps) = read_numbers(step)?;
            Some(match (name, steps.is_empty()) {
                ("changes.diff", _) => Part::Changes { turn, steps, form: Form::Then },
                ("changes-now.diff", _) => Part::Changes { turn, steps, form: Form::Now },
                ("prompt.md", true) => Part::Prompt(turn),
                ("thought.md", false) => Part::Thought { turn, steps },
                ("input.txt", false) => Part::Input { turn, steps },
                ("output.txt", false) => Part::Output { turn, steps },
                ("record.json", false) => Part::Record { turn, steps },
                (name, true) if is_page(name) => Part::Turn(turn),
                (name, false) if is_page(name) => Part::Side { turn, steps },
                _ => return None,
            })
        }
        _ => None,
    }
}

/// `12`, `12.7`, `12.7.3`
fn numbers(turn: u32, steps: &[u32]) -> String {
    steps.iter().fold(turn.to_string(), |path, step| format!("{path}.{step}"))
}

fn read_numbers(text: &str) -> Option<(u32, Vec<u32>)> {
    let mut all = text.split('.').map(number).collect::<Option<Vec<u32>>>()?;
    let turn = (!all.is_empty()).then(|| all.remove(0))?;
    Some((turn, all))
}

/// A number from 1 as [`numbers`] writes it, so that no document has two names.
fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|n: &u32| *n > 0 && n.to_string() == text)
}

fn page(name: &str) -> String {
    format!("{}.trace.md", guarded(title::slug(name)))
}

/// As [`page`] for `src/loader.rs:41`, of which `loader.rs.41` is left.
fn place_page(place: &str) -> String {
    format!("{}.trace.md", file_name(place))
}

fn is_page(name: &str) -> bool {
    name.strip_suffix(".trace.md").is_some_and(|name| !name.is_empty())
}

fn file_name(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let shown = |c: char| match c {
        // `loader.rs:41`
        ':' => '.',
        c if allowed(c) => c,
        _ => '-',
    };
    let name: String = name.chars().map(shown).collect();
    match name.trim_matches(['-', '.']).is_empty() {
        true => "file".into(),
        false => guarded(name.trim_end_matches('.').to_owned()),
    }
}

/// Windows opens a device for these names, whatever stands behind the first dot.
fn guarded(name: String) -> String {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let numbered = |prefix: &str| {
        stem.strip_prefix(prefix).is_some_and(|rest| rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit())
    };
    let device = matches!(&*stem, "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt");
    if device { format!("_{name}") } else { name }
}

/// A folder of a path: nothing that leads elsewhere or that a client would write in another way.
fn is_key(part: &str) -> bool {
    let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'-' | b'.' | b'_');
    !part.is_empty() && !part.starts_with('.') && !part.ends_with('.') && part.bytes().all(allowed)
}

/// A session's id as it stands in a URI: the id itself where it can, else in lower case with a hash behind it.
pub fn session_key(id: &str) -> Box<str> {
    if is_key(id) {
        return id.into();
    }
    format!("{}-{:04x}", readable(id), hash(id) & 0xffff).into()
}

/// A repository's (or folder's) name in a URI, `fetchd-1a2b3c4d`, of its path.
pub fn repository_key(path: &str) -> Box<str> {
    let name = path.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or_default();
    format!("{}-{:08x}", title::slug(name), short_hash(path)).into()
}

/// A query's name in a URI, `retry-1a2b3c4d`.
pub fn search_key(query: &str) -> Box<str> {
    format!("{}-{:08x}", title::slug(query), short_hash(query)).into()
}

/// The name in a URI of lines (from 1) of a file, by its path.
pub fn line_key(path: &str, from: u32, to: u32) -> Box<str> {
    format!("{:016x}", hash(&format!("{path}:{from}-{to}"))).into()
}

/// A file's name in a URI, of its path in the repository as [`crate::View::path`] writes it.
pub fn file_key(path: &str) -> u32 {
    short_hash(path)
}

fn readable(id: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let name: String = id.chars().map(|c| if allowed(c) { c.to_ascii_lowercase() } else { '-' }).collect();
    name.trim_matches('.').to_owned()
}

fn short_hash(text: &str) -> u32 {
    let hash = hash(text);
    (hash ^ (hash >> 32)) as u32
}

/// FNV-1a: names must be the same in every version and on every machine.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    const SESSION: &str = "9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77";

    fn trace(part: Part) -> DocumentId {
        DocumentId::Trace { agent: Agent::ClaudeCode, session: session_key(SESSION), part }
    }

    fn check(document: DocumentId, name: &str, expect: Expect) {
        let uri = document.uri(name);
        expect.assert_eq(&uri);
        assert_eq!(DocumentId::from_uri(&uri), Some(document.clone()));
        assert_eq!(DocumentId::from_uri(&uri.replace("://", ":/")), Some(document.clone()), "as VS Code writes it");
        assert_eq!(DocumentId::from_path(&document.path(name).replace('/', "\\")), Some(document));
    }

    #[test]
    fn documents() {
        let title = "Add retry to the loader";
        let (turn, steps) = (12, vec![7]);
        check(
            trace(Part::Session),
            title,
            expect!["turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/add-retry-to-the-loader.trace.md"],
        );
        check(
            trace(Part::Turns { from: 201, to: Some(400) }),
            title,
            expect![
                "turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/turns/201-400/add-retry-to-the-loader.trace.md"
            ],
        );
        check(
            trace(Part::Turns { from: 401, to: None }),
            title,
            expect![
                "turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/turns/401-/add-retry-to-the-loader.trace.md"
            ],
        );
        check(
            trace(Part::Turn(12)),
            "Add retry to the loader → yes",
            expect![
                "turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/12/add-retry-to-the-loader-yes.trace.md"
            ],
        );
        check(
            trace(Part::Prompt(12)),
            title,
            expect!["turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/12/prompt.md"],
        );
        check(
            trace(Part::Side { turn, steps: vec![4] }),
            "test-writer",
            expect!["turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/12.4/test-writer.trace.md"],
        );
        check(
            trace(Part::Thought { turn, steps: steps.clone() }),
            "",
            expect!["turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/12.7/thought.md"],
        );
        check(
            trace(Part::Input { turn, steps: steps.clone() }),
            "",
            expect!["turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/12.7/input.txt"],
        );
        check(
            trace(Part::Output { turn, steps: steps.clone() }),
            "",
            expect!["turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/12.7/output.txt"],
        );
        check(
            trace(Part::Record { turn, steps: vec![7, 3] }),
            "",
            expect!["turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/12.7.3/record.json"],
        );
        let file = file_key("src/Loader.rs");
        check(
            trace(Part::File { turn, steps: steps.clone(), moment: Moment::Before, file }),
            "src/Loader.rs",
            expect!["turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/12.7/before/4e564e4d/Loader.rs"],
        );
        check(
            trace(Part::File { turn, steps: steps.clone(), moment: Moment::After, file }),
            "a b.rs",
            expect!["turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/12.7/after/4e564e4d/a-b.rs"],
        );
        check(
            trace(Part::Changes { turn, steps: vec![], form: Form::Then }),
            title,
            expect!["turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/12/changes.diff"],
        );
        check(
            trace(Part::Changes { turn, steps: vec![], form: Form::Now }),
            title,
            expect!["turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/12/changes-now.diff"],
        );
        check(
            trace(Part::Changes { turn, steps, form: Form::Then }),
            title,
            expect!["turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/12.7/changes.diff"],
        );
        check(
            trace(Part::Only(Filter::Errors)),
            title,
            expect![
                "turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/only/errors/add-retry-to-the-loader.trace.md"
            ],
        );
        check(
            trace(Part::Only(Filter::Tool("bash".into()))),
            title,
            expect![
                "turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/only/tool-bash/add-retry-to-the-loader.trace.md"
            ],
        );
        check(
            trace(Part::Outline),
            "con",
            expect!["turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/outline/_con.trace.md"],
        );
        let repository = repository_key("/home/anna/src/fetchd");
        check(
            DocumentId::Sessions { repository: repository.clone(), helpers: false },
            "sessions",
            expect!["turnlens://list/sessions/fetchd-fb7f7b2b/sessions.trace.md"],
        );
        check(
            DocumentId::Sessions { repository, helpers: true },
            "sessions",
            expect!["turnlens://list/sessions/fetchd-fb7f7b2b/with/helpers/sessions.trace.md"],
        );
        check(
            DocumentId::Search { key: search_key("retry") },
            "results",
            expect!["turnlens://search/retry-d21b5eeb/results.trace.md"],
        );
        let key = line_key("src/loader.rs", 41, 41);
        check(
            DocumentId::LineHistory { key: key.clone() },
            "src/loader.rs:41",
            expect!["turnlens://line/e231a92f501f1d61/history/loader.rs.41.trace.md"],
        );
        check(
            DocumentId::Explanation { key },
            "src/loader.rs:41",
            expect!["turnlens://line/e231a92f501f1d61/explain/loader.rs.41.trace.md"],
        );
        let id: Box<str> = "4be19d2".repeat(6)[..40].into();
        check(
            DocumentId::Commit { id: id.clone() },
            "",
            expect!["turnlens://commit/4be19d24be19d24be19d24be19d24be19d24be19/4be19d2.diff"],
        );
        check(
            DocumentId::Blob { id },
            "src/loader.rs",
            expect!["turnlens://blob/4be19d24be19d24be19d24be19d24be19d24be19/loader.rs"],
        );
    }

    #[test]
    fn ids_with_other_characters() {
        assert_eq!(&*session_key(SESSION), SESSION);
        expect!["ses_4fkq-45e9"].assert_eq(&session_key("ses_4FkQ"));
        assert_ne!(session_key("ses_4FkQ"), session_key("ses_4fKq"));
        assert!(is_key(&session_key("../..")));
    }

    #[test]
    fn nothing_else_is_a_document() {
        for uri in [
            "",
            "file:///claude-code/a/b.trace.md",
            "turnlens:",
            "turnlens://",
            "turnlens://nobody/a/b.trace.md",
            "turnlens://claude-code/a",
            "turnlens://claude-code/a/b.md",
            "turnlens://claude-code/../12/b.trace.md",
            "turnlens://claude-code/a/0/b.trace.md",
            "turnlens://claude-code/a/012/b.trace.md",
            "turnlens://claude-code/a/12/thought.md",
            "turnlens://claude-code/a/12.7/prompt.md",
            "turnlens://claude-code/a/12.7/before/xyz/b.rs",
            "turnlens://claude-code/a/12/before/3fa94c01/b.rs",
            "turnlens://claude-code/a/only/tool-/b.trace.md",
            "turnlens://list/other/b.trace.md",
            "turnlens://commit/4be19d2/4be19d2.diff",
            "turnlens://blob/4BE19D24be19d24be19d24be19d24be19d24be19/b.rs",
        ] {
            assert_eq!(DocumentId::from_uri(uri), None, "{uri}");
        }
    }

    fn part() -> impl Strategy<Value = Part> {
        let numbers = || (1..u32::MAX, prop::collection::vec(1..u32::MAX, 1..4));
        let moment = prop_oneof![Just(Moment::Before), Just(Moment::After)];
        let form = prop_oneof![Just(Form::Then), Just(Form::Now)];
        prop_oneof![
            Just(Part::Session),
            Just(Part::Outline),
            (1..u32::MAX, prop::option::of(1..u32::MAX)).prop_map(|(from, to)| Part::Turns { from, to }),
            (1..u32::MAX).prop_map(Part::Turn),
            (1..u32::MAX).prop_map(Part::Prompt),
            numbers().prop_map(|(turn, steps)| Part::Side { turn, steps }),
            numbers().prop_map(|(turn, steps)| Part::Thought { turn, steps }),
            numbers().prop_map(|(turn, steps)| Part::Input { turn, steps }),
            numbers().prop_map(|(turn, steps)| Part::Output { turn, steps }),
            numbers().prop_map(|(turn, steps)| Part::Record { turn, steps }),
            (numbers(), moment, any::<u32>()).prop_map(|((turn, steps), moment, file)| Part::File {
                turn,
                steps,
                moment,
                file
            }),
            (numbers(), form, any::<bool>()).prop_map(|((turn, steps), form, whole)| Part::Changes {
                turn,
                steps: if whole { Vec::new() } else { steps },
                form
            }),
            prop_oneof![
                Just(Filter::Prompts),
                Just(Filter::Errors),
                Just(Filter::Edits),
                "[a-z0-9_-]{1,9}".prop_map(|tool| Filter::Tool(tool.into()))
            ]
            .prop_map(Part::Only),
        ]
    }

    fn document() -> impl Strategy<Value = DocumentId> {
        prop_oneof![
            (".{1,40}", part()).prop_map(|(id, part)| DocumentId::Trace {
                agent: Agent::ClaudeCode,
                session: session_key(&id),
                part
            }),
            (".{0,20}", any::<bool>())
                .prop_map(|(path, helpers)| DocumentId::Sessions { repository: repository_key(&path), helpers }),
            ".{0,20}".prop_map(|query| DocumentId::Search { key: search_key(&query) }),
            ".{0,20}".prop_map(|path| DocumentId::LineHistory { key: line_key(&path, 1, 2) }),
            ".{0,20}".prop_map(|path| DocumentId::Explanation { key: line_key(&path, 1, 2) }),
        ]
    }

    proptest! {
        #[test]
        fn round_trip(document in document(), name in ".{0,60}") {
            let uri = document.uri(&name);
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '/');
            prop_assert!(uri["turnlens://".len()..].chars().all(allowed), "{}", uri);
            prop_assert!(!document.path(&name).split('/').any(|part| part.is_empty() || part == "." || part == ".."));
            prop_assert_eq!(DocumentId::from_uri(&uri), Some(document));
        }

        #[test]
        fn any_text_is_read(text in ".{0,80}") {
            let _ = DocumentId::from_uri(&format!("turnlens://{text}"));
            let _ = DocumentId::from_path(&text);
        }
    }
}
