//! The demo's history, made by the `git` that is installed.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use jiff::Timestamp;

pub(super) struct Git<'a> {
    pub(super) repo: &'a Path,
    pub(super) home: &'a Path,
}

impl Git<'_> {
    /// Runs git in the repository, at this time, with nobody's configuration.
    pub(super) fn run(&self, arguments: &[&str], at: Timestamp) -> anyhow::Result<String> {
        let mut git = Command::new("git");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
            git.env_remove(name);
        }
        let date = format!("{} +0000", at.as_second());
        git.current_dir(self.repo).env("HOME", self.home).env("GIT_CONFIG_NOSYSTEM", "1").envs([
            ("GIT_CONFIG_GLOBAL", if cfg!(windows) { "NUL" } else { "/dev/null" }),
            ("GIT_AUTHOR_NAME", "Anna"),
            ("GIT_AUTHOR_EMAIL", "anna@example.org"),
            ("GIT_COMMITTER_NAME", "Anna"),
            ("GIT_COMMITTER_EMAIL", "anna@example.org"),
            ("GIT_AUTHOR_DATE", &date),
            ("GIT_COMMITTER_DATE", &date),
        ]);
        let ended = git.args(["-c", "core.autocrlf=false"]).args(arguments).output();
        let ended = ended.context("the demo is a git repository, and git cannot be started; install git")?;
        let said = String::from_utf8_lossy(&ended.stderr);
        ensure!(ended.status.success(), "git {} failed: {}", arguments.join(" "), said.trim());
        Ok(String::from_utf8_lossy(&ended.stdout).trim().to_owned())
    }

    /// Commits what is staged, or just these files, and gives the commit's short name.
    pub(super) fn commit(&self, message: &str, files: &[&str], at: Timestamp) -> anyhow::Result<String> {
        self.run(&[&["commit", "--quiet", "--message", message, "--"], files].concat(), at)?;
        self.run(&["rev-parse", "--short=7", "HEAD"], at)
    }
}
