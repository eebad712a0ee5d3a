#![allow(clippy::print_stdout, clippy::unwrap_used)]
use index::{Env, Index};
use std::time::Instant;
use trace::Agent;
fn rss() -> u64 {
    std::fs::read_to_string("/proc/self/status")
        .unwrap()
        .lines()
        .find(|l| l.starts_with("VmRSS"))
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}
fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) / 100.0
}
fn main() {
    let mut args = std::env::args().skip(1);
    let home = args.next().unwrap();
    let cache = args.next().unwrap();
    let t = Instant::now();
    let env = Env { home: Some(home.into()), ..Env::default() };
    let index = Index::with_cache(env, &Agent::ALL, cache.as_ref());
    let first = std::sync::Mutex::new(None);
    index.refresh(&|p| {
        let n = index.snapshot().sessions().count();
        if n > 0 {
            first.lock().unwrap().get_or_insert((t.elapsed(), n, p));
        }
    });
    println!(
        "list {:?} cpu {:.2} rss {} MB first {:?} sessions {} counted {:?}",
        t.elapsed(),
        cpu(),
        rss() / 1024,
        first.lock().unwrap(),
        index.snapshot().sessions().count(),
        index.counted()
    );
    let t = Instant::now();
    index.save();
    println!("save {:?} cpu {:.2} rss {} MB  {:?}", t.elapsed(), cpu(), rss() / 1024, index.cache_report());
    let logs = index.snapshot();
    let big = logs.summaries().max_by_key(|l| l.tally.bytes).unwrap().clone();
    drop(logs);
    if args.next().is_some() {
        let t = Instant::now();
        let c = cpu();
        let path = index.snapshot().load(big.log).unwrap();
        println!(
            "load big {} MB, {} turns, {} records: {:?} cpu {:.2} {}",
            big.tally.bytes / 1_000_000,
            path.turns.len(),
            big.tally.records,
            t.elapsed(),
            cpu() - c,
            path.all_steps().count()
        );
        let t = Instant::now();
        let mut n = 0;
        for l in index.snapshot().summaries() {
            n += index.snapshot().load(l.log).unwrap().turns.len();
        }
        println!(
            "load all {n} turns {:?} cpu {:.2} rss {} MB counted {:?}",
            t.elapsed(),
            cpu(),
            rss() / 1024,
            index.counted()
        );
    }
}
