//! Names that a log repeats: one string for all of them.

use std::sync::Arc;

/// Names that are shared at once; a log knows few tools and models.
const MOST: usize = 64;

/// Names met, the newest last.
#[derive(Default)]
pub(crate) struct Names(Vec<Arc<str>>);

impl Names {
    pub(crate) fn get(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.iter().find(|known| ***known == *name) {
            return known.clone();
        }
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        let name: Arc<str> = name.into();
        self.0.push(name.clone());
        name
    }
}
