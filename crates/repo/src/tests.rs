//! A fixture is a script: steps that make repositories, and questions whose answers are compared.
//!
//! ```text
//! git ARGS…          runs git (an argument with blanks stands in '…'; `file:///x` is in the sandbox)
//! write FILE TEXT    `|` is a line end; the last line gets one too, unless the text ends in `\`
//! remove PATH        link FILE TARGET        folder PATH
//! commit MESSAGE     of all there is; `|` is a line end
//! lose REVISION      corrupt REVISION        its object is gone, or is nonsense
//! cd FOLDER          from here on, in this folder of the sandbox
//! reopen             forgets what was found out
//! ? QUESTION ARGS…   asks the repository of the current folder
//! ```
//!
//! Each step comes one minute after the last.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use expect_test::Expect;
use gix::open::Permissions;
use tempfile::TempDir;
use trace::Timestamp;

use crate::{ChangeKind, CommitId, CommitInfo, Limit, Origin, Repo, StateBefore, StateKind, States};

mod changes;
mod commits;
mod discover;
mod history;
mod lines;
mod random;
mod renames;
mod states;

fn check(script: &str, expect: Expect) {
    let mut sandbox = Sandbox::new();
    for step in script.lines().map(str::trim).filter(|step| !step.is_empty()) {
        sandbox.run(step);
    }
    expect.assert_eq(&sandbox.answers);
}

/// The second at which a script starts.
const START: i64 = 1_767_225_600;

struct Sandbox {
    _folder: TempDir,
    base: PathBuf,
    current: PathBuf,
    minute: i64,
    repos: HashMap<PathBuf, Repo>,
    answers: String,
}

impl Sandbox {
    fn new() -> Sandbox {
        let folder = tempfile::tempdir().expect("a temp folder");
        let base = crate::paths::canonical(folder.path()).expect("its path");
        std::fs::create_dir(base.join("home")).expect("a home");
        let current = base.clone();
        Sandbox { _folder: folder, base, current, minute: 0, repos: HashMap::new(), answers: String::new() }
    }

    fn run(&mut self, step: &str) {
        let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
        self.minute += 1;
        match verb {
            "git" => drop(self.git(&words(rest))),
            "write" => self.write(rest),
            "remove" => self.remove(&words(rest)[0]),
            "folder" => std::fs::create_dir_all(self.current.join(&words(rest)[0])).expect(step),
            "link" => self.link(&words(rest)),
            "commit" => {
                self.git(&["add".into(), "-A".into()]);
                self.git(&["commit".into(), "-q".into(), "-m".into(), rest.replace('|', "\n")]);
            }
            "lose" => std::fs::remove_file(self.object(rest)).expect("a loose object"),
            "corrupt" => self.corrupt(rest),
            "reopen" => self.repos.clear(),
            "cd" => {
                self.current = self.base.join(rest);
                std::fs::create_dir_all(&self.current).expect(step);
            }
            "?" => {
                let answer = self.answer(rest);
                let answer = if answer.is_empty() { "-".to_owned() } else { answer };
                let sep = if answer.contains('\n') { "\n" } else { " " };
                writeln!(self.answers, "{rest}:{sep}{}", answer.trim_end()).expect("a string");
            }
            _ => panic!("no such step: {step}"),
        }
    }

    /// The file of a loose object.
    fn object(&self, revision: &str) -> PathBuf {
        let id = self.git(&["rev-parse".into(), revision.into()]);
        let (folder, name) = id.trim().split_at(2);
        self.current.join(".git/objects").join(folder).join(name)
    }

    fn corrupt(&self, revision: &str) {
        let file = self.object(revision);
        std::fs::remove_file(&file).expect("git writes objects that cannot be written to");
        std::fs::write(file, "nonsense").expect("another one");
    }

    fn git(&self, args: &[String]) -> String {
        self.git_reading(args, Stdio::null())
    }

    fn git_reading(&self, args: &[String], input: Stdio) -> String {
        let date = format!("{} +0000", START + self.minute * 60);
        let mut command = Command::new("git");
        command.args(["-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always", "-c", "gc.auto=0"]);
        let here = |arg: &String| arg.replace("file:///", &format!("file://{}/", self.base.display()));
        command.args(args.iter().map(here)).current_dir(&self.current).env_clear();
        for kept in ["PATH", "SystemRoot", "TEMP"] {
            command.envs(std::env::var_os(kept).map(|value| (kept, value)));
        }
        command.env("HOME", self.base.join("home")).env("GIT_CONFIG_NOSYSTEM", "1");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "Anna").env(format!("GIT_{who}_EMAIL"), "anna@x.example");
            command.env(format!("GIT_{who}_DATE"), &date);
        }
        let output = command.stdin(input).output().expect("git is installed");
        // A merge with a conflict fails, and that is what some fixtures want.
        let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() || told.contains("CONFLICT"), "git {args:?}: {told}");
        told
    }

    fn write(&self, rest: &str) {
        let words = words(rest);
        let file = self.current.join(&words[0]);
        let text = rest.trim_start_matches('\'')[words[0].len()..].trim_start_matches('\'').trim_start();
        let text = match text.strip_suffix('\\') {
            Some(open) => open.replace('|', "\n"),
            None if text.is_empty() => String::new(),
            None => text.replace('|', "\n") + "\n",
        };
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(&file, text.replace("\\r", "\r")).expect("a file");
    }

    fn remove(&self, path: &str) {
        let path = self.current.join(path);
        if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.expect("removed");
    }

    #[cfg(unix)]
    fn link(&self, words: &[String]) {
        std::os::unix::fs::symlink(self.inside(&words[1]), self.current.join(&words[0])).expect("a link");
    }

    #[cfg(not(unix))]
    fn link(&self, _: &[String]) {
        panic!("links are tested on Unix");
    }

    /// `/x` is in the sandbox, all else is as given.
    fn inside(&self, path: &str) -> PathBuf {
        path.strip_prefix('/').map_or_else(|| PathBuf::from(path), |path| self.base.join(path))
    }

    fn show(&self, path: &Path) -> String {
        match path.strip_prefix(&self.base) {
            Ok(rest) => format!("/{}", rest.display()).replace('\\', "/"),
            Err(_) => path.display().to_string(),
        }
    }

    fn answer(&mut self, question: &str) -> String {
        let words = words(question);
        let argument = |index: usize| words.get(index).map_or("", String::as_str);
        if argument(0) == "discover" {
            let found = Repo::discover_with(&self.current.join(self.inside(argument(1))), Permissions::isolated);
            return found.map_or("none".into(), |repo| self.show(repo.root()));
        }
        let Some(repo) = self.repo() else { return "no repository".into() };
        match argument(0) {
            "root" => self.show(repo.root()),
            "common_dir" => self.show(repo.common_dir()),
            "main_root" => repo.main_root().map_or("none".into(), |root| self.show(&root)),
            "worktrees" => self.worktrees(&repo),
            "relative" => repo.relative(&self.inside(argument(1))).unwrap_or("none".into()),
            "head" => head(&repo),
            "blob_at_head" => text_of(repo.blob_at_head(argument(1))),
            "index_blob" => text_of(repo.index_blob(argument(1))),
            "has_blob_of" => {
                repo.has_blob_of(argument(1).replace('|', "\n").replace("\\r", "\r").as_bytes()).to_string()
            }
            "knows_path" => repo.knows_path(argument(1)).to_string(),
            "history" => history(&repo, argument(1), limit(argument(2))),
            "states" => states(&repo, &repo.states(argument(1), limit(argument(2)))),
            "states_with" => {
                let id = self.git(&["rev-parse".into(), argument(2).into()]);
                let also = repo.commit(id.trim()).expect("a commit").id;
                states(&repo, &repo.states_with(argument(1), &[also], Limit::NONE))
            }
            "came_from" => came_from(&repo, argument(1), limit(argument(2))),
            "file_moves" => self.file_moves(&repo, argument(1)),
            "blob_at" => {
                let minute: i64 = argument(2).parse().expect("a minute");
                let blob = repo.blob_at(argument(1), Timestamp((START + minute * 60) * 1000), Limit::NONE);
                text_of(blob.and_then(|id| repo.blob(id)))
            }
            "line" => {
                let line = argument(2).parse().expect("a line");
                let commit = repo.last_commit_of_line(argument(1), line, limit(argument(3)));
                commit.map_or("none".into(), |commit| commit.subject)
            }
            "lines" => lines(&repo, argument(1)),
            "commit" => repo.commit(argument(1)).map_or("none".into(), |commit| told(&commit)),
            "changed" => changed(&repo, false),
            "staged" => changed(&repo, true),
            "is_ignored" => repo.is_ignored(argument(1)).to_string(),
            "head_moves" => moves(&repo),
            "parents_of_file" => parents(&repo, argument(1)),
            other => panic!("no such question: {other}"),
        }
    }

    fn repo(&mut self) -> Option<Repo> {
        if let Some(repo) = self.repos.get(&self.current) {
            return Some(repo.clone());
        }
        let repo = Repo::discover_with(&self.current, Permissions::isolated)?;
        self.repos.insert(self.current.clone(), repo.clone());
        Some(repo)
    }

    fn file_moves(&self, repo: &Repo, rel: &str) -> String {
        let text = |blob: Option<crate::BlobId>| text_of(blob.and_then(|id| repo.blob(id)));
        let line = |step: crate::FileMove| {
            let minute = (step.at.0 / 1000 - START) / 60;
            let root = self.show(&step.root);
            format!("{minute} {root} {:?}: {} → {}\n", step.kind, text(step.from), text(step.to))
        };
        repo.file_moves(rel).into_iter().map(line).collect()
    }

    fn worktrees(&self, repo: &Repo) -> String {
        let line = |worktree: crate::Worktree| {
            let prunable = if worktree.prunable { " prunable" } else { "" };
            format!("{} {}{prunable}\n", self.show(&worktree.root), worktree.branch.as_deref().unwrap_or("detached"))
        };
        repo.worktrees().into_iter().map(line).collect()
    }
}

fn text_of(blob: Option<Vec<u8>>) -> String {
    blob.map_or("none".into(), |text| format!("{:?}", String::from_utf8_lossy(&text)))
}

/// Words between blanks; '…' holds words together.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'').expect("a closing quote"),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

fn limit(commits: &str) -> Limit {
    commits.parse().map_or(Limit::NONE, |commits| Limit { commits, ..Limit::NONE })
}

fn head(repo: &Repo) -> String {
    let head = repo.head();
    let branch = head.branch.clone().unwrap_or("no branch".into());
    let commit = head.commit.and_then(|id| repo.commit(&id.to_string()));
    let state = match (head.is_unborn(), head.is_detached()) {
        (true, _) => ", unborn",
        (_, true) => ", detached",
        _ => "",
    };
    format!("{branch}, {}{state}", commit.map_or("no commit".into(), |commit| commit.subject))
}

fn told(commit: &CommitInfo) -> String {
    let agent = commit.agent_trailer.map_or(String::new(), |agent| format!(", names {agent}"));
    let minute = (commit.at.0 / 1000 - START) / 60;
    format!("{minute} {} by {}{agent}", commit.subject, commit.author)
}

fn history(repo: &Repo, rel: &str, limit: Limit) -> String {
    let history = repo.history(rel, limit);
    let mut text = String::new();
    for (index, version) in history.versions.iter().enumerate() {
        let blob = text_of(version.blob.and_then(|id| repo.blob(id)));
        writeln!(text, "{index} {} {blob} from {:?}", version.commit.subject, version.parents).expect("a string");
    }
    if !history.complete {
        text.push_str("… more\n");
    }
    text
}

fn states(repo: &Repo, found: &States) -> String {
    let before = |state: &StateBefore| match state {
        StateBefore::State(index) => index.to_string(),
        StateBefore::Nothing => "nothing".into(),
        StateBefore::Unknown => "?".into(),
    };
    let blobs = repo.blobs();
    let mut text = String::new();
    for (index, state) in found.states.iter().enumerate() {
        let kind = match state.kind {
            StateKind::Commit => "",
            StateKind::Stash => ", stash",
            StateKind::StashedIndex => ", stashed index",
        };
        let parents = state.parents.iter().map(before).collect::<Vec<_>>().join(", ");
        let blob = text_of(state.blob.and_then(|id| blobs.text(id)));
        writeln!(text, "{index} {}{kind} {blob} from [{parents}]", subject(repo, state.commit)).expect("a string");
    }
    if !found.complete {
        text.push_str("… more\n");
    }
    text
}

fn came_from(repo: &Repo, rel: &str, limit: Limit) -> String {
    let line = |origin: Origin| {
        let how = if origin.copied { "copied" } else { "renamed" };
        let doubt = if origin.unique { "" } else { ", or another" };
        let when = match origin.commit {
            Some(commit) => format!("in {}", subject(repo, commit)),
            None => "not committed".into(),
        };
        let before = text_of(repo.blob(origin.blob_before));
        let Origin { to, path, similarity, .. } = origin;
        format!("{to} ← {path}{doubt} {before} {how}, {similarity} %, {when}\n")
    };
    repo.came_from(rel, limit).into_iter().map(line).collect()
}

/// Without the name of the commit that git puts into the message of a stash.
fn subject(repo: &Repo, commit: CommitId) -> String {
    let Some(commit) = repo.commit(&commit.to_string()) else { return "gone".into() };
    let is_id = |word: &str| word.len() == 7 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let words = commit.subject.split(' ').filter(|word| !is_id(word));
    words.collect::<Vec<_>>().join(" ")
}

fn lines(repo: &Repo, rel: &str) -> String {
    let text = String::from_utf8(repo.blob_at_head(rel).unwrap_or_default()).expect("Unicode");
    let line = |(number, line): (usize, &str)| {
        let commit = repo.last_commit_of_line(rel, u32::try_from(number + 1).expect("few lines"), Limit::NONE);
        format!("{line} ← {}\n", commit.map_or("none".into(), |commit| commit.subject))
    };
    text.lines().enumerate().map(line).collect()
}

fn changed(repo: &Repo, staged_only: bool) -> String {
    let line = |file: crate::ChangedFile| {
        let kind = match file.kind {
            ChangeKind::Added => 'A',
            ChangeKind::Modified => 'M',
            ChangeKind::Deleted => 'D',
        };
        format!("{kind} {}\n", file.rel)
    };
    match repo.changed_files(staged_only) {
        Ok(files) => files.into_iter().map(line).collect(),
        Err(error) => format!("error: {}", error.to_string().split(" in ").next().unwrap_or_default()),
    }
}

fn moves(repo: &Repo) -> String {
    let subject = |id: Option<CommitId>| id.map_or("nothing".to_owned(), |id| subject(repo, id));
    let line = |step: crate::HeadMove| {
        let minute = (step.at.0 / 1000 - START) / 60;
        format!("{minute} {} → {}: {}\n", subject(step.from), subject(step.to), step.message)
    };
    repo.head_moves().into_iter().map(line).collect()
}

fn parents(repo: &Repo, rel: &str) -> String {
    let Some(head) = repo.head().commit else { return String::new() };
    let line = |(commit, blob): (CommitId, Option<crate::BlobId>)| {
        format!("{} {}\n", subject(repo, commit), text_of(blob.and_then(|id| repo.blob(id))))
    };
    repo.parents_of_file(rel, head).into_iter().map(line).collect()
}
