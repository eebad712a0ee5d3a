//! Random histories: what is found is what git finds, whichever file was asked for before.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::process::Stdio;

use gix::open::Permissions;

use super::{START, Sandbox};
use crate::{Limit, Repo, StateBefore};

const FILES: [&str; 6] = ["a", "src/a", "src/b", "src/deep/c", "src/deep/d", "lib/e"];
const COMMITS: usize = 40;
/// Branches that start at some of the commits.
const BRANCHES: usize = 3;

#[test]
fn as_git_log_finds_it() {
    for seed in 1..=12 {
        let sandbox = repository(seed);
        let repo = Repo::discover_with(&sandbox.current, Permissions::isolated).expect("a repository");
        for file in FILES {
            let by_git = |branch: &str| log(&sandbox, branch, file);
            let history = repo.history(file, Limit::NONE);
            let subjects: Vec<String> = history.versions.into_iter().map(|version| version.commit.subject).collect();
            assert_eq!(subjects, by_git("main"), "seed {seed}, {file}");
            assert!(history.complete);
            let states = states(&repo, file);
            let branches = (0..BRANCHES).flat_map(|branch| by_git(&format!("b{branch}")));
            let expected: BTreeSet<String> = branches.chain(by_git("main")).collect();
            assert_eq!(states, expected, "seed {seed}, {file}");
        }
    }
}

/// The subjects of the commits. Each is after those that came of it.
fn states(repo: &Repo, file: &str) -> BTreeSet<String> {
    let found = repo.states(file, Limit::NONE);
    assert!(found.complete);
    for (at, state) in found.states.iter().enumerate() {
        assert!(state.parents.iter().all(|parent| !matches!(parent, StateBefore::State(index) if *index <= at)));
    }
    let subject = |state: &crate::FileState| repo.commit(&state.commit.to_string()).expect("a commit").subject;
    found.states.iter().map(subject).collect()
}

fn log(sandbox: &Sandbox, branch: &str, file: &str) -> Vec<String> {
    let args = ["log", "--format=%s", branch, "--", file];
    sandbox.git(&args.map(String::from)).lines().map(str::to_owned).collect()
}

fn repository(seed: u64) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.run("cd main");
    sandbox.run("git init -q");
    let stream = sandbox.base.join("stream");
    std::fs::write(&stream, commits(Random(seed))).expect("a file");
    let input = std::fs::File::open(stream).expect("the same file");
    sandbox.git_reading(&["fast-import".into(), "--quiet".into()], Stdio::from(input));
    sandbox
}

/// A stream for `git fast-import`: commits with up to two parents, of few files with few texts, so that texts come back
/// and merges are often like a parent.
fn commits(mut random: Random) -> String {
    let mut stream = String::new();
    let mut trees: Vec<BTreeMap<&str, u64>> = Vec::new();
    for commit in 0..COMMITS {
        let near = |random: &mut Random| commit - 1 - random.below(commit.min(6));
        let parents: Vec<usize> = match commit {
            0 => Vec::new(),
            _ if random.below(3) == 0 => vec![near(&mut random), near(&mut random)],
            _ => vec![near(&mut random)],
        };
        let mut tree = parents.first().map_or_else(BTreeMap::new, |parent| trees[*parent].clone());
        for file in FILES {
            let text = match (random.below(8), parents.get(1)) {
                (0, _) => Some(random.below(4) as u64),
                (1, _) => None,
                (2..=4, Some(other)) => trees[*other].get(file).copied(),
                _ => continue,
            };
            match text {
                Some(text) => drop(tree.insert(file, text)),
                None => drop(tree.remove(file)),
            }
        }
        let date = START + 60 * commit as i64;
        let who = format!("Anna <anna@x.example> {date} +0000");
        let message = format!("commit {commit}");
        write!(stream, "commit refs/heads/main\nmark :{}\ncommitter {who}\n", commit + 1).expect("a string");
        write!(stream, "data {}\n{message}\n", message.len()).expect("a string");
        for (nth, parent) in parents.iter().enumerate() {
            let verb = if nth == 0 { "from" } else { "merge" };
            writeln!(stream, "{verb} :{}", parent + 1).expect("a string");
        }
        stream.push_str("deleteall\n");
        for (file, text) in &tree {
            writeln!(stream, "M 100644 inline {file}\ndata 2\n{text}\n").expect("a string");
        }
        trees.push(tree);
    }
    for branch in 0..BRANCHES {
        writeln!(stream, "reset refs/heads/b{branch}\nfrom :{}\n", 1 + random.below(COMMITS)).expect("a string");
    }
    stream
}

/// Knuth's linear congruential generator.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}
