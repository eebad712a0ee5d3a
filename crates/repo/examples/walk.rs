//! How long walks through history take: `cargo run -p repo --example walk -- FOLDER FILE…` (files relative to the root).
//!
//! Two rounds over the files: in the first, the first file pays for what the others share.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use repo::{Limit, Repo};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| ".".to_owned());
    let files: Vec<String> = arguments.collect();
    let mut out = std::io::stdout().lock();
    let Some(repo) = Repo::discover(Path::new(&folder)) else { return writeln!(out, "{folder}: no repository") };
    for round in ["first", "again"] {
        for file in &files {
            let (states, of_states) = timed(|| repo.states(file, Limit::NONE));
            let (moves, of_moves) = timed(|| repo.file_moves(file));
            let (origins, of_origins) = timed(|| repo.came_from(file, Limit::NONE));
            let found = format!("{} states, {} moves, {} origins", states.states.len(), moves.len(), origins.len());
            writeln!(out, "{round} {file}: states {of_states}, moves {of_moves}, origins {of_origins} ({found})")?;
        }
    }
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, String) {
    let (start, busy) = (Instant::now(), busy_nanoseconds());
    let result = work();
    let wall = start.elapsed().as_secs_f64() * 1000.0;
    let cpu = busy_nanoseconds().zip(busy).map(|(after, before)| (after - before) / 1e6);
    (result, format!("{wall:.1} ms{}", cpu.map_or(String::new(), |cpu| format!(" ({cpu:.1} CPU)"))))
}

/// What this thread has computed so far; only Linux tells.
fn busy_nanoseconds() -> Option<f64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}
