//! `turnlens diff`: the changes of a step, a turn, a session or a range, fit for `git apply`.

use std::path::{Path, PathBuf};

use lens::FileDiff;
use serde_json::json;
use trace::{Hunk, SessionRef, StepAt};
use workspace::{FileChange, Located, git_blob_hash};

use super::here::Here;
use super::out::{Table, painted, plain};
use super::{Exit, address, not_found, out, wrong_use};
use crate::answers::Answers;

/// The net changes of a turn, a step or a range, as a patch
#[derive(clap::Args)]
pub(super) struct Args {
    /// ADDRESS, or A..B: what happened after A, up to the end of B
    #[arg(value_name = "ADDRESS|A..B", default_value = "@:last")]
    address: String,

    /// Only these files
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// The other way round, to take it back
    #[arg(short = 'R')]
    reverse: bool,

    /// What of it still stands in the files as they are now
    #[arg(long)]
    now: bool,

    /// Only how many lines, file by file
    #[arg(long, conflicts_with = "name_only")]
    stat: bool,

    /// Only the names of the files
    #[arg(long)]
    name_only: bool,
}

pub(super) fn run(args: Args, here: &Here) -> anyhow::Result<Exit> {
    let answers = here.answers();
    let (located, steps) = range(here, &answers, &args.address)?;
    let steps = steps.of(&located);
    let mut files =
        if args.now { standing(here, &answers, &located, &steps) } else { then(&answers, &located, &steps) };
    let wanted: Vec<PathBuf> = args.files.iter().map(|file| real(&here.path(file))).collect();
    files.retain(|file| wanted.is_empty() || wanted.iter().any(|path| real(Path::new(&*file.path)).starts_with(path)));
    if args.reverse {
        files.reverse();
        files.iter_mut().for_each(reverse);
    }
    if files.is_empty() {
        let (address, edits) = (address::of_located(&located), steps.iter().any(|at| !at.step.edits().is_empty()));
        return Err(not_found(match (args.now && edits, wanted.is_empty()) {
            (true, _) => format!("Nothing of {address} stands any more."),
            (false, true) => format!("{address} changed no file."),
            (false, false) => format!("{address} changed none of these files."),
        }));
    }
    let view = here.view();
    let patch = || match args.now {
        true => lens::unified_diff(&view, &files),
        false => patch(here, &answers.moment.changes(&located.view, &steps), &files, args.reverse),
    };
    if here.globals.json {
        let address = address::of_located(&located);
        out::json(&json!({ "address": address, "files": as_json(here, &files), "patch": patch() }))?;
    } else if args.name_only {
        out::print(&files.iter().map(|file| format!("{}\n", view.path(&file.path))).collect::<String>())?;
    } else if args.stat {
        here.out.show(&stat(here, &files))?;
    } else {
        if args.reverse {
            note_what_is_not_staged(here, &answers, &files);
        }
        here.out.show(&here.out.paint.diff(&patch()))?;
    }
    Ok(Exit::DONE)
}

/// Which steps of the located session are meant.
enum Steps {
    Located,
    /// Behind the end of this, up to the end of what is located.
    After {
        turn: u32,
        steps: Vec<u32>,
    },
}

impl Steps {
    fn of<'a>(&self, located: &'a Located) -> Vec<StepAt<'a>> {
        let Steps::After { turn, steps } = self else { return address::steps(located) };
        let all = located.view.session.steps();
        let is_in = |turn: u32, steps: &[u32], at: &StepAt<'_>| at.turn.number == turn && at.numbers.starts_with(steps);
        let after = all.iter().rposition(|at| is_in(*turn, steps, at)).map_or(0, |at| at + 1);
        let end = all.iter().rposition(|at| is_in(located.turn, &located.steps, at)).map_or(0, |at| at + 1);
        all.into_iter().take(end).skip(after).collect()
    }
}

fn range(here: &Here, answers: &Answers<'_>, text: &str) -> anyhow::Result<(Located, Steps)> {
    let Some((from, to)) = text.split_once("..") else {
        return Ok((address::locate(here, answers, &address::parse(text)?)?, Steps::Located));
    };
    let from = address::locate(here, answers, &address::parse(from)?)?;
    // Without a session of its own the end is in that of the beginning.
    let is_turn = to == "last" || to.split('.').all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    let mut to = address::parse(&if is_turn { format!("@:{to}") } else { to.to_owned() })?;
    if is_turn {
        to.session = SessionRef::Id((&*from.view.session.path.session).into());
    }
    let to = address::locate(here, answers, &to)?;
    if from.view.session.path.session != to.view.session.path.session {
        return Err(wrong_use(format!("{text} spans two sessions; both ends have to be in one")));
    }
    if from.turn == 0 || to.turn == 0 {
        return Err(wrong_use(format!("{text} needs a turn on both sides, as in @:1..@:3")));
    }
    // After all steps of its turn comes an end without a step.
    let place = |at: &Located| (at.turn, at.steps.is_empty(), at.steps.clone());
    if place(&to) < place(&from) {
        let (first, last) = text.split_once("..").unwrap_or_default();
        return Err(wrong_use(format!("{text} goes backwards: write {last}..{first}, or diff -R for what undoes it")));
    }
    let after = Steps::After { turn: from.turn, steps: from.steps };
    Ok((to, after))
}

/// From before the first edit of each file to after its last, as the log tells it.
fn then(answers: &Answers<'_>, located: &Located, steps: &[StepAt<'_>]) -> Vec<FileDiff> {
    let mut files = lens::file_diffs(&answers.source(&located.view), steps);
    for file in &mut files {
        file.path = answers.moment.local(&located.view.session, &file.path).to_string_lossy().into();
    }
    files
}

/// A patch that names the text that it is for where git holds it: from there `git apply --3way` can merge.
fn patch(here: &Here, changes: &[FileChange], files: &[FileDiff], reverse: bool) -> String {
    let view = here.view();
    let of_file = |file: &FileDiff| {
        let text = lens::unified_diff(&view, std::slice::from_ref(file));
        let change = changes.iter().find(|change| change.here.to_string_lossy() == *file.path);
        match change.and_then(|change| index_line(here, change, reverse)) {
            Some(index) => text.replacen("\n--- ", &format!("\n{index}\n--- "), 1),
            None => text,
        }
    };
    files.iter().map(of_file).collect()
}

/// `index 3b18e51..9a71f81`
fn index_line(here: &Here, change: &FileChange, reverse: bool) -> Option<String> {
    if change.created || change.deleted {
        return None;
    }
    let (before, after) = (change.before.as_deref()?, change.after.as_deref()?);
    let (from, to) = if reverse { (after, before) } else { (before, after) };
    let (from, to) = (git_blob_hash(from.as_bytes()), git_blob_hash(to.as_bytes()));
    here.workspace.repo(&change.here)?.blob(from).map(|_| format!("index {from}..{to}"))
}

/// `git apply --3way` takes only files that are as they were staged.
fn note_what_is_not_staged(here: &Here, answers: &Answers<'_>, files: &[FileDiff]) {
    let view = here.view();
    let is_not_staged = |file: &&FileDiff| {
        let path = Path::new(&*file.path);
        let repo = answers.workspace.repo(path);
        let staged = repo.and_then(|repo| Some(repo.index_blob(&repo.relative(&real(path))?)));
        staged.is_some_and(|staged| path.is_file() && staged != std::fs::read(path).ok())
    };
    let names: Vec<String> =
        files.iter().filter(is_not_staged).map(|file| view.path(&file.path).into_owned()).collect();
    if !names.is_empty() {
        here.out.note(&format!(
            "Not as staged: {}. git apply --3way takes them after git add; git apply alone takes them as they are.",
            names.join(", ")
        ));
    }
}

/// The files as they are, against the same without what still stands of the steps.
fn standing(here: &Here, answers: &Answers<'_>, located: &Located, steps: &[StepAt<'_>]) -> Vec<FileDiff> {
    let mut files = Vec::new();
    for file in answers.moment.standing(&located.view, steps, &|_| None) {
        if file.stands < file.hunks {
            let (hunks, path) = (lens::count(file.hunks as u64, "hunk"), file.here.to_string_lossy());
            here.out.note(&format!("{}: {} of {hunks} still there", here.view().path(&path), file.stands));
        }
        let (without, now) = (like(&file.without, &file.now), &*file.now);
        let hunks = lens::between(&without, now);
        if !hunks.is_empty() {
            let path = file.here.to_string_lossy().into();
            files.push(FileDiff {
                path,
                created: without.is_empty(),
                deleted: now.is_empty(),
                hunks,
                steps: Vec::new(),
            });
        }
    }
    files
}

/// A text with the line ends of another.
fn like(text: &str, other: &str) -> String {
    if other.contains("\r\n") && !text.contains("\r\n") { text.replace('\n', "\r\n") } else { text.to_owned() }
}

fn reverse(file: &mut FileDiff) {
    std::mem::swap(&mut file.created, &mut file.deleted);
    file.steps.clear();
    for hunk in &mut file.hunks {
        *hunk = reversed(hunk);
    }
}

/// Removed lines first, as in every diff. `\ No newline at end of file` stays with its line.
fn reversed(hunk: &Hunk) -> Hunk {
    let mut lines: Vec<Box<str>> = Vec::with_capacity(hunk.lines.len());
    let (mut removed, mut added): (Vec<Box<str>>, Vec<Box<str>>) = Default::default();
    let mut last = ' ';
    for line in &hunk.lines {
        let sign = line.chars().next().unwrap_or(' ');
        let mark = if sign == '\\' { last } else { sign };
        let turned = |to: char| format!("{to}{}", line.get(1..).unwrap_or_default()).into_boxed_str();
        match (mark, sign) {
            ('-', '\\') => added.push(line.clone()),
            ('+', '\\') => removed.push(line.clone()),
            ('-', _) => added.push(turned('+')),
            ('+', _) => removed.push(turned('-')),
            _ => {
                lines.append(&mut removed);
                lines.append(&mut added);
                lines.push(line.clone());
            }
        }
        last = mark;
    }
    lines.append(&mut removed);
    lines.append(&mut added);
    Hunk { old_start: hunk.new_start, new_start: hunk.old_start, lines }
}

fn counts(file: &FileDiff) -> (u64, u64) {
    let count = |sign: char| {
        file.hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.starts_with(sign)).count() as u64
    };
    (count('+'), count('-'))
}

/// As `git diff --stat` has it.
fn stat(here: &Here, files: &[FileDiff]) -> String {
    const WIDTH: u64 = 40;
    let paint = here.out.paint;
    let most = files.iter().map(counts).map(|(added, removed)| added + removed).max().unwrap_or(0);
    let scaled = |n: u64| if most <= WIDTH { n } else { (n * WIDTH).div_ceil(most) };
    let mut table = Table::default();
    let (mut all_added, mut all_removed) = (0, 0);
    for file in files {
        let (added, removed) = counts(file);
        (all_added, all_removed) = (all_added + added, all_removed + removed);
        let (plus, minus) = ("+".repeat(scaled(added) as usize), "-".repeat(scaled(removed) as usize));
        let bar = (format!("{plus}{minus}"), format!("{}{}", paint.added(&plus), paint.removed(&minus)));
        let name = lens::clean(&here.view().path(&file.path)).into_owned();
        table.push(vec![plain(name), painted("|", |text| paint.dim(text)), plain((added + removed).to_string()), bar]);
    }
    let sums = paint.plus_minus(all_added, all_removed);
    format!("{}{}, {sums}\n", table.print(0, 1), lens::count(files.len() as u64, "file"))
}

fn as_json(here: &Here, files: &[FileDiff]) -> Vec<serde_json::Value> {
    let file = |file: &FileDiff| {
        let (added, removed) = counts(file);
        let path = here.view().path(&file.path).into_owned();
        json!({ "file": path, "added": added, "removed": removed, "created": file.created, "deleted": file.deleted })
    };
    files.iter().map(file).collect()
}

fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use trace::Hunk;

    use super::reversed;

    fn check(lines: &str, expect: Expect) {
        let hunk = Hunk { old_start: 3, new_start: 4, lines: lines.lines().map(Into::into).collect() };
        let turned = reversed(&hunk);
        assert_eq!((turned.old_start, turned.new_start), (4, 3));
        expect.assert_eq(&turned.lines.join("\n"));
        assert_eq!(reversed(&turned), hunk);
    }

    #[test]
    fn hunks_the_other_way_round() {
        check(
            " a\n-b\n-c\n+d\n e\n+f",
            expect![[r#"
                 a
                -d
                +b
                +c
                 e
                -f"#]],
        );
        check(
            "-a\n\\ No newline at end of file\n+a",
            expect![[r#"
                -a
                +a
                \ No newline at end of file"#]],
        );
    }
}
