//! What the commands that agents run in a shell may do to files.

use std::sync::Arc;

use trace::{Touch, TouchKind, Touches};

/// What a command line for bash, zsh or sh may do to files. `None`: it only reads.
pub(crate) fn touches(command: &str, cwd: Option<Arc<str>>) -> Option<Arc<Touches>> {
    let list = shell::touches(command);
    (!list.is_empty()).then(|| Arc::new(Touches { cwd, list: list.into() }))
}

/// The same where the shell's language is not read: it may have done anything.
pub(crate) fn any_touch(cwd: Option<Arc<str>>) -> Arc<Touches> {
    let any = Touch { kind: TouchKind::Program, targets: None };
    Arc::new(Touches { cwd, list: Box::new([any]) })
}
