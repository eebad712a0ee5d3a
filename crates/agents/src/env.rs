//! What the environment says about where logs lie, as a plain value.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use trace::Agent;

/// The part of a process's surroundings that decides where logs are looked for.
#[derive(Clone, Debug, Default)]
pub struct Env {
    /// `None`: then only variables and `extra` name folders.
    pub home: Option<PathBuf>,
    pub vars: HashMap<String, String>,
    /// Further folders, from a setting.
    pub extra: Vec<(Agent, PathBuf)>,
}

impl Env {
    /// This process's environment. Variables that are not Unicode are left out.
    pub fn from_process() -> Env {
        let told =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let home =
            ["HOME", "USERPROFILE"].into_iter().find_map(|name| std::env::var_os(name).filter(|home| !home.is_empty()));
        Env { home: home.map(PathBuf::from), vars: told.collect(), extra: Vec::new() }
    }

    /// A variable's value; an empty one counts as not set.
    pub(crate) fn var(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    pub(crate) fn extra(&self, agent: Agent) -> impl Iterator<Item = PathBuf> {
        self.extra.iter().filter(move |(of, _)| *of == agent).map(|(_, path)| path.clone())
    }

    /// `~` and `~/x` as people write them where no shell expands them.
    pub fn expand(&self, path: &str) -> PathBuf {
        let below_home = path.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with(['/', '\\']));
        match (below_home, &self.home) {
            (Some(rest), Some(home)) => home.join(rest.trim_start_matches(['/', '\\'])),
            _ => Path::new(path).to_owned(),
        }
    }
}
