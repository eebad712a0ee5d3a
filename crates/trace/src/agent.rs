//! The coding agents whose logs are read.

use std::fmt;

/// A coding agent. The order is the order in which lists name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Agent {
    ClaudeCode,
    Codex,
}

impl Agent {
    pub const ALL: [Agent; 2] = [Agent::ClaudeCode, Agent::Codex];

    /// The name in JSON, URIs and settings: `claude-code`.
    pub fn id(self) -> &'static str {
        match self {
            Agent::ClaudeCode => "claude-code",
            Agent::Codex => "codex",
        }
    }

    /// The name that its users say, in lenses and lists: `Claude`.
    pub fn short(self) -> &'static str {
        match self {
            Agent::ClaudeCode => "Claude",
            Agent::Codex => "Codex",
        }
    }

    /// The product's full name, in headers and sentences: `Claude Code`.
    pub fn full(self) -> &'static str {
        match self {
            Agent::ClaudeCode => "Claude Code",
            Agent::Codex => "Codex",
        }
    }

    pub fn from_id(id: &str) -> Option<Agent> {
        Agent::ALL.into_iter().find(|agent| agent.id() == id)
    }

    /// The command line that takes up a session again.
    pub fn resume_command(self, session: &str) -> String {
        match self {
            Agent::ClaudeCode => format!("claude --resume {session}"),
            Agent::Codex => format!("codex resume {session}"),
        }
    }
}

impl fmt::Display for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
