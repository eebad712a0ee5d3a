//! The answer's types.

use trace::Target;

use crate::Script;

/// What a command line does to files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    /// In the order in which they happen. Empty: the command is known to only read.
    pub acts: Vec<Effect>,
    /// Acts follow a `cd` whose failing would not have kept them from happening (`cd src; rm a.rs`). Paths are told
    /// as if it worked; where the output says that it did not, they lie in the folder before.
    pub unchecked_cd: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    pub act: Act,
    pub sure: Sure,
}

/// Whether an act happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sure {
    /// Whether it was tried depends on what nobody knows: a condition, a loop, what another program said.
    Maybe,
    /// It was tried, whatever the status of the whole command. (Only something that hardly ever fails, such as `cd`,
    /// could have kept it from being tried.)
    Tried,
    /// It was tried, and where the whole command ended with 0 it did not fail.
    Done,
}

/// One thing done to files. Paths are [`Target`]s: relative ones count from the folder in which the command began,
/// whatever `cd` stands before them; a folder stands for all below it, too.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// A file's whole new text, or what is put at its end. `text: None` where only the file is known.
    Write {
        target: Target,
        text: Option<String>,
        append: bool,
    },
    /// What is done to each line of these files (`sed -i`, `perl -pi -e`), and nothing else.
    Substitute {
        targets: Vec<Target>,
        script: Script,
    },
    /// A formatter. `everywhere`: also files that are not named, wherever its project lies.
    Format {
        name: String,
        targets: Vec<Target>,
        everywhere: bool,
    },
    /// Where `to` is a folder, the files lie in it afterwards.
    Move {
        from: Vec<Target>,
        to: Target,
    },
    Copy {
        from: Vec<Target>,
        to: Target,
    },
    Remove {
        targets: Vec<Target>,
        recursive: bool,
    },
    /// git brings the work tree or HEAD to another state, or hooks run.
    Git(Git),
    /// A tool that builds, checks or tests: it may write generated files and snapshots, and normally writes no source.
    Build {
        name: String,
    },
    /// A program that is not known to only read: it may have written any file. `names` are those of its arguments that
    /// look like paths. An empty name: something that was not understood.
    Program {
        name: String,
        names: Vec<Target>,
    },
}

/// A command of git that changes the work tree or HEAD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Git {
    pub verb: GitVerb,
    /// The folder in which git ran.
    pub at: Target,
    /// Commits, branches, remotes and other operands, as typed.
    pub names: Vec<String>,
    /// The paths to which it was confined. Empty: the whole work tree.
    pub targets: Vec<Target>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GitVerb {
    Am,
    Apply,
    Bisect,
    /// To a branch or commit, or files back to one: which of both, `targets` tells (not empty: only these files).
    Checkout,
    CherryPick,
    Clean,
    Clone,
    /// The work tree stays as it is, but for what hooks do.
    Commit,
    Init,
    Merge,
    Pull,
    /// The work tree stays as it is, but for what hooks do.
    Push,
    Rebase,
    /// `--hard`, `--merge` and `--keep` change files; others only the index and HEAD.
    Reset {
        files: bool,
    },
    Restore,
    Revert,
    SparseCheckout,
    StashApply,
    StashPop,
    StashPush,
    Submodule,
    Subtree,
    Switch,
    WorktreeAdd,
    WorktreeMove,
    WorktreeRemove,
}

impl Effects {
    /// Whether the command is known to write nothing.
    pub fn only_reads(&self) -> bool {
        self.acts.is_empty()
    }
}
