//! What a file was before a command moved it.
//!
//! `mv a b` makes `b` of `a` where there is no folder `b`, and `b/a` where there is one. The command line does not say
//! which, so a file below a folder that was moved is only taken for another one where something proves it.

use std::path::Path;

use provenance::{Happening, Timeline};
use repo::Repo;
use shell::{Act, Sure};
use trace::TouchKind;

use crate::Moment;
use crate::commands::Run;
use crate::gather::{Clue, Depth, StepNumbers, What, read_text};
use crate::mapping::Target;

/// Commands that moved a file that are followed.
const MOST_MOVES: usize = 8;

/// A file that another one may have been before a move; absolute, as the log spells it.
#[derive(Debug, PartialEq, Eq)]
struct Former {
    path: String,
    /// It lay in a folder that was moved as a whole: whether under its new name or into a folder has to be proven.
    doubtful: bool,
    /// What is there, or was, if the command is to be read the other way.
    otherwise: Vec<String>,
}

impl Moment<'_> {
    /// What is known of the files that this one was before commands moved it, until they did: where nothing is known of
    /// the file itself from before, and the command line certainly names both.
    pub(crate) fn clues_of_moves(&self, target: &Target<'_>, depth: Depth, clues: &mut Vec<Clue>) {
        let (Some(repo), Some(rel)) = (target.repo, &target.rel) else { return };
        let moves = clues.iter().filter_map(|clue| match &clue.what {
            What::Ran(run) if run.kinds.contains(&TouchKind::Move) && !run.failed => Some((clue.clone(), run.clone())),
            _ => None,
        });
        for (moved, run) in moves.take(MOST_MOVES).collect::<Vec<_>>() {
            let was_there = |clue: &Clue| clue.tells() && clue.is_before(&moved);
            let Some(root) = run.path.strip_suffix(rel.as_str()).filter(|_| !clues.iter().any(was_there)) else {
                continue;
            };
            let Some(effects) = self.effects(&moved, &run).filter(|effects| !effects.unchecked_cd) else { continue };
            let done = effects.acts.iter().filter(|effect| effect.sure == Sure::Done);
            let formers = done.flat_map(|effect| self.formers(&moved, &run, &effect.act));
            let below_root = |path: &str| path.strip_prefix(root).map(str::to_owned);
            let mut proven: Vec<Vec<Clue>> = Vec::new();
            for former in formers {
                let Some(path) = below_root(&former.path) else { continue };
                let former_target = Target::new(&repo.root().join(path), Some(repo));
                let mut of_former = Vec::new();
                self.clues_of_file(&former_target, depth, &mut of_former);
                of_former.retain(|clue| clue.is_before(&moved) && clue.tree == moved.tree);
                let mut others = former.otherwise.iter().filter_map(|other| below_root(other));
                let refuted = others.any(|other| lies_or_lay(repo, &other));
                let goes_on = || !former.doubtful || self.goes_on(target, &former_target, &of_former, clues, &moved);
                if of_former.iter().any(Clue::tells) && !refuted && goes_on() {
                    proven.push(of_former);
                }
            }
            // Of two, nothing tells which.
            if let [_] = proven.as_slice() {
                clues.extend(proven.into_iter().flatten());
            }
        }
    }

    /// The files that this one may have been before an act.
    fn formers(&self, moved: &Clue, run: &Run, act: &Act) -> Vec<Former> {
        let Act::Move { from, to } = act else { return Vec::new() };
        let cwd = run.touches.cwd.as_deref();
        let Some(to) = to.place(cwd) else { return Vec::new() };
        let from: Vec<Option<String>> = from.iter().map(|from| from.place(cwd)).collect();
        let is_folder = from.len() > 1 || self.told_below(moved, &to);
        from.iter().flatten().flat_map(|from| formers(&run.path, from, &to, is_folder)).collect()
    }

    /// Whether the log of this clue told of a file below a folder before.
    fn told_below(&self, moved: &Clue, folder: &str) -> bool {
        let Some(log) = self.logs.load(moved.log) else { return false };
        let below = |path: &str| rest_below(path, folder).is_some_and(|rest| !rest.is_empty());
        log.all_steps().filter_map(|step| step.result.as_ref()).any(|result| {
            let paths = result.edits.iter().map(|edit| &edit.path).chain(&result.whole_read);
            result.order * 2 + 1 < moved.order && paths.into_iter().any(|path| below(path))
        })
    }

    /// Whether the text in which the file is seen first after a move is the one that the other file had last.
    fn goes_on(
        &self,
        target: &Target<'_>,
        former: &Target<'_>,
        of_former: &[Clue],
        clues: &[Clue],
        moved: &Clue,
    ) -> bool {
        let mut after: Vec<&Clue> = clues.iter().filter(|clue| clue.tells() && !clue.is_before(moved)).collect();
        after.sort_by_key(|clue| (clue.log != moved.log, clue.at, clue.order));
        let seen = after.into_iter().find_map(|clue| self.text_found(clue, target));
        let seen = seen.unwrap_or_else(|| read_text(&target.path));
        let last = || self.timeline_of(former, of_former).newest_text(moved.tree);
        seen.is_some_and(|seen| last().is_some_and(|last| provenance::is_mostly(&last, &seen)))
    }

    /// The whole text that an event found, or showed; `Some(None)`: there was no file. `None`: it tells neither.
    fn text_found(&self, clue: &Clue, target: &Target<'_>) -> Option<Option<String>> {
        match self.event(clue, target, &mut StepNumbers::default())?.what {
            Happening::Seen { text, .. } => Some(Some(text.to_string())),
            Happening::Edit { change, .. } if change.created => Some(None),
            Happening::Edit { change, .. } => change.before.as_ref().map(|before| Some(before.to_string())),
            Happening::Ran { .. } | Happening::ByHand => None,
        }
    }

    fn timeline_of(&self, target: &Target<'_>, clues: &[Clue]) -> Timeline {
        let mut clues = clues.to_vec();
        clues.sort_by_key(|clue| (clue.at, clue.log, clue.order));
        let slots: Vec<_> = clues.iter().map(Clue::slot).collect();
        let (mut timeline, mut numbers) = (Timeline::new(), StepNumbers::default());
        timeline.sync(&slots, |which| self.event(clues.get(which)?, target, &mut numbers));
        timeline
    }
}

/// The files that `path` may have been before `from` was moved to `to`, of which it may be known that it was a folder.
fn formers(path: &str, from: &str, to: &str, is_folder: bool) -> Vec<Former> {
    let Some(rest) = rest_below(path, to) else { return Vec::new() };
    let (from, to) = (from.trim_end_matches('/'), to.trim_end_matches('/'));
    let Some(name) = from.rsplit('/').next() else { return Vec::new() };
    let mut formers = Vec::new();
    if let Some(rest) = rest_below(rest, &format!("/{name}")) {
        let doubtful = !is_folder && !rest.is_empty();
        let otherwise = doubtful.then(|| format!("{to}{rest}")).into_iter().collect();
        formers.push(Former { path: format!("{from}{rest}"), doubtful, otherwise });
    }
    if !is_folder {
        let doubtful = !rest.is_empty();
        let into = format!("{to}/{name}");
        let otherwise = [into.clone(), format!("{into}{rest}")].into_iter().take(1 + usize::from(doubtful)).collect();
        formers.push(Former { path: format!("{from}{rest}"), doubtful, otherwise });
    }
    formers
}

/// What follows a folder in a path, with its slash; empty for the folder itself.
fn rest_below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    path.strip_prefix(folder.trim_end_matches('/')).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether there is, or was in git, a file or folder of this name.
fn lies_or_lay(repo: &Repo, rel: &str) -> bool {
    let states = || repo.states(rel, crate::gather::LIMIT).states;
    repo.root().join(Path::new(rel)).exists() || repo.knows_path(rel) || !states().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files that `path` may have been, in the order in which they are tried: `?` where it has to be proven, and
    /// what would speak against it.
    fn check(path: &str, from: &str, to: &str, is_folder: bool, expected: &str) {
        let told = formers(path, from, to, is_folder).into_iter().map(|former| {
            let doubt = if former.doubtful { "?" } else { "" };
            let otherwise: String = former.otherwise.iter().map(|other| format!(" unless {other}")).collect();
            format!("{}{doubt}{otherwise}", former.path)
        });
        assert_eq!(told.collect::<Vec<_>>().join(", "), expected, "mv {from} {to}: {path}");
    }

    #[test]
    fn what_a_file_was_before_a_move() {
        check("/r/b.rs", "/r/a.rs", "/r/b.rs", false, "/r/a.rs unless /r/b.rs/a.rs");
        check("/r/b.rs", "/r/a.rs", "/r/b.rs", true, "");
        check("/r/b/a.rs", "/r/a.rs", "/r/b/", false, "/r/a.rs, /r/a.rs/a.rs? unless /r/b/a.rs unless /r/b/a.rs/a.rs");
        check("/r/b/a.rs", "/r/a.rs", "/r/b", true, "/r/a.rs");
        check("/r/b/x.rs", "/r/a", "/r/b", false, "/r/a/x.rs? unless /r/b/a unless /r/b/a/x.rs");
        check("/r/b/x.rs", "/r/a", "/r/b", true, "");
        check("/r/b/a/x.rs", "/r/a", "/r/b", true, "/r/a/x.rs");
        check(
            "/r/b/a/x.rs",
            "/r/a",
            "/r/b",
            false,
            "/r/a/x.rs? unless /r/b/x.rs, /r/a/a/x.rs? unless /r/b/a unless /r/b/a/a/x.rs",
        );
        check("/r/bb/x.rs", "/r/a", "/r/b", false, "");
    }
}
