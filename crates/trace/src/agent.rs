//! The coding agents whose logs are read.

use std::fmt;

use bitcode::{Decode, Encode};

/// A coding agent. The order is the order in which lists name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[non_exhaustive]
pub enum Agent {
    ClaudeCode,
    Codex,
    Gemini,
}

impl Agent {
    pub const ALL: [Agent; 3] = [Agent::ClaudeCode, Agent::Codex, Agent::Gemini];

    /// The name in JSON, URIs and settings: `claude-code`.
    pub fn id(self) -> &'static str {
        match self {
            Agent::ClaudeCode => "claude-code",
            Agent::Codex => "codex",
            Agent::Gemini => "gemini-cli",
        }
    }

    /// The name that its users say, in lenses and lists: `Claude`.
    pub fn short(self) -> &'static str {
        match self {
            Agent::ClaudeCode => "Claude",
            Agent::Codex => "Codex",
            Agent::Gemini => "Gemini",
        }
    }

    /// The product's full name, in headers and sentences: `Claude Code`.
    pub fn full(self) -> &'static str {
        match self {
            Agent::ClaudeCode => "Claude Code",
            Agent::Codex => "Codex",
            Agent::Gemini => "Gemini CLI",
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
            Agent::Gemini => format!("gemini --resume {session}"),
        }
    }
}

impl fmt::Display for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
