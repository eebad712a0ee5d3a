//! Reading logs, stage by stage: `cargo bench -p benches --bench reading -- LOG_OR_FOLDER…`. Prints for each what it is
//! to read its bytes, to make entries of them and to derive the path, the best of several times. Without a log it
//! writes one of its own.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use agents::{Cursor, Reader};
use benches::{Place, SESSION, Story};
use index::Deriver;
use trace::{Agent, DerivedPath, LogId};

#[expect(clippy::print_stdout, reason = "the report of a bench")]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let (times, arguments) = match arguments.iter().position(|argument| argument == "--times") {
        Some(at) => (arguments[at + 1].parse().expect("how often"), [&arguments[..at], &arguments[at + 2..]].concat()),
        None => (5, arguments),
    };
    let story = arguments.is_empty().then(|| Place::new(&Story::new(5_000, 1_400), 500).expect("writing a log"));
    let named = arguments.iter().map(PathBuf::from).chain(story.as_ref().map(|place| place.log.clone()));
    println!(
        "{:>9} {:>6} {:>8} {:>8} {:>8} {:>8} {:>8} {:>7} {:>6}  logs",
        "MB", "logs", "entries", "read ms", "scan ms", "derive", "MB/s", "steps", "B/step"
    );
    for path in named {
        let logs = logs_of(&path);
        let row = measure(&logs, times);
        let megabytes = row.bytes as f64 / 1e6;
        println!(
            "{megabytes:>9.1} {:>6} {:>8} {:>8.1} {:>8.1} {:>8.1} {:>8.0} {:>7} {:>6}  {}",
            logs.len(),
            row.entries,
            ms(row.read),
            ms(row.scan),
            ms(row.derive),
            megabytes / row.derive.as_secs_f64(),
            row.steps,
            row.held / row.steps.max(1),
            path.display()
        );
    }
}

/// The logs at a path, each with its reader.
fn logs_of(path: &Path) -> Vec<(&'static dyn Reader, PathBuf)> {
    let is_codex =
        |path: &Path| path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("rollout-"));
    if path.is_file() {
        let agent = if is_codex(path) { Agent::Codex } else { Agent::ClaudeCode };
        return vec![(agents::reader(agent), path.to_owned())];
    }
    let mut logs = Vec::new();
    for reader in agents::readers() {
        let env = agents::Env { home: Some(path.to_owned()), ..agents::Env::default() };
        for root in reader.roots(&env) {
            reader.discover(&root, &mut |found| logs.push((*reader, found.path)));
        }
    }
    logs
}

struct Row {
    bytes: u64,
    entries: u64,
    steps: usize,
    read: Duration,
    scan: Duration,
    derive: Duration,
    /// Bytes by which the process grew with the paths, the first time.
    held: usize,
}

fn measure(logs: &[(&'static dyn Reader, PathBuf)], times: usize) -> Row {
    let before = resident();
    let paths = derive(logs);
    let held = resident().saturating_sub(before);
    let steps = paths.iter().map(|path| path.all_steps().count()).sum();
    let bytes = paths.iter().map(|path| path.tally.bytes).sum();
    drop(paths);
    let mut entries = 0;
    let scan = best(times, || {
        entries = 0;
        for (reader, log) in logs {
            reader.scan(log, &Cursor::default(), &mut |_| entries += 1).expect("scanning a log");
        }
    });
    Row {
        bytes,
        entries,
        steps,
        read: best(times, || logs.iter().for_each(|(_, log)| read(log))),
        scan,
        derive: best(times, || drop(derive(logs))),
        held,
    }
}

fn derive(logs: &[(&'static dyn Reader, PathBuf)]) -> Vec<std::sync::Arc<DerivedPath>> {
    let derived = logs.iter().map(|(reader, log)| {
        let mut deriver = Deriver::new(LogId(0), reader.agent(), SESSION);
        let scan = reader.scan(log, &Cursor::default(), &mut |entry| deriver.push(entry)).expect("scanning a log");
        deriver.count(scan.cursor.offset, scan.cursor.records, &scan.broken);
        deriver.snapshot()
    });
    derived.collect()
}

fn read(log: &Path) {
    let mut file = fs::File::open(log).expect("opening a log");
    let mut buffer = vec![0; 512 << 10];
    while file.read(&mut buffer).expect("reading a log") > 0 {}
}

fn best(times: usize, work: impl FnMut()) -> Duration {
    let mut work = work;
    let timed = (0..times.max(1)).map(|_| {
        let begin = Instant::now();
        work();
        begin.elapsed()
    });
    timed.min().unwrap_or_default()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Bytes of this process in memory; 0 where the system does not tell them.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok()).unwrap_or(0) << 10
}
