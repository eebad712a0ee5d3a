//! Which lines of one text are which lines of another, and how sure that is.
//!
//! A shortest edit script is one account of a change among many. What is asked here is what *all* of them say: Myers'
//! greedy algorithm run from both ends gives, for every diagonal, how far one comes with d edits; from that follows for
//! every pair of equal lines whether some shortest script keeps it, and for every new line whether some shortest script
//! inserts it. Time O((n + m) · d), memory O(d²).

use imara_diff::{Algorithm, Diff, Token};
use rustc_hash::FxHashMap;

/// What the shortest edit scripts say of one line of the new text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// All of them keep this line of the old text here.
    Sure(u32),
    /// Some of them do; and it stands in one run with a sure line, which no other line here does.
    Run(u32),
    /// None of them keeps an old line here.
    New,
    /// They disagree: one of these old lines (the first few), or (`maybe_new`) none.
    Unsure { candidates: Vec<u32>, maybe_new: bool },
}

impl Match {
    /// The old line, where one is told.
    pub fn old(&self) -> Option<u32> {
        match self {
            Match::Sure(old) | Match::Run(old) => Some(*old),
            Match::New | Match::Unsure { .. } => None,
        }
    }
}

/// One [`Match`] for each line of the new text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alignment(pub Vec<Match>);

/// Edits beyond which the exact question is too dear, and only lines that are unique in both texts are trusted.
const MOST_EDITS: usize = 1500;
/// The same in steps of the algorithm.
const MOST_WORK: usize = 40_000_000;
const MOST_CANDIDATES: usize = 8;
/// Pairs of lines that are compared before anything is built.
const FEW_PAIRS: usize = 4096;

/// Aligns two texts given as numbers of lines.
pub fn align(old: &[u32], new: &[u32]) -> Alignment {
    // Most edits replace a few lines by others: no script keeps any.
    if old.len() * new.len() <= FEW_PAIRS && !new.iter().any(|line| old.contains(line)) {
        return Alignment(vec![Match::New; new.len()]);
    }
    let most = MOST_EDITS.min(MOST_WORK / (old.len() + new.len() + 1) + 1);
    let mut matches = match Reach::both(old, new, most) {
        Some((forward, backward)) => exact(old, new, &forward, &backward),
        None => by_unique_lines(old, new),
    };
    extend_runs(old, new, &mut matches);
    Alignment(matches)
}

/// How far one comes: `at[d]` holds for the diagonals -d, -d+2, …, d (old minus new) the furthest old line.
struct Reach {
    at: Vec<Vec<i32>>,
}

impl Reach {
    /// From the beginning and from the end; `None` where more than `most` edits are needed.
    fn both(old: &[u32], new: &[u32], most: usize) -> Option<(Reach, Reach)> {
        let forward = Reach::run(old.len(), new.len(), most, |x, y| old[x] == new[y])?;
        let (n, m) = (old.len(), new.len());
        let backward = Reach::run(n, m, most, |x, y| old[n - 1 - x] == new[m - 1 - y])?;
        Some((forward, backward))
    }

    fn run(n: usize, m: usize, most: usize, same: impl Fn(usize, usize) -> bool) -> Option<Reach> {
        let (n, m) = (n as i32, m as i32);
        let mut at: Vec<Vec<i32>> = Vec::new();
        for d in 0..=(most as i32) {
            let mut row = Vec::with_capacity(d as usize + 1);
            for step in 0..=d {
                let k = 2 * step - d;
                // One edit from the row before: a deletion comes from k - 1, an insertion from k + 1.
                let before = at.last();
                let from = |k: i32| before.and_then(|row| reach_in(row, d - 1, k));
                let deleted = from(k - 1).map(|x| x + 1);
                let inserted = from(k + 1);
                let start = if d == 0 { Some(0) } else { deleted.max(inserted) };
                // Points outside of the texts are kept, clipped, so that rows stay regular.
                let mut x = start.unwrap_or(i32::MIN / 2);
                if x > n || x - k > m {
                    x = x.min(n).min(m + k);
                }
                while x >= 0 && x < n && x - k >= 0 && x - k < m && same(x as usize, (x - k) as usize) {
                    x += 1;
                }
                row.push(x);
            }
            let end = reach_in(&row, d, n - m).is_some_and(|x| x >= n);
            at.push(row);
            if end {
                return Some(Reach { at });
            }
        }
        None
    }

    /// Edits of a shortest script.
    fn edits(&self) -> i32 {
        self.at.len() as i32 - 1
    }

    /// The furthest old line on diagonal `k` with `d` edits.
    fn furthest(&self, d: i32, k: i32) -> Option<i32> {
        reach_in(self.at.get(usize::try_from(d).ok()?)?, d, k)
    }
}

fn reach_in(row: &[i32], d: i32, k: i32) -> Option<i32> {
    if k < -d || k > d || (k + d) % 2 != 0 {
        return None;
    }
    row.get(((k + d) / 2) as usize).copied()
}

fn exact(old: &[u32], new: &[u32], forward: &Reach, backward: &Reach) -> Vec<Match> {
    let (n, m) = (old.len() as i32, new.len() as i32);
    let total = forward.edits();
    let mut candidates: Vec<Found> = vec![Found::default(); new.len()];
    let mut inserted = vec![0i32; new.len() + 1];
    for k in -total..=total {
        // On a diagonal the old lines that are reached with exactly d edits form one interval.
        for d in (k.abs()..=total).step_by(2) {
            let Some((first, last)) = interval(forward, d, k, n, m) else { continue };
            // Kept lines: from x on diagonal k to x + 1, with the rest of the edits still to come. From the end,
            // diagonal k is (n - m) - k, and old line x + 1 is n - 1 - x lines away from it.
            let rest = total - d;
            if let Some((low, high)) = interval(backward, rest, n - m - k, n, m) {
                let from = first.max(n - high - 1);
                let to = last.min(n - low - 1);
                for x in from..=to {
                    let y = x - k;
                    if x >= 0 && x < n && y >= 0 && y < m && old[x as usize] == new[y as usize] {
                        candidates[y as usize].add(x as u32);
                    }
                }
            }
            // Inserted lines: from diagonal k to k - 1 at the same old line, with one edit.
            if rest >= 1
                && let Some((low, high)) = interval(backward, rest - 1, n - m - (k - 1), n, m)
            {
                let from = first.max(n - high).max(k);
                let to = last.min(n - low).min(m - 1 + k);
                if from <= to {
                    inserted[(from - k) as usize] += 1;
                    inserted[(to - k + 1) as usize] -= 1;
                }
            }
        }
    }
    let mut open = 0;
    let settle = |(found, change): (&Found, &i32)| {
        open += change;
        found.settle(open > 0)
    };
    candidates.iter().zip(&inserted).map(settle).collect()
}

/// The old lines x on diagonal `k` that need exactly `d` edits, first and last.
fn interval(reach: &Reach, d: i32, k: i32, n: i32, m: i32) -> Option<(i32, i32)> {
    let last = reach.furthest(d, k)?.min(n).min(m + k);
    let before = reach.furthest(d - 2, k).unwrap_or(-1);
    let first = (before + 1).max(0).max(k);
    (first <= last).then_some((first, last))
}

/// Old lines that some script keeps in one place: without a heap, for most lines have one.
#[derive(Clone, Default)]
struct Found {
    old: [u32; MOST_CANDIDATES],
    count: u8,
    more: bool,
}

impl Found {
    fn add(&mut self, old: u32) {
        match self.old.get_mut(usize::from(self.count)) {
            Some(free) => (*free, self.count) = (old, self.count + 1),
            None => self.more = true,
        }
    }

    fn settle(&self, maybe_new: bool) -> Match {
        match &self.old[..usize::from(self.count)] {
            [] => Match::New,
            [one] if !maybe_new => Match::Sure(*one),
            several => Match::Unsure { candidates: several.to_vec(), maybe_new: maybe_new || self.more },
        }
    }
}

/// For texts too different for the exact question: the lines that a histogram diff keeps and that are unique in both.
fn by_unique_lines(old: &[u32], new: &[u32]) -> Vec<Match> {
    let mut numbers: FxHashMap<u32, u32> = FxHashMap::default();
    let mut tokens = |ids: &[u32]| -> Vec<Token> {
        let number = |id: &u32| {
            let next = numbers.len() as u32;
            Token(*numbers.entry(*id).or_insert(next))
        };
        ids.iter().map(number).collect()
    };
    let (before, after) = (tokens(old), tokens(new));
    let mut diff = Diff::default();
    diff.compute_with(Algorithm::Histogram, &before, &after, numbers.len() as u32);
    let (old_count, new_count) = (count(old), count(new));
    let unique = |id: u32| old_count.get(&id) == Some(&1) && new_count.get(&id) == Some(&1);
    let mut matches = vec![Match::New; new.len()];
    let (mut x, mut y) = (0u32, 0u32);
    let mut keep = |x: &mut u32, y: &mut u32, until: u32| {
        while *x < until && (*y as usize) < new.len() {
            let id = new[*y as usize];
            if unique(id) {
                matches[*y as usize] = Match::Sure(*x);
            } else if old[*x as usize] == id {
                matches[*y as usize] = Match::Unsure { candidates: vec![*x], maybe_new: true };
            }
            (*x, *y) = (*x + 1, *y + 1);
        }
    };
    for hunk in diff.hunks() {
        keep(&mut x, &mut y, hunk.before.start);
        (x, y) = (hunk.before.end, hunk.after.end);
    }
    keep(&mut x, &mut y, old.len() as u32);
    // A line that stands elsewhere in the old text as well is not surely new.
    for (at, found) in matches.iter_mut().enumerate() {
        if *found == Match::New && old_count.contains_key(&new[at]) {
            *found = Match::Unsure { candidates: Vec::new(), maybe_new: true };
        }
    }
    matches
}

fn count(ids: &[u32]) -> FxHashMap<u32, u32> {
    let mut counts = FxHashMap::default();
    for id in ids {
        *counts.entry(*id).or_insert(0) += 1;
    }
    counts
}

/// Lets sure lines draw the equal lines beside them into their run, where no other line has as good a claim.
fn extend_runs(old: &[u32], new: &[u32], matches: &mut [Match]) {
    let open = |y: usize| matches!(matches[y], Match::Unsure { .. });
    let forward_from = |mut x: usize, mut y: usize, claims: &mut Vec<(u32, usize)>| {
        while x < old.len() && y < new.len() && old[x] == new[y] && open(y) {
            claims.push((x as u32, y));
            (x, y) = (x + 1, y + 1);
        }
    };
    let backward_from = |mut x: usize, mut y: usize, claims: &mut Vec<(u32, usize)>| {
        while x > 0 && y > 0 && old[x - 1] == new[y - 1] && open(y - 1) {
            (x, y) = (x - 1, y - 1);
            claims.push((x as u32, y));
        }
    };
    let mut claims: Vec<(u32, usize)> = Vec::new();
    for (at, found) in matches.iter().enumerate() {
        let Match::Sure(x) = found else { continue };
        forward_from(*x as usize + 1, at + 1, &mut claims);
        backward_from(*x as usize, at, &mut claims);
    }
    // The beginnings and the ends of the texts belong together as well.
    forward_from(0, 0, &mut claims);
    backward_from(old.len(), new.len(), &mut claims);
    claims.sort_unstable();
    claims.dedup();
    let mut by_old: FxHashMap<u32, u32> = FxHashMap::default();
    let mut by_new: FxHashMap<usize, u32> = FxHashMap::default();
    for (x, y) in &claims {
        *by_old.entry(*x).or_insert(0) += 1;
        *by_new.entry(*y).or_insert(0) += 1;
    }
    let taken: rustc_hash::FxHashSet<u32> =
        matches.iter().filter_map(|found| if let Match::Sure(x) = found { Some(*x) } else { None }).collect();
    for (x, y) in claims {
        if by_old.get(&x) == Some(&1) && by_new.get(&y) == Some(&1) && !taken.contains(&x) {
            matches[y] = Match::Run(x);
        }
    }
}

/// Lines that stand elsewhere as well, kept in the middle of lines that were all replaced, are kept by chance: whoever
/// wrote the lines around them wrote them too, or did not. A run with a line that is unique in both texts is no chance,
/// nor is one that goes on from the run before or to the run after without a deleted line between.
pub(crate) fn doubt_islands(old: &[u32], new: &[u32], matches: &mut [Match]) {
    for at in 1..matches.len().saturating_sub(1) {
        let among_new = matches[at - 1] == Match::New && matches[at + 1] == Match::New;
        if let Match::Unsure { maybe_new, .. } = &mut matches[at] {
            *maybe_new |= among_new;
        }
    }
    let mut at = 0;
    let mut above: Option<u32> = None;
    let mut counts = None;
    while at < matches.len() {
        let Some(first) = matches[at].old() else {
            at += 1;
            continue;
        };
        let goes_on = |y: usize, x: u32| matches.get(y).and_then(Match::old) == Some(x);
        let len = (0..).find(|n| !goes_on(at + n, first + *n as u32)).unwrap_or(1);
        let last = first + len as u32 - 1;
        let below = matches[at + len..].iter().find_map(Match::old);
        let cut_above = above.map_or(first > 0, |above| above + 1 < first);
        let cut_below = below.map_or((last as usize) + 1 < old.len(), |below| last + 1 < below);
        let inside = at > 0 && at + len < new.len();
        let is_new = |y: usize| matches.get(y).is_some_and(|found| found.old().is_none());
        let among_new = inside && is_new(at - 1) && is_new(at + len);
        let alone = inside && cut_above && cut_below || among_new && (cut_above || cut_below);
        if alone {
            let (olds, news) = counts.get_or_insert_with(|| (count(old), count(new)));
            let unique = |id: &u32| olds.get(id) == Some(&1) && news.get(id) == Some(&1);
            if !new[at..at + len].iter().any(unique) {
                for (n, found) in matches[at..at + len].iter_mut().enumerate() {
                    *found = Match::Unsure { candidates: vec![first + n as u32], maybe_new: true };
                }
            }
        }
        (above, at) = (Some(last), at + len);
    }
}

/// Lines that are gone which are looked back over for one that tells where they went.
const MOST_GONE: usize = 64;

/// A line that stayed beside lines that are gone, while those stand elsewhere with one like it beside them, may have gone
/// with them; then somebody else put another one in its place.
pub(crate) fn doubt_edges_of_moves(old: &[u32], new: &[u32], matches: &mut [Match]) {
    let mut now: Vec<Option<usize>> = vec![None; old.len()];
    let mut came: FxHashMap<u32, Option<usize>> = FxHashMap::default();
    for (y, found) in matches.iter().enumerate() {
        match found.old() {
            Some(x) => now[x as usize] = Some(y),
            None => {
                came.entry(new[y]).and_modify(|place| *place = None).or_insert(Some(y));
            }
        }
    }
    if came.is_empty() || now.iter().all(Option::is_some) {
        return;
    }
    let is_free = |y: usize| matches.get(y).is_some_and(|found| found.old().is_none());
    let stands = |x: usize, y: usize| old.get(x) == new.get(y) && is_free(y);
    let is_gone = |x: &usize| now.get(*x) == Some(&None);
    let mut doubtful: Vec<(usize, usize)> = Vec::new();
    for (x, y) in now.iter().enumerate().filter_map(|(x, y)| Some((x, (*y)?))) {
        // After lines that are gone, and where these end elsewhere.
        let above = (0..x).rev().take_while(is_gone).take(MOST_GONE);
        let end = above.filter_map(|gone| Some((x - gone, came.get(old.get(gone)?).copied().flatten()?)));
        let mut end = end.filter(|(len, z)| (0..*len).all(|n| stands(x - len + n, z + n))).map(|(len, z)| z + len);
        if let Some(end) = end.next() {
            let moved = (0..).take_while(|n| now.get(x + n) == Some(&Some(y + n)) && stands(x + n, end + n));
            doubtful.extend(moved.map(|n| (x + n, y + n)));
        }
        // Before lines that are gone, and where these begin elsewhere.
        let below = (x + 1..old.len()).take_while(is_gone).take(MOST_GONE);
        let start = below.filter_map(|gone| Some((gone - x, came.get(old.get(gone)?).copied().flatten()?)));
        let mut start = start
            .filter(|(len, z)| len <= z && (0..*len).all(|n| stands(x + 1 + n, z + 1 - len + n)))
            .map(|(len, z)| z - len);
        if let Some(start) = start.next() {
            let least = x.min(y).min(start);
            let moved = (0..=least).take_while(|n| now[x - n] == Some(y - n) && stands(x - n, start - n));
            doubtful.extend(moved.map(|n| (x - n, y - n)));
        }
    }
    for (x, y) in doubtful {
        matches[y] = Match::Unsure { candidates: vec![x as u32], maybe_new: true };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    fn ids(text: &str) -> Vec<u32> {
        text.chars().map(u32::from).collect()
    }

    /// Each character is a line; the answer has one sign for each line of the new text: `=` sure, `~` run, `+` new, `?`.
    fn check(old: &str, new: &str, expect: Expect) {
        show(&align(&ids(old), &ids(new)).0, expect);
    }

    fn islands(old: &str, new: &str, expect: Expect) {
        let Alignment(mut matches) = align(&ids(old), &ids(new));
        doubt_islands(&ids(old), &ids(new), &mut matches);
        show(&matches, expect);
    }

    fn edges(old: &str, new: &str, expect: Expect) {
        let Alignment(mut matches) = align(&ids(old), &ids(new));
        doubt_edges_of_moves(&ids(old), &ids(new), &mut matches);
        show(&matches, expect);
    }

    fn show(matches: &[Match], expect: Expect) {
        let sign = |found: &Match| match found {
            Match::Sure(_) => '=',
            Match::Run(_) => '~',
            Match::New => '+',
            Match::Unsure { .. } => '?',
        };
        expect.assert_eq(&matches.iter().map(sign).collect::<String>());
    }

    #[test]
    fn accounts() {
        check("", "", expect![[""]]);
        check("", "ab", expect!["++"]);
        check("ab", "", expect![[""]]);
        check("abc", "abc", expect!["==="]);
        check("abc", "aXbc", expect!["=+=="]);
        check("abc", "aXc", expect!["=+="]);
        // An inserted block may slide: either x is the old one.
        check("PxQ", "PxaxQ", expect!["=?+?="]);
        // The old x stands beside Q, the other inside the block.
        check("PxQ", "PaxbxQ", expect!["=+?+~="]);
        check("ab", "ba", expect!["??"]);
        // A line that stands elsewhere too, among lines that were all replaced.
        islands("xABxCD", "xEFxGH", expect!["=++?++"]);
        islands("xABzCD", "xEFzGH", expect!["=++=++"]);
        // The x of ABx, which is at the end now, or another one.
        edges("ABxPQRST", "CDxPQRSTABx", expect!["++?=====+++"]);
        edges("PQRSTxAB", "xABPQRSTxCD", expect!["+++=====?++"]);
        edges("ABxPQRST", "CDxPQRSTAB", expect!["++======++"]);
        check("aab", "ab", expect!["?="]);
        check("ab", "aab", expect!["??="]);
    }

    /// All shortest scripts by trying them: for each new line the old lines kept there, and whether it may be new.
    fn all_scripts(old: &[u32], new: &[u32]) -> Vec<(Vec<u32>, bool)> {
        let (n, m) = (old.len(), new.len());
        let mut to_end = vec![vec![0usize; m + 1]; n + 1];
        let mut from_start = to_end.clone();
        for x in (0..=n).rev() {
            for y in (0..=m).rev() {
                to_end[x][y] = match (x < n, y < m) {
                    (false, _) => m - y,
                    (_, false) => n - x,
                    _ if old[x] == new[y] => to_end[x + 1][y + 1],
                    _ => 1 + to_end[x + 1][y].min(to_end[x][y + 1]),
                };
            }
        }
        for x in 0..=n {
            for y in 0..=m {
                from_start[x][y] = match (x > 0, y > 0) {
                    (false, _) => y,
                    (_, false) => x,
                    _ if old[x - 1] == new[y - 1] => from_start[x - 1][y - 1],
                    _ => 1 + from_start[x - 1][y].min(from_start[x][y - 1]),
                };
            }
        }
        let total = to_end[0][0];
        let line = |y: usize| {
            let kept = (0..n).filter(|&x| old[x] == new[y] && from_start[x][y] + to_end[x + 1][y + 1] == total);
            let maybe_new = (0..=n).any(|x| from_start[x][y] + 1 + to_end[x][y + 1] == total);
            (kept.map(|x| x as u32).collect(), maybe_new)
        };
        (0..m).map(line).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn agrees_with_all_shortest_scripts(old in proptest::collection::vec(0u32..4, 0..14), new in proptest::collection::vec(0u32..4, 0..14)) {
            let (forward, backward) = Reach::both(&old, &new, 100).expect("short texts");
            let found = exact(&old, &new, &forward, &backward);
            for (at, (kept, maybe_new)) in all_scripts(&old, &new).into_iter().enumerate() {
                let expected = match (kept.as_slice(), maybe_new) {
                    ([], _) => Match::New,
                    ([one], false) => Match::Sure(*one),
                    _ => {
                        let Match::Unsure { candidates, maybe_new: said } = &found[at] else {
                            panic!("line {at}: {:?}, expected {kept:?} {maybe_new}", found[at]);
                        };
                        let mut candidates = candidates.clone();
                        candidates.sort_unstable();
                        prop_assert_eq!(&candidates, &kept[..kept.len().min(candidates.len())].to_vec());
                        prop_assert_eq!(*said, maybe_new || kept.len() > MOST_CANDIDATES);
                        continue;
                    }
                };
                prop_assert_eq!(&found[at], &expected, "line {}", at);
            }
        }

        #[test]
        fn unique_lines_of_different_texts_are_right(seed in proptest::collection::vec(0u32..40, 0..60), cut in 0usize..60) {
            let mut new = seed.clone();
            new.rotate_left(cut.min(seed.len()));
            for (at, found) in by_unique_lines(&seed, &new).iter().enumerate() {
                if let Match::Sure(x) = found {
                    prop_assert_eq!(seed[*x as usize], new[at]);
                }
            }
        }
    }
}
