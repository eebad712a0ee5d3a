//! Which files a command may have touched, for the step that ran it.

use std::sync::Arc;

use trace::Touches;

/// `None`: it only reads.
pub(crate) fn touches(command: &str, cwd: Option<&str>) -> Option<Arc<Touches>> {
    let list = shell::touches(command);
    (!list.is_empty()).then(|| Arc::new(Touches { cwd: cwd.map(Into::into), list: list.into() }))
}
