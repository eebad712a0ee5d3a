//! A whole text in which lines come and go.

use std::ops::Range;

use crate::timeline::{Line, Splice};

/// The lines of a text in pages, so that a change costs a page and not the rest of the text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paged {
    /// None of them is empty.
    pages: Vec<Vec<Line>>,
    len: usize,
}

/// Lines of a page when it is made. It is parted when it has twice as many.
const PAGE: usize = 512;

impl Paged {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Line> {
        self.pages.iter().flatten()
    }

    pub(crate) fn to_vec(&self) -> Vec<Line> {
        self.pages.concat()
    }

    /// The lines from a place on; nothing where it lies behind the end.
    pub(crate) fn from(&self, at: usize) -> impl Iterator<Item = &Line> {
        let (page, inside) = self.page_of(at);
        self.pages.get(page..).unwrap_or_default().iter().flatten().skip(inside)
    }

    /// `None`: the text has no such lines.
    pub(crate) fn part(&self, lines: Range<usize>) -> Option<Vec<Line>> {
        let inside = lines.start <= lines.end && lines.end <= self.len;
        inside.then(|| self.from(lines.start).take(lines.len()).copied().collect())
    }

    /// Puts lines in the place of others, as far as there are any.
    pub(crate) fn splice(&mut self, at: usize, removed: usize, added: &[Line]) {
        let at = at.min(self.len);
        let removed = removed.min(self.len - at);
        self.len = self.len - removed + added.len();
        let (page, inside) = self.page_of(at);
        self.remove_behind(page, inside, removed);
        match self.pages.get_mut(page) {
            Some(lines) => {
                let here = removed.min(lines.len() - inside);
                lines.splice(inside..inside + here, added.iter().copied());
            }
            None => self.pages.push(added.to_vec()),
        }
        self.part_page(page);
    }

    pub(crate) fn do_splices(&mut self, splices: &[Splice]) {
        for splice in splices {
            self.splice(splice.at as usize, splice.removed.len(), &splice.added);
        }
    }

    pub(crate) fn undo_splices(&mut self, splices: &[Splice]) {
        for splice in splices.iter().rev() {
            self.splice(splice.at as usize, splice.added.len(), &splice.removed);
        }
    }

    /// The page in which a line lies, and its place there. What lies behind the last line is at the end of the last page.
    fn page_of(&self, at: usize) -> (usize, usize) {
        let mut rest = at;
        for (page, lines) in self.pages.iter().enumerate() {
            if rest < lines.len() {
                return (page, rest);
            }
            rest -= lines.len();
        }
        match self.pages.last() {
            Some(last) => (self.pages.len() - 1, last.len() + rest),
            None => (0, rest),
        }
    }

    /// Removes those of `removed` lines that lie on later pages than the first of them.
    fn remove_behind(&mut self, page: usize, inside: usize, removed: usize) {
        let mut left = removed.saturating_sub(self.pages.get(page).map_or(0, |lines| lines.len() - inside));
        let mut whole = page + 1;
        while let Some(lines) = self.pages.get_mut(whole).filter(|_| left > 0) {
            if left < lines.len() {
                lines.drain(..left);
                break;
            }
            left -= lines.len();
            whole += 1;
        }
        if whole > page + 1 {
            self.pages.drain(page + 1..whole);
        }
    }

    /// Parts a page that has become too long; takes away one that is empty.
    fn part_page(&mut self, page: usize) {
        let Some(lines) = self.pages.get_mut(page) else { return };
        if lines.is_empty() {
            self.pages.remove(page);
        } else if lines.len() >= 2 * PAGE {
            let all = std::mem::take(lines);
            self.pages.splice(page..=page, all.chunks(PAGE).map(<[Line]>::to_vec));
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.pages.iter().map(|page| page.capacity() * size_of::<Line>() + size_of::<Vec<Line>>()).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(from: usize, count: usize) -> Vec<Line> {
        (from..from + count).map(|id| Line { id: id as u32, mark: 0 }).collect()
    }

    proptest! {
        /// As a vector does it.
        #[test]
        fn lines_come_and_go(changes in proptest::collection::vec((0usize..4000, 0usize..2500, 0usize..2500), 1..30)) {
            let (mut paged, mut plain) = (Paged::default(), Vec::new());
            for (number, (at, removed, added)) in changes.into_iter().enumerate() {
                let added = lines(number * 10_000, added);
                paged.splice(at, removed, &added);
                let at = at.min(plain.len());
                let end = (at + removed).min(plain.len());
                plain.splice(at..end, added);
                prop_assert_eq!(&paged.to_vec(), &plain);
                prop_assert_eq!(paged.len(), plain.len());
                prop_assert!(paged.from(at).eq(&plain[at..]));
                prop_assert_eq!(paged.part(at..end), plain.get(at..end).map(<[Line]>::to_vec));
                prop_assert!(paged.pages.iter().all(|page| !page.is_empty() && page.len() < 2 * PAGE));
            }
        }
    }
}
