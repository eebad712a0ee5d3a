//! The engine, layer by layer: `cargo bench -p benches --bench engine`. `-- --quick` for a short look.

use std::fs;
use std::hint::black_box;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use agents::{Cursor, Env, Reader};
use benches::{FILE, Place, SESSION, Story};
use criterion::{BatchSize, Criterion};
use index::{Deriver, Index};
use lens::{Source, View};
use provenance::{Chain, Event, EventKey, Follower, Happening, LineSplice, Seen, Slot, Timeline, Tree, line_count};
use trace::{Agent, Civil, LogId, StepKey, Timestamp, Zone};

const TREE: Tree = Tree(0);

fn main() {
    let begin = SystemTime::now();
    let mut criterion = Criterion::default().output_directory(&results()).configure_from_args();
    of_a_log(&mut criterion);
    for (lines, edits) in [(5_000, 200), (10_000, 10), (10_000, 100), (10_000, 1_000), (10_000, 10_000)] {
        of_a_file(&mut criterion, lines, edits);
    }
    of_two_texts(&mut criterion);
    criterion.final_summary();
    show_table(&results(), begin);
}

/// Where criterion keeps what it measured.
fn results() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("engine")
}

/// A session of 1,400 edits, 8 MB.
fn of_a_log(criterion: &mut Criterion) {
    let story = Story::new(5_000, 1_400);
    let place = Place::new(&story, 500).expect("writing a repository and a log");
    let reader = agents::reader(Agent::ClaudeCode);
    let megabytes = fs::metadata(&place.log).map_or(0, |meta| meta.len() >> 20);
    criterion.bench_function(&format!("derive a session of {megabytes} MB"), |bencher| {
        bencher.iter(|| derive(reader, &place.log));
    });

    let index = Index::new(Env { home: Some(place.home()), ..Env::default() });
    index.refresh(&|_| {});
    let session = index.snapshot().load_session(SESSION).expect("the session");
    let view = View {
        now: session.path.ended.unwrap_or_default(),
        zone: &Utc,
        settings: lens::Settings::default(),
        root: place.repo.to_str(),
        home: None,
        live: None,
    };
    let source = Source { session: &session, bodies: &index, view };
    criterion.bench_function("first page of the session", |bencher| {
        bencher.iter(|| lens::session_page(black_box(&source), 1, None));
    });

    // Last, for the session grows by it.
    let mut next = 0;
    let mut append_next = || {
        next += 1;
        append(&index, &place.log, &benches::next_record(&place.repo, next))
    };
    criterion.bench_function("one appended line, published", |bencher| {
        bencher.iter_custom(|times| (0..times).map(|_| append_next()).sum());
    });
}

fn derive(reader: &dyn Reader, log: &Path) -> Deriver {
    let mut deriver = Deriver::new(LogId(0), Agent::ClaudeCode, SESSION);
    reader.scan(log, &Cursor::default(), &mut |entry| deriver.push(entry)).expect("scanning the log");
    deriver
}

/// Only what follows the writing is measured.
fn append(index: &Index, log: &PathBuf, line: &str) -> Duration {
    let mut file = fs::OpenOptions::new().append(true).open(log).expect("opening the log");
    file.write_all(line.as_bytes()).expect("growing the log");
    // Somebody holds the moment before, as a request does.
    let held = index.snapshot();
    let begin = Instant::now();
    let changed = index.refresh_paths(std::slice::from_ref(log));
    let took = begin.elapsed();
    assert_eq!(changed.logs.len(), 1);
    drop(held);
    took
}

fn of_a_file(criterion: &mut Criterion, lines: usize, edits: usize) {
    let story = Story::new(lines, edits + 1);
    let (events, one_more) = events(&story);
    let name = |what: &str| format!("{what}, {edits} edits, {lines} lines");
    criterion.bench_function(&name("timeline"), |bencher| {
        bencher.iter(|| timeline(black_box(&events)));
    });

    let (before, after) = (story.text_after(edits), story.text());
    let whole = timeline(&events);
    criterion.bench_function(&name("blame after one more edit"), |bencher| {
        let grown = || timeline(&events);
        let with_one_more: Vec<Event> = events.iter().chain([&one_more]).cloned().collect();
        let more = |mut timeline: Timeline| {
            sync(&mut timeline, &with_one_more);
            let blame = timeline.blame(&after, TREE);
            (timeline, blame)
        };
        bencher.iter_batched(grown, more, BatchSize::LargeInput);
    });

    let by_hand = format!("// By hand.\n{before}");
    for (what, text) in [("known", &before), ("changed by a person", &by_hand)] {
        let seen = Happening::Seen { text: text.as_str().into(), how: Seen::Here, parents: Vec::new() };
        let with_proof: Vec<Event> = events.iter().cloned().chain([Event { what: seen, ..one_more.clone() }]).collect();
        criterion.bench_function(&name(&format!("whole text, {what}")), |bencher| {
            let prove = |mut timeline: Timeline| {
                sync(&mut timeline, &with_proof);
                timeline
            };
            bencher.iter_batched(|| timeline(&events), prove, BatchSize::LargeInput);
        });
    }

    let blame = whole.blame(&before, TREE);
    let at = before.lines().count() / 2;
    let typed: String = before.split_inclusive('\n').enumerate().fold(String::new(), |mut text, (number, line)| {
        text.push_str(if number == at { "// typed\n" } else { "" });
        text.push_str(line);
        text
    });
    criterion.bench_function(&name("blame after a keystroke"), |bencher| {
        let follower = || Follower::new(line_count(&before));
        let typed = |mut follower: Follower| {
            follower.change(LineSplice { start: at, old: 0, new: 1 });
            whole.blame_buffer(&blame, &before, &typed, &follower, TREE)
        };
        bencher.iter_batched(follower, typed, BatchSize::SmallInput);
    });
}

/// The committed file, all edits but the last, and the last.
fn events(story: &Story) -> (Vec<Event>, Event) {
    let seen = Happening::Seen { text: benches::shared(&story.before), how: Seen::Somewhere, parents: Vec::new() };
    let edits = story
        .edits
        .iter()
        .zip(1..)
        .map(|(edit, number)| Happening::Edit { step: StepKey(number), change: edit.change(FILE).into() });
    let all = std::iter::once(seen).chain(edits).zip(0..);
    let mut events: Vec<Event> = all
        .map(|(what, number)| Event {
            key: EventKey(number),
            at: Timestamp(number as i64),
            tree: TREE,
            turn: None,
            left_behind: false,
            what,
        })
        .collect();
    let last = events.pop().expect("one edit at least");
    (events, last)
}

fn timeline(events: &[Event]) -> Timeline {
    let mut timeline = Timeline::new();
    sync(&mut timeline, events);
    timeline
}

fn sync(timeline: &mut Timeline, events: &[Event]) {
    let slots: Vec<Slot> = events.iter().map(|event| Slot { key: event.key, chain: Chain(0), at: event.at }).collect();
    timeline.sync(&slots, |which| events.get(which).cloned());
}

/// Two texts of 10,000 lines, known only by themselves.
fn of_two_texts(criterion: &mut Criterion) {
    let story = Story::new(10_000, 300);
    let (old, new) = (benches::shared(&story.before), story.text());
    let mut ids = std::collections::HashMap::new();
    let mut numbers = |text: &str| -> Vec<u32> {
        let next = |ids: &std::collections::HashMap<String, u32>| u32::try_from(ids.len()).expect("few lines");
        text.lines()
            .map(|line| {
                let fresh = next(&ids);
                *ids.entry(line.to_owned()).or_insert(fresh)
            })
            .collect()
    };
    let (old, new) = (numbers(&old), numbers(&new));
    criterion.bench_function("align two texts of 10,000 lines", |bencher| {
        bencher.iter(|| provenance::align(black_box(&old), black_box(&new)));
    });
}

struct Utc;

impl Zone for Utc {
    /// The time of day is all that a page's width depends on.
    fn civil(&self, at: Timestamp) -> Civil {
        let seconds = at.0.div_euclid(1000).rem_euclid(86_400);
        let of = |value: i64| u8::try_from(value).unwrap_or_default();
        let (hour, minute, second) = (of(seconds / 3600), of(seconds / 60 % 60), of(seconds % 60));
        Civil { year: 2026, month: 3, day: 2, hour, minute, second, offset: 0 }
    }
}

/// The medians of what was measured since `begin`, in the order of time.
#[expect(clippy::print_stdout, reason = "the report of a bench")]
fn show_table(results: &Path, begin: SystemTime) {
    let mut rows: Vec<(SystemTime, String, f64)> = fs::read_dir(results)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|folder| {
            let text = |name: &str| fs::read_to_string(folder.path().join("new").join(name)).ok();
            let of = |name: &str| serde_json::from_str::<serde_json::Value>(&text(name)?).ok();
            let name = of("benchmark.json")?["full_id"].as_str()?.to_owned();
            let made = fs::metadata(folder.path().join("new").join("estimates.json")).ok()?.modified().ok()?;
            Some((made, name, of("estimates.json")?["median"]["point_estimate"].as_f64()?))
        })
        .filter(|(made, ..)| *made >= begin)
        .collect();
    rows.sort_by_key(|(made, ..)| *made);
    println!("\n{:60} {:>12}", "", "median");
    for (_, name, nanoseconds) in rows {
        println!("{name:60} {:>9.3} ms", nanoseconds / 1e6);
    }
}
