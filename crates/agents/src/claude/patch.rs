//! White space of patches: Claude Code writes `structuredPatch` for the eye, with two blanks for each leading tab.

use std::borrow::Cow;

use rustc_hash::FxHashMap;
use trace::{Change, Hunk};

/// Gives lines of the change's hunks their tabs back, where the change's own texts hold the lines. A line that they do
/// not hold, or in two spellings, stays as the log has it.
pub(super) fn restore_tabs(change: &mut Change) {
    let is_indented = |line: &str| line.get(1..).is_some_and(|line| line.starts_with("  "));
    if !change.hunks.iter().flat_map(|hunk| &hunk.lines).any(|line| is_indented(line)) {
        return;
    }
    let old = Side::new(change.before.as_deref(), change.replacements.iter().map(|one| &*one.old));
    let after = change.after.as_deref().map(Cow::Borrowed).or_else(|| replaced(change).map(Cow::Owned));
    let new = Side::new(after.as_deref(), change.replacements.iter().map(|one| &*one.new));
    for hunk in &mut change.hunks {
        restore_hunk(hunk, &old, &new);
    }
}

/// The text that the replacements make of the one before.
fn replaced(change: &Change) -> Option<String> {
    let before = change.before.as_deref()?.to_owned();
    Some(change.replacements.iter().filter(|one| !one.old.is_empty()).fold(before, |text, one| match one.all {
        true => text.replace(&*one.old, &one.new),
        false => text.replacen(&*one.old, &one.new, 1),
    }))
}

fn restore_hunk(hunk: &mut Hunk, old: &Side<'_>, new: &Side<'_>) {
    let (mut old_number, mut new_number) = (hunk.old_start, hunk.new_start);
    for line in &mut hunk.lines {
        let Some((sign, shown)) = line.split_at_checked(1) else { continue };
        let exact = match sign {
            "-" => old.line(old_number, shown),
            "+" => new.line(new_number, shown),
            _ => old.line(old_number, shown).or_else(|| new.line(new_number, shown)),
        };
        old_number = old_number.saturating_add(u32::from(sign != "+"));
        new_number = new_number.saturating_add(u32::from(sign != "-"));
        if let Some(exact) = exact.filter(|exact| *exact != shown) {
            *line = format!("{sign}{exact}").into();
        }
    }
}

/// What is known of the text on one side of a change.
struct Side<'t> {
    /// The whole text's lines; empty where it is not known.
    whole: Vec<&'t str>,
    /// Lines by what a patch shows for them; `None` for two that are shown alike.
    by_shown: FxHashMap<Cow<'t, str>, Option<&'t str>>,
}

impl<'t> Side<'t> {
    fn new(whole: Option<&'t str>, parts: impl Iterator<Item = &'t str>) -> Side<'t> {
        let mut by_shown: FxHashMap<Cow<'t, str>, Option<&'t str>> = FxHashMap::default();
        for line in parts.flat_map(|part| part.split('\n')) {
            let known = by_shown.entry(shown(line)).or_insert(Some(line));
            if *known != Some(line) {
                *known = None;
            }
        }
        Side { whole: whole.map_or_else(Vec::new, |text| text.split('\n').collect()), by_shown }
    }

    /// The line at `number` (from 1), if that is how a patch shows it; else the one line that it shows so.
    fn line(&self, number: u32, as_shown: &str) -> Option<&'t str> {
        let there = (number as usize).checked_sub(1).and_then(|at| self.whole.get(at).copied());
        there.filter(|line| shown(line) == as_shown).or_else(|| self.by_shown.get(as_shown).copied().flatten())
    }
}

fn shown(line: &str) -> Cow<'_, str> {
    let rest = line.trim_start_matches('\t');
    match line.len() - rest.len() {
        0 => Cow::Borrowed(line),
        tabs => Cow::Owned("  ".repeat(tabs) + rest),
    }
}
