//! Real logs and the repositories that they were written in, where they are at hand. Nothing of them is in the project.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use trace::Agent;

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");

/// `../shared/corpus`, and a folder of bare repositories named `owner+name/repo`.
pub(crate) struct Corpus {
    pub(crate) folder: PathBuf,
    repositories: PathBuf,
}

/// What is known of the commit that one session led to.
pub(crate) struct Expected {
    pub(crate) name: String,
    pub(crate) agent: Agent,
    pub(crate) log: PathBuf,
    pub(crate) git: PathBuf,
    #[allow(dead_code, reason = "each test uses what it needs")]
    pub(crate) base: String,
    pub(crate) commit: String,
    pub(crate) files: Vec<Value>,
}

impl Corpus {
    /// Says so and gives nothing where the folders are missing.
    pub(crate) fn find() -> Option<Corpus> {
        let folder = Path::new(SHARED).join("corpus");
        let repositories = std::env::var_os("TURNLENS_REPOSITORIES").map(PathBuf::from).filter(|_| folder.is_dir());
        if repositories.is_none() {
            eprintln!("skipped: ../shared/corpus or TURNLENS_REPOSITORIES is missing");
        }
        Some(Corpus { folder, repositories: repositories? })
    }

    /// The sessions of agents that are read, whose repository is at hand.
    pub(crate) fn sessions(&self) -> Vec<Expected> {
        let agents = [("claude", Agent::ClaudeCode), ("codex", Agent::Codex), ("gemini", Agent::Gemini)];
        let mut all = Vec::new();
        for (id, agent) in agents {
            for (name, known) in self.expectations(&format!("S-{id}-")) {
                let text = |key: &str| known[key].as_str().unwrap_or_default().to_owned();
                let Some(git) = self.repository(&known) else { continue };
                let log = self.log(&text("session_file"));
                let files = known["files"].as_array().cloned().unwrap_or_default();
                all.push(Expected { name, agent, log, git, base: text("base"), commit: text("commit"), files });
            }
        }
        all
    }

    /// The JSON files of `expected/` whose name begins so, by name.
    pub(crate) fn expectations(&self, prefix: &str) -> Vec<(String, Value)> {
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(self.folder.join("expected")).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let named = paths.into_iter().filter_map(|path| {
            let name = path.file_stem()?.to_string_lossy().into_owned();
            name.starts_with(prefix).then(|| (name, serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap()))
        });
        named.collect()
    }

    pub(crate) fn repository(&self, known: &Value) -> Option<PathBuf> {
        let repository = known["repo"].as_str()?.trim_start_matches("github:").replace('/', "+");
        let git = self.repositories.join(repository).join("repo");
        if !git.is_dir() {
            eprintln!("skipped: {} is missing", git.display());
        }
        git.is_dir().then_some(git)
    }

    pub(crate) fn log(&self, session_file: &str) -> PathBuf {
        self.folder.join(session_file.trim_start_matches("shareable/"))
    }
}

/// What git prints. `None`: it failed.
pub(crate) fn git(folder: &Path, args: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(folder).args(args).env("GIT_NO_LAZY_FETCH", "1").output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
