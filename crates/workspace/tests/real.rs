//! Real sessions in real repositories: of the lines that a session's commit brought and that its log proves, how many
//! are given to it. Prints a table, and each line that is not.
//!
//! Needs logs and repositories that are not part of the project (see `replay.rs`). Skipped with a word where they are
//! missing.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

mod corpus;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use corpus::{Corpus, Expected, git};
use serde_json::Value;
use trace::{Agent, Bodies, DerivedPath, Evidence, Timestamp};
use workspace::{Env, FileView, Index, Settings, Workspace};

/// Of a hundred lines that a log proves, how many are given to its session at least.
const LEAST: usize = 97;

#[derive(Default)]
struct Row {
    files: usize,
    /// Lines that the commit brought.
    brought: usize,
    /// Of these, lines that the session's log holds as written to that file.
    proven: usize,
    right: usize,
    other: usize,
    unknown: usize,
    /// Lines of which there are many that are not counted as proven: the log has such a line, but not beside one that
    /// tells.
    common: usize,
    /// Lines that git gives to somebody else, given to a session that wrote such a line, where git's diff of two
    /// commits cannot tell which (see `excuse`).
    alike: usize,
    /// Given to the session although git knows them from before it, and nothing of the kind is so.
    wrong: usize,
    /// Lines given to a step that wrote no such line: reformatted, or written by a script.
    strange: usize,
    first: Duration,
    again: Duration,
}

impl Row {
    fn print(&self, name: &str) {
        let Row { files, brought, proven, right, other, unknown, common, alike, wrong, strange, first, again } = self;
        let (first, again) = (first.as_millis(), again.as_millis());
        eprintln!(
            "{name:44} {files:5} {brought:7} {proven:6} {right:5} {other:5} {unknown:7} {common:5} {alike:5} {wrong:5} \
             {strange:7} {first:6} {again:6}"
        );
    }

    fn add(&mut self, other: &Row) {
        self.files += other.files;
        self.brought += other.brought;
        self.proven += other.proven;
        self.right += other.right;
        self.other += other.other;
        self.unknown += other.unknown;
        self.common += other.common;
        self.alike += other.alike;
        self.wrong += other.wrong;
        self.strange += other.strange;
        self.first += other.first;
        self.again += other.again;
    }
}

#[test]
fn lines_that_a_session_wrote_are_given_to_it() {
    let Some(corpus) = Corpus::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut rows = Vec::new();
    for expected in corpus.sessions() {
        match check_out(&expected.git, &expected.commit, &folder.path().join(&expected.name)) {
            Some(clone) => rows.push((expected.name.clone(), measure(&expected, &clone))),
            None => eprintln!("skipped: {} cannot be checked out", expected.name),
        }
    }
    eprintln!(
        "{:44} files brought proven right other unknown common alike wrong strange  first  after (ms)",
        "commits of one session"
    );
    let mut all = Row::default();
    for (name, row) in &rows {
        row.print(name);
        all.add(row);
    }
    all.print("all");
    assert_eq!((all.other, all.wrong), (0, 0), "lines given to a session that did not write them");
    assert!(all.right * 100 >= all.proven * LEAST, "{} of {}", all.right, all.proven);
}

/// All logs that lie beside the session's, so that a wrong one can be named.
fn logs_beside(log: &Path) -> PathBuf {
    let roots = ["projects", "sessions", "tmp"];
    log.ancestors()
        .find(|folder| folder.file_name().is_some_and(|name| roots.iter().any(|root| name == *root)))
        .and_then(Path::parent)
        .unwrap()
        .to_owned()
}

fn workspace_of(roots: Vec<(Agent, PathBuf)>) -> Workspace {
    let mut env = Env::from_process();
    (env.home, env.vars) = (None, HashMap::new());
    env.extra = roots;
    let index = Arc::new(Index::new(env));
    index.refresh(&|_| {});
    Workspace::new(index, Settings::default())
}

/// The derived paths of all logs.
fn loaded(logs: &workspace::Logs) -> Vec<Arc<DerivedPath>> {
    logs.summaries().filter_map(|log| logs.load(log.log)).collect()
}

fn check_out(from: &Path, commit: &str, to: &Path) -> Option<PathBuf> {
    let (from, folder) = (from.to_str()?, to.to_str()?);
    git(Path::new("."), &["clone", "--quiet", "--shared", "--no-checkout", from, folder])?;
    git(to, &["checkout", "--quiet", "--detach", commit])?;
    Some(to.to_owned())
}

fn measure(expected: &Expected, clone: &Path) -> Row {
    let started = Instant::now();
    let workspace = workspace_of(vec![(expected.agent, logs_beside(&expected.log))]);
    let mut read = started.elapsed();
    let moment = workspace.moment();
    let logs = workspace.index().snapshot();
    let of_session = |path: &Arc<DerivedPath>| logs.file(path.log).is_some_and(|file| file == expected.log);
    let path = loaded(&logs).into_iter().find(of_session).unwrap();
    let written: Vec<Written> =
        loaded(&logs).iter().map(|path| Written::of(path, workspace.index().as_ref())).collect();
    let own = Written::of(&path, workspace.index().as_ref());
    let began = path.all_steps().filter_map(|step| step.at).min().unwrap_or_default().0 / 1000;
    let mut row = Row::default();
    for file in &expected.files {
        let rel = file["path"].as_str().unwrap();
        let started = Instant::now();
        let Ok(view) = moment.file(&clone.join(rel)) else { continue };
        row.first += started.elapsed() + std::mem::take(&mut read);
        let started = Instant::now();
        let _ = moment.file(&clone.join(rel));
        row.again += started.elapsed();
        row.files += 1;
        let Some(blamed) = git_blame(clone, rel) else { continue };
        let lines: Vec<&str> = provenance::lines(&view.text).collect();
        let brought = |(line, (commit, _)): (&&str, &(String, i64))| *commit == expected.commit && own.has(rel, line);
        let written_by_it: Vec<bool> = lines.iter().zip(&blamed).map(brought).collect();
        let provable = without_common_alone(&lines, &lines, &written_by_it);
        for (at, (line, (commit, time))) in lines.iter().copied().zip(blamed).enumerate() {
            let step = view.step(at);
            let is_own = step.is_some_and(|step| step.session == path.session);
            let say = |what: &str| {
                let who = step.map_or("nobody".to_owned(), |step| step.address());
                let how = view.blame.lines[at].map_or("", |origin| origin.evidence.id());
                eprintln!("{} {rel}:{} {what}: {who} {how} {:?}", expected.name, at + 1, cut(line));
            };
            let brought = commit == expected.commit;
            let proven = provable.get(at) == Some(&true);
            row.common += usize::from(written_by_it.get(at) == Some(&true) && !proven);
            let doubted = proven != is_own && (proven || time < began);
            let excuse = doubted.then(|| excuse(&written, clone, &view, rel, at, line)).flatten();
            row.brought += usize::from(brought);
            row.proven += usize::from(proven);
            match (step, excuse) {
                (Some(_), _) if proven && is_own => row.right += 1,
                (None, _) if proven => {
                    row.unknown += 1;
                    say("unknown");
                }
                (Some(_), Some(excuse)) if proven || (is_own && time < began) => {
                    row.alike += 1;
                    say(excuse);
                }
                (Some(_), None) if proven => {
                    row.other += 1;
                    say("another's");
                }
                (Some(_), None) if is_own && time < began => {
                    row.wrong += 1;
                    say("wrong");
                }
                _ => {}
            }
            if step.is_some_and(|step| !written.iter().any(|written| written.step_has(&step.call, line))) {
                row.strange += 1;
                say("strange");
            }
        }
    }
    row
}

/// Why the log can be right where git names another commit. Git compares commits: it cannot tell which of two equal
/// lines is the new one, nor that a line was taken out and written again, or put in the place of one that was never
/// committed; and it gives a line to who moved it in. The step's own record can.
fn excuse(
    written: &[Written],
    clone: &Path,
    view: &FileView,
    rel: &str,
    at: usize,
    line: &str,
) -> Option<&'static str> {
    let (step, origin) = (view.step(at)?, view.blame.lines.get(at).copied().flatten()?);
    let of_session = written.iter().find(|written| written.session == step.session)?;
    if !of_session.step_has(&step.call, line) {
        return None;
    }
    let alike = provenance::lines(&view.text).filter(|other| other.trim() == line.trim()).count() > 1;
    let taken_out = has(&of_session.taken_out, rel, line);
    let reformatted = origin.evidence == Evidence::Reformatted;
    let unseen = || {
        let mut replaced = of_session.replaced.get(&step.call).into_iter().flatten();
        replaced
            .any(|old| git(clone, &["log", "--format=%h", "-S", old, "--", rel]).is_some_and(|told| told.is_empty()))
    };
    alike
        .then_some("one of several alike")
        .or(taken_out.then_some("written again"))
        .or(reformatted.then_some("only its white space is another's"))
        .or_else(|| unseen().then_some("over a line that was never committed"))
}

/// A brace, a blank line or one that stands in the file several times is written by many: that a session wrote one
/// proves nothing of this one, unless it wrote the line beside it. `written`: lines of a part of the file that it wrote,
/// by their text.
fn without_common_alone(file: &[&str], part: &[&str], written: &[bool]) -> Vec<bool> {
    let once = |line: &str| file.iter().filter(|other| other.trim() == line.trim()).count() == 1;
    let telling: Vec<bool> =
        part.iter().zip(written).map(|(line, written)| *written && !provenance::is_small(line) && once(line)).collect();
    let beside =
        |at: usize| at.checked_sub(1).is_some_and(|above| telling[above]) || telling.get(at + 1) == Some(&true);
    (0..telling.len()).map(|at| telling[at] || written[at] && beside(at)).collect()
}

/// When git first had the file, in milliseconds.
fn first_commit(clone: &Path, rel: &str) -> Option<Timestamp> {
    let told = git(clone, &["log", "--format=%ct", "--", rel])?;
    Some(Timestamp(told.lines().last()?.parse::<i64>().ok()? * 1000))
}

fn cut(line: &str) -> String {
    line.trim().chars().take(70).collect()
}

/// The commit of each line and its time, in seconds.
fn git_blame(clone: &Path, rel: &str) -> Option<Vec<(String, i64)>> {
    let told = git(clone, &["blame", "--porcelain", "HEAD", "--", rel])?;
    let mut times: HashMap<String, i64> = HashMap::new();
    let (mut lines, mut commit) = (Vec::new(), String::new());
    for line in told.split('\n') {
        let first = line.split(' ').next().unwrap_or_default();
        if line.starts_with('\t') {
            lines.push((commit.clone(), times.get(&commit).copied().unwrap_or_default()));
        } else if first.len() == 40 && first.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            commit = first.to_owned();
        } else if let Some(time) = line.strip_prefix("committer-time ") {
            times.insert(commit.clone(), time.parse().unwrap_or_default());
        }
    }
    Some(lines)
}

/// The lines that a session's edits wrote, without the blanks around them: hunks may have blanks for tabs.
struct Written {
    session: Arc<str>,
    of_files: HashMap<String, HashSet<String>>,
    /// When each of them was written last.
    last: HashMap<String, HashMap<String, Timestamp>>,
    /// When a file's whole text was told first.
    whole: HashMap<String, Timestamp>,
    /// The lines that its edits took out.
    taken_out: HashMap<String, HashSet<String>>,
    /// The telling lines that a step took out.
    replaced: HashMap<Arc<str>, HashSet<String>>,
    of_steps: HashMap<Arc<str>, HashSet<String>>,
}

impl Written {
    fn of(path: &DerivedPath, bodies: &dyn Bodies) -> Written {
        let mut written = Written {
            session: path.session.clone(),
            of_files: HashMap::new(),
            last: HashMap::new(),
            whole: HashMap::new(),
            taken_out: HashMap::new(),
            replaced: HashMap::new(),
            of_steps: HashMap::new(),
        };
        for step in path.all_steps() {
            let (Some(result), Some(call)) = (&step.result, &step.call) else { continue };
            let (told, asked) = (bodies.body(path.log, result.place), bodies.body(path.log, step.place));
            let (Some(told), Some(asked)) = (told.content(), asked.content()) else { continue };
            let of_step = written.of_steps.entry(call.clone()).or_default();
            // What a command writes stands in its text, if anywhere.
            of_step.extend(asked.input.lines().map(|line| line.trim().to_owned()));
            let at = result.at.or(step.at).unwrap_or_default();
            let mut whole = |name: &str| {
                let first = written.whole.entry(name.replace('\\', "/")).or_insert(at);
                *first = at.min(*first);
            };
            told.observed.iter().for_each(|seen| whole(&seen.path));
            result.edits.iter().filter(|edit| edit.created).for_each(|edit| whole(&edit.path));
            if result.edits.is_empty() {
                continue;
            }
            let changes = if told.changes.is_empty() { &asked.changes } else { &told.changes };
            for change in changes {
                if change.created || change.before.is_some() || change.after.is_some() {
                    whole(&change.path);
                }
                let trimmed = |line: &str| line.trim().to_owned();
                let hunks = || change.hunks.iter().flat_map(|hunk| &hunk.lines);
                let signed = |sign: char| hunks().filter_map(move |line| line.strip_prefix(sign));
                let mut lines: HashSet<String> = signed('+').map(trimmed).collect();
                of_step.extend(change.replacements.iter().flat_map(|one| one.new.lines()).map(trimmed));
                for one in &change.replacements {
                    // What stands in the old string as well only says where.
                    let old: HashSet<&str> = one.old.lines().map(str::trim).collect();
                    lines.extend(one.new.lines().map(trimmed).filter(|line| !old.contains(&**line)));
                }
                if change.hunks.is_empty() && change.replacements.is_empty() {
                    lines.extend(change.after.iter().flat_map(|after| after.lines()).map(trimmed));
                }
                of_step.extend(lines.iter().cloned());
                let name = change.moved_to.as_ref().unwrap_or(&change.path).replace('\\', "/");
                let last = written.last.entry(name.clone()).or_default();
                for line in &lines {
                    let known = last.entry(line.clone()).or_insert(at);
                    *known = at.max(*known);
                }
                let telling = signed('-').filter(|line| !provenance::is_small(line)).map(trimmed);
                written.replaced.entry(call.clone()).or_default().extend(telling);
                written.taken_out.entry(name.clone()).or_default().extend(signed('-').map(trimmed));
                written.of_files.entry(name).or_default().extend(lines);
            }
        }
        written
    }

    fn has(&self, rel: &str, line: &str) -> bool {
        has(&self.of_files, rel, line)
    }

    /// Whether it wrote the line when the file's whole text had been told, `since` then.
    fn has_since(&self, rel: &str, line: &str, since: Timestamp) -> bool {
        let end = format!("/{rel}");
        let known = |lines: &HashMap<String, Timestamp>| lines.get(line.trim()).is_some_and(|at| *at >= since);
        self.last.iter().any(|(name, lines)| name.ends_with(&end) && known(lines))
    }

    /// When a whole text of the file was told first.
    fn whole_since(&self, rel: &str) -> Option<Timestamp> {
        let end = format!("/{rel}");
        self.whole.iter().filter(|(name, _)| name.ends_with(&end)).map(|(_, at)| *at).min()
    }

    fn step_has(&self, call: &str, line: &str) -> bool {
        self.of_steps.get(call).is_some_and(|lines| lines.contains(line.trim()))
    }
}

fn has(of_files: &HashMap<String, HashSet<String>>, rel: &str, line: &str) -> bool {
    let end = format!("/{rel}");
    of_files.iter().any(|(name, lines)| name.ends_with(&end) && lines.contains(line.trim()))
}

#[derive(Default)]
struct Gold {
    lines: usize,
    provable: usize,
    /// Lines written when nothing told what else stood in the file: no text of it was known, so none can be proven.
    blind: usize,
    /// As in [`Row`].
    common: usize,
    agreed: usize,
    alike: usize,
    disagreed: usize,
    unknown: usize,
}

#[test]
fn lines_of_whole_repositories_are_given_to_the_sessions_of_their_commits() {
    let Some(corpus) = Corpus::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut rows = Vec::new();
    for (name, gold) in corpus.expectations("gold-blame-") {
        let Some(from) = corpus.repository(&gold) else { continue };
        match check_out(&from, gold["head"].as_str().unwrap(), &folder.path().join(&name)) {
            Some(clone) => rows.push((name.clone(), measure_gold(&corpus, &name, &gold, &clone))),
            None => eprintln!("skipped: {name} cannot be checked out"),
        }
    }
    eprintln!("{:44} lines provable blind common agreed alike disagreed unknown", "whole repositories");
    for (name, Gold { lines, provable, blind, common, agreed, alike, disagreed, unknown }) in &rows {
        eprintln!(
            "{name:44} {lines:5} {provable:8} {blind:5} {common:5} {agreed:6} {alike:5} {disagreed:9} {unknown:7}"
        );
    }
    for (name, gold) in &rows {
        assert!(gold.unknown * 10 < gold.provable, "{name}: {} of {} unknown", gold.unknown, gold.provable);
    }
    let disagreed: usize = rows.iter().map(|(_, gold)| gold.disagreed).sum();
    assert_eq!(disagreed, 0, "lines given to a session that had no part in the commit");
}

fn measure_gold(corpus: &Corpus, name: &str, gold: &Value, clone: &Path) -> Gold {
    let agents = [("claude", Agent::ClaudeCode), ("codex", Agent::Codex), ("gemini", Agent::Gemini)];
    let mut roots: Vec<(Agent, PathBuf)> = Vec::new();
    let mut sessions: HashMap<&str, HashSet<&str>> = HashMap::new();
    for (checkpoint, of_checkpoint) in gold["checkpoints"].as_object().unwrap() {
        for session in of_checkpoint.as_array().unwrap() {
            sessions.entry(checkpoint).or_default().insert(session["session"].as_str().unwrap());
            let Some(file) = session["in_corpus"].as_str() else { continue };
            let id = file.trim_start_matches("shareable/").split('/').next().unwrap_or_default();
            let Some((_, agent)) = agents.iter().find(|(known, _)| *known == id) else { continue };
            let root = (*agent, logs_beside(&corpus.log(file)));
            if !roots.contains(&root) {
                roots.push(root);
            }
        }
    }
    let sessions_of = |commit: &str| -> HashSet<&str> {
        let checkpoints = gold["commit_to_checkpoints"][commit].as_array().into_iter().flatten();
        checkpoints.filter_map(|id| sessions.get(id.as_str()?)).flatten().copied().collect()
    };
    let workspace = workspace_of(roots);
    let (moment, logs) = (workspace.moment(), workspace.index().snapshot());
    let written: Vec<Written> =
        loaded(&logs).iter().map(|path| Written::of(path, workspace.index().as_ref())).collect();
    let mut counts = Gold::default();
    for file in gold["files"].as_array().unwrap() {
        let rel = file["path"].as_str().unwrap();
        let Ok(view) = moment.file(&clone.join(rel)) else { continue };
        let lines: Vec<&str> = provenance::lines(&view.text).collect();
        let whole = written.iter().filter_map(|written| written.whole_since(rel));
        let since = whole.chain(first_commit(clone, rel)).min().unwrap_or_default();
        for run in file["runs"].as_array().unwrap() {
            let commit = run[2].as_str().unwrap();
            let of_commit = sessions_of(commit);
            let from = run[0].as_u64().unwrap() as usize - 1;
            let part = &lines[from.min(lines.len())..(run[1].as_u64().unwrap() as usize).min(lines.len())];
            let of_run = || written.iter().filter(|written| of_commit.contains(&*written.session));
            let wrote = |line: &&str| of_run().any(|written| written.has(rel, line));
            let seeing = |line: &&str| of_run().any(|written| written.has_since(rel, line, since));
            let wrote: Vec<bool> = part.iter().map(wrote).collect();
            let proven = without_common_alone(&lines, part, &part.iter().map(seeing).collect::<Vec<_>>());
            let telling = without_common_alone(&lines, part, &wrote);
            for (n, line) in part.iter().enumerate() {
                let (at, provable) = (from + n, proven[n]);
                counts.lines += 1;
                counts.provable += usize::from(provable);
                counts.blind += usize::from(telling[n] && !provable);
                counts.common += usize::from(wrote[n] && !telling[n]);
                let what = match view.step(at) {
                    None if provable => "unknown",
                    None => continue,
                    Some(step) if of_commit.contains(&*step.session) => "agreed",
                    Some(_) => excuse(&written, clone, &view, rel, at, line).unwrap_or("disagreed"),
                };
                match what {
                    "agreed" => counts.agreed += 1,
                    "unknown" => counts.unknown += 1,
                    "disagreed" => counts.disagreed += 1,
                    _ => counts.alike += 1,
                }
                if what != "agreed" {
                    let who = view.step(at).map_or("nobody".to_owned(), |step| step.address());
                    eprintln!("{name} {rel}:{} {what}: {who}, commit {commit} {:?}", at + 1, cut(line));
                }
            }
        }
    }
    counts
}
