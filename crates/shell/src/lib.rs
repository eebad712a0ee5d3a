//! What a command line does to files.
//!
//! An agent runs commands in a shell; a log keeps their text and what they printed, not what they wrote. This crate
//! reads such a text (bash, zsh or sh) and tells, in order, what it did or may have done to files. It reads no file and
//! knows no folder: paths are told relative to where the command began.
//!
//! One error is worse than all others: to tell that a command cannot have written a file that it wrote. So what is not
//! known to only read is an [`Act::Program`], which may have written any file; so is all that is not understood. What
//! nobody can know from the text stays unseen: aliases, functions of a person's own, programs that stand in for others
//! of the same name, links between files, and what a pager, a hook or a configuration does. (A command that runs hooks of
//! git or scripts of a package is told as one.)

mod act;
mod brace;
mod escapes;
mod field;
mod git;
mod pattern;
mod perl;
mod programs;
mod run;
mod script;
mod sed;
mod syntax;
#[cfg(test)]
mod tests;
mod tools;
mod touches;

pub use act::{Act, Effect, Effects, Git, GitVerb, Sure};
pub use script::{Script, Substitution};
pub use touches::touches;

/// What one command line does, in the order in which it does it.
pub fn effects(command: &str) -> Effects {
    run::run(command, run::Cd::Works)
}
