//! Random histories of lines that are all different, so that the truth is known. No name may be wrong; where all was
//! told, none may be missing; and whatever the order in which it was told, the answer is the same.
//!
//! `PROPTEST_CASES=40000 cargo test -p provenance fuzz -- --nocapture` runs long and says how many steps it took.

use std::cell::Cell;
use std::io::Write;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use trace::Evidence;

use super::story::{Told, spell, spelled_lines, story, sync};
use super::world::{History, Kind, Text, Unit, World, histories, spelled};
use crate::{Follower, LineSplice, Timeline, Tree};

/// Runs `test` over random histories. What it says is wrong is told with the story in which it is.
pub(super) fn run(
    name: &str,
    kind: Kind,
    most: usize,
    cases: u32,
    tell: impl Fn(&History) -> String,
    test: impl Fn(&History) -> Result<(), String>,
) {
    let told: Option<u32> = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let cases = told.unwrap_or(cases);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    let steps = Cell::new(0);
    // A long run looks for what is new; the short one of every day is the same each time.
    let mut runner = match told {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let result = runner.run(&histories(kind, most), |history| {
        steps.set(steps.get() + history.deeds.len());
        test(&history).map_err(TestCaseError::fail)
    });
    let _ = writeln!(std::io::stderr(), "{name}: {} steps in {cases} histories", steps.get());
    if let Err(TestError::Fail(reason, history)) = &result {
        panic!("{name}: {reason}\n{}", tell(history));
    }
    result.expect("histories");
}

fn tell(history: &History) -> String {
    let world = World::unique(history);
    let now: Vec<String> = world.texts().map(|(tree, text)| format!("@{tree} now {}", spelled(text))).collect();
    format!("{}{}\n{history:?}", world.story(history), now.join("\n"))
}

/// The step that is told of each line.
fn told(timeline: &Timeline, text: &Text, tree: u16) -> Vec<Option<(u32, Evidence)>> {
    let blame = timeline.blame(&spell(&spelled(text)), Tree(tree));
    blame.lines.iter().map(|origin| origin.map(|origin| (origin.step.0, origin.evidence))).collect()
}

/// The unit of each line.
fn units_of_lines(text: &Text) -> Vec<Unit> {
    text.iter().flat_map(|unit| std::iter::repeat_n(*unit, unit.lines())).collect()
}

fn judge(world: &World, history: &History, timeline: &Timeline, complete: bool) -> Result<(), String> {
    // That only one command can have written a line is true where all is told.
    let infers = !world.untold && history.losses.is_empty() && history.clocks == [0; 3];
    for (tree, text) in world.texts() {
        for (at, (told, unit)) in told(timeline, text, tree).into_iter().zip(units_of_lines(text)).enumerate() {
            let writers = world.writers.get(&unit.letter).map(Vec::as_slice).unwrap_or_default();
            match told {
                // It may have been moved since.
                Some((step, _)) if !infers && world.commands.contains(&step) => {}
                Some((step, evidence)) if !writers.contains(&step) => {
                    return Err(format!("@{tree} line {at} {}: {step} ({evidence:?}), not {writers:?}", unit.letter));
                }
                None if complete && !writers.is_empty() => {
                    return Err(format!("@{tree} line {at} {}: nobody, not {writers:?}", unit.letter));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn from_scratch(events: &[Told]) -> Timeline {
    let mut timeline = Timeline::new();
    sync(&mut timeline, events);
    timeline
}

#[test]
fn whatever_is_told_no_name_is_wrong() {
    run("everything", Kind::Everything, 30, 1000, tell, |history| {
        let world = World::unique(history);
        judge(&world, history, &from_scratch(&story(&world.story(history))), false)
    });
}

#[test]
fn where_all_is_told_every_name_is_right() {
    run("plain", Kind::Plain, 30, 500, tell, |history| {
        let world = World::unique(history);
        judge(&world, history, &from_scratch(&story(&world.story(history))), true)
    });
}

/// Which events are known, and when: each number chooses some.
fn arrivals(count: usize, seed: u64) -> Vec<Vec<bool>> {
    let mut state = seed | 1;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut known = vec![false; count];
    let mut all = Vec::new();
    for _ in 0..5 {
        match random() % 3 {
            // More are known; some are known no more; those to some point only.
            0 => known.iter_mut().for_each(|known| *known |= random() % 2 == 0),
            1 => known.iter_mut().for_each(|known| *known &= random() % 4 != 0),
            _ => {
                let end = random() as usize % (count + 1);
                known = (0..count).map(|at| at < end).collect();
            }
        }
        all.push(known.clone());
    }
    all.push(vec![true; count]);
    all
}

/// Whether the same is told from scratch as after events came and went in other orders.
fn incremental(world: &World, history: &History) -> Result<(), String> {
    let events = story(&world.story(history));
    let seed = history.deeds.len() as u64 * 7919 + u64::from(history.first) + events.len() as u64 * 31;
    let mut timeline = Timeline::new();
    for (time, known) in arrivals(events.len(), seed).into_iter().enumerate() {
        let known: Vec<Told> =
            events.iter().zip(&known).filter(|(_, known)| **known).map(|(told, _)| told.clone()).collect();
        sync(&mut timeline, &known);
        let other = from_scratch(&known);
        for (tree, text) in world.texts() {
            let (one, two) = (told(&timeline, text, tree), told(&other, text, tree));
            if one != two {
                let lines: Vec<u64> = known.iter().map(|told| told.event.key.0).collect();
                return Err(format!("@{tree} at {time} with {lines:?}: {one:?}, from scratch {two:?}"));
            }
        }
        if timeline.states() != other.states() {
            return Err(format!("at {time}: {:?}, from scratch {:?}", timeline.states(), other.states()));
        }
    }
    Ok(())
}

#[test]
fn incremental_is_from_scratch() {
    run("incremental", Kind::Everything, 20, 300, tell, |history| incremental(&World::unique(history), history));
    let tell = |history: &History| World::of_few(history).story(history);
    run("incremental, few lines", Kind::Everything, 20, 300, tell, |history| {
        incremental(&World::of_few(history), history)
    });
}

/// What a person types into the open file after all this: each time lines replaced by new ones.
fn typing() -> impl Strategy<Value = Vec<(u8, u8, u8)>> {
    prop::collection::vec((any::<u8>(), 0u8..4, 0u8..3), 0..8)
}

#[test]
fn an_open_buffer_is_told_like_its_text() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(300);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let strategy = (histories(Kind::Plain, 12), typing());
    let result = TestRunner::new(config).run(&strategy, |(history, typing)| {
        let world = World::unique(&history);
        let timeline = from_scratch(&story(&world.story(&history)));
        let Some((_, text)) = world.texts().next() else { return Ok(()) };
        let base = spell(&spelled(text));
        let saved = timeline.blame(&base, Tree(0));
        let truth: Vec<(String, Option<u32>)> = spelled_lines(&spelled(text))
            .into_iter()
            .zip(saved.lines.iter().map(|origin| origin.map(|origin| origin.step.0)))
            .collect();
        let mut lines = truth.clone();
        let mut follower = Follower::new(lines.len());
        for (number, (at, old, new)) in typing.into_iter().enumerate() {
            let start = usize::from(at) % (lines.len() + 1);
            let old = usize::from(old).min(lines.len() - start);
            let typed = (0..new).map(|n| (format!("typed {number} {n}"), None));
            lines.splice(start..start + old, typed);
            follower.change(LineSplice { start, old, new: new.into() });
        }
        let buffer: String = lines.iter().map(|(line, _)| format!("{line}\n")).collect();
        let steps = |blame: crate::Blame| -> Vec<Option<u32>> {
            blame.lines.iter().map(|origin| origin.map(|origin| origin.step.0)).collect()
        };
        let truth: Vec<Option<u32>> = lines.iter().map(|(_, step)| *step).collect();
        prop_assert_eq!(&steps(timeline.blame_buffer(&saved, &base, &buffer, &follower, Tree(0))), &truth);
        prop_assert_eq!(&steps(timeline.blame_over(&saved, &base, &buffer, Tree(0))), &truth);
        prop_assert_eq!(&steps(timeline.blame(&buffer, Tree(0))), &truth);
        Ok(())
    });
    result.expect("a buffer");
}
