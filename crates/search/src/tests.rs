//! Nothing that is there is missed, however it is written.

use std::fs;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use expect_test::{Expect, expect};
use proptest::prelude::*;

use crate::*;

/// The parts of a need by which a log is looked through, and how they may be spelled.
fn check(pattern: Result<Pattern, regex::Error>, expect: Expect) {
    let pattern = pattern.expect("a pattern");
    let sought = match pattern.need().rarest() {
        None => "every record".into(),
        Some(runs) => runs.iter().map(|run| run.spellings().join(" ")).collect::<Vec<_>>().join(" | "),
    };
    expect.assert_eq(&sought);
}

#[test]
fn what_is_looked_for_in_bytes() {
    let told = |text: &str| Pattern::phrase(text, Case::Told);
    let blind = |text: &str| Pattern::phrase(text, Case::Ignored);
    check(told("needle_user_alpha"), expect!["dle_"]);
    check(
        blind("jump over"),
        expect!["JUMP JUMp JUmP JUmp JuMP JuMp JumP Jump jUMP jUMp jUmP jUmp juMP juMp jumP jump"],
    );
    check(told("a \"quoted\" word"), expect!["quot"]);
    check(blind("ok"), expect!["OK Ok O\u{212a} oK ok o\u{212a}"]);
    check(told("größe"), expect!["größ"]);
    check(told("!?"), expect!["every record"]);
    check(Pattern::beginning("retr", Case::Told), expect!["retr"]);
    check(Pattern::regex(r"error\[E\d+\]"), expect!["erro"]);
    check(Pattern::regex(r"fo+bar|qu[ui]x+"), expect!["bar | quix quux"]);
    check(Pattern::regex(r"(foo|\d+)x?"), expect!["every record"]);
    check(Pattern::regex(r"\w+"), expect!["every record"]);
    check(Pattern::regex(r"(?i)ab"), expect!["AB Ab aB ab"]);
    check(Pattern::regex(r"^\s*(let|const) \bmutable"), expect!["utab"]);
}

/// How a writer spells a character.
#[derive(Clone, Copy, Debug)]
enum Habit {
    Plain,
    Lower,
    Upper,
}

fn written(text: &str, habits: &[Habit]) -> String {
    let mut json = String::from("{\"text\":\"");
    for (c, habit) in text.chars().zip(habits.iter().cycle()) {
        let escape =
            |spell: fn(u16) -> String| c.encode_utf16(&mut [0; 2]).iter().map(|unit| spell(*unit)).collect::<String>();
        match habit {
            Habit::Plain => {
                let plain = serde_json::to_string(&c).expect("JSON");
                json.push_str(&plain[1..plain.len() - 1]);
            }
            Habit::Lower => json.push_str(&escape(|unit| format!("\\u{unit:04x}"))),
            Habit::Upper => json.push_str(&escape(|unit| format!("\\u{unit:04X}"))),
        }
    }
    json + "\"}"
}

/// A text, its spelling in a record, and a part of it to search for.
fn texts() -> impl Strategy<Value = (String, String, String)> {
    let habits = prop_oneof![8 => Just(Habit::Plain), 1 => Just(Habit::Lower), 1 => Just(Habit::Upper)];
    let letters = "[a-zA-Z_.kKsS\u{212A}\u{17F} \n\"\\\\/<öÖßéж東😀]{1,40}";
    (letters, proptest::collection::vec(habits, 1..50), any::<bool>(), 0..40usize, 1..12usize).prop_map(
        |(text, habits, is_twice, from, len)| {
            let inner = written(&text, &habits);
            let json = if is_twice { written(&inner, &[Habit::Plain]) } else { inner };
            let part: String = text.chars().cycle().skip(from).take(len).collect();
            (text, json, part)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 2_000 } else { 20_000 }))]

    #[test]
    fn nothing_is_missed((text, json, part) in texts(), swap in any::<bool>()) {
        let part = if swap { part.chars().flat_map(|c| if c.is_lowercase() { c.to_uppercase().next() } else { c.to_lowercase().next() }).collect() } else { part };
        let patterns = [
            Pattern::phrase(&part, Case::Told),
            Pattern::phrase(&part, Case::Ignored),
            Pattern::beginning(&part, Case::Ignored),
            Pattern::regex(&format!("(?i){}|zzz", regex::escape(&part))),
            Pattern::regex(&format!("x*{}+", regex::escape(&part))),
        ];
        let log = format!("{{}}\n{json}\n{{}}\n");
        let filter = Filter::of(log.as_bytes());
        for pattern in patterns {
            let pattern = pattern.expect("a pattern");
            if !pattern.is_match(&text) {
                continue;
            }
            prop_assert!(filter.can_hold(&Probe::new(pattern.need())), "{pattern:?} by the filter");
            let scanner = Scanner::new(pattern.need());
            let mut found = scanner.finds_all();
            scanner.scan(log.as_bytes(), 10, &mut |at| found |= (13..13 + json.len() as u64).contains(&at));
            prop_assert!(found, "{pattern:?} in {json}");
        }
    }

    /// A place that is told holds what is sought, or an escape, or an end.
    #[test]
    fn little_is_found_in_vain(text in "[a-d ]{0,200}", word in "[a-d]{1,6}") {
        let scanner = Scanner::new(Pattern::phrase(&word, Case::Told).expect("a pattern").need());
        let mut found = 0;
        scanner.scan(format!("      {text}      ").as_bytes(), 0, &mut |_| found += 1);
        prop_assert_eq!(found, usize::from(text.contains(&word)));
    }
}

/// What is hunted for in logs of these texts: for each with a place its number and the offsets.
fn hunted(logs: &[&str], word: &str, has_filters: bool, most: usize) -> Vec<(usize, Option<Vec<u64>>)> {
    let folder = tempfile::tempdir().expect("a folder");
    let filters = Filters::default();
    let paths: Vec<_> = (0..logs.len()).map(|number| folder.path().join(format!("{number}.jsonl"))).collect();
    for (id, (path, text)) in (0u32..).zip(paths.iter().zip(logs)) {
        fs::write(path, text).expect("a log");
        if has_filters {
            filters.update(Subject { id, path, len: text.len() as u64, epoch: 0 }, &|| false).expect("read");
        }
    }
    let part = |id: usize| {
        let blocks = u32::try_from(id).ok().and_then(|id| filters.of(id, 0));
        Part { path: &paths[id], len: logs[id].len() as u64, blocks }
    };
    let pattern = Pattern::phrase(word, Case::Ignored).expect("a pattern");
    let mut told = Vec::new();
    hunt(
        logs.len(),
        &|id| Group { parts: vec![part(id)] },
        &Scanner::new(pattern.need()),
        &Probe::new(pattern.need()),
        &|| false,
        &|group, places, _, tell| tell((group, places[0].offsets())),
        &mut |hit| {
            told.push(hit);
            if told.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        },
    );
    told
}

/// Tells of a group that it has a place.
fn tell_it(_: usize, _: &[Places<'_>], _: &dyn Fn() -> bool, tell: &mut dyn FnMut(())) {
    tell(());
}

#[test]
fn logs_are_told_in_their_order() {
    let logs = ["a needle\n", "nothing\n", "{Needle and needle}{needle}\n", "", "the NEEDLE"];
    for has_filters in [false, true] {
        let told = hunted(&logs, "needle", has_filters, 10);
        assert_eq!(told, [(0, Some(vec![3])), (2, Some(vec![2, 21])), (4, Some(vec![5]))]);
        assert_eq!(hunted(&logs, "needle", has_filters, 2).len(), 2);
        assert_eq!(hunted(&logs, "absent", has_filters, 2), []);
        assert_eq!(hunted(&logs, "?", has_filters, 10).len(), 4, "all but the empty one");
    }
}

#[test]
fn what_lies_across_pieces_is_found() {
    for at in (0..40).chain([131_060, 131_068, 131_072, 1_048_570, 1_048_573, 1_048_576, 8_388_600]) {
        let log = format!("{}needle{}", " ".repeat(at), "\n".repeat(9_000_000 - at));
        let offset = match hunted(&[&log], "needle", at % 2 == 0, 1).pop() {
            Some((0, Some(places))) => places.first().copied(),
            _ => None,
        };
        assert!(offset.is_some_and(|offset| (at..at + 6).contains(&(offset as usize))), "{at}: {offset:?}");
    }
}

#[test]
fn what_grows_shrinks_or_is_gone_meanwhile_ends_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.jsonl");
    fs::write(&path, "needle\n").expect("a log");
    let pattern = Pattern::phrase("needle", Case::Told).expect("a pattern");
    let hunt = |len: u64, blocks: Option<std::sync::Arc<Blocks>>| {
        let group = |_| Group { parts: vec![Part { path: &path, len, blocks: blocks.clone() }] };
        let (scanner, probe) = (Scanner::new(pattern.need()), Probe::new(pattern.need()));
        let mut found = 0;
        super::hunt(1, &group, &scanner, &probe, &|| false, &tell_it, &mut |()| {
            found += 1;
            ControlFlow::Continue(())
        });
        found
    };
    assert_eq!((hunt(7, None), hunt(700, None), hunt(3, None)), (1, 1, 0));
    let filters = Filters::default();
    let subject = |len| Subject { id: 7, path: &path, len, epoch: 0 };
    filters.update(subject(700), &|| false).expect("as much as there is");
    let blocks = filters.of(7, 0);
    assert!(filters.of(7, 1).is_none(), "another file");
    fs::write(&path, "ne").expect("a log");
    assert_eq!(hunt(7, blocks.clone()), 0);
    fs::remove_file(&path).expect("removed");
    assert_eq!(hunt(7, blocks), 0);
    assert!(filters.update(subject(900), &|| false).is_err());
    assert!(filters.of(7, 0).is_some(), "what was known stays");
}

#[test]
fn a_hunt_that_nobody_wants_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.jsonl");
    fs::write(&path, "needle\n".repeat(100)).expect("a log");
    let group = |_| Group { parts: vec![Part { path: &path, len: 700, blocks: None }] };
    let pattern = Pattern::phrase("needle", Case::Told).expect("a pattern");
    let (scanner, probe) = (Scanner::new(pattern.need()), Probe::new(pattern.need()));
    let read = AtomicUsize::new(0);
    let count = |_: usize, _: &[Places<'_>], stop: &dyn Fn() -> bool, tell: &mut dyn FnMut(())| {
        read.fetch_add(1, Ordering::Relaxed);
        while !stop() {
            tell(());
        }
    };
    hunt(50, &group, &scanner, &probe, &|| true, &count, &mut |()| ControlFlow::Continue(()));
    assert_eq!(read.load(Ordering::Relaxed), 0);
    hunt(50, &group, &scanner, &probe, &|| false, &count, &mut |()| ControlFlow::Break(()));
    assert!((1..=2).contains(&read.load(Ordering::Relaxed)), "a group tells as long as it is wanted");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_no_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.jsonl");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.is_ok_and(|made| made.success()));
    let filters = Filters::default();
    assert!(filters.update(Subject { id: 0, path: &path, len: 10, epoch: 0 }, &|| false).is_err());
    let pattern = Pattern::phrase("needle", Case::Told).expect("a pattern");
    let group = |_| Group { parts: vec![Part { path: &path, len: 10, blocks: None }] };
    let mut told = |()| -> ControlFlow<()> { panic!("nothing is there") };
    hunt(1, &group, &Scanner::new(pattern.need()), &Probe::new(pattern.need()), &|| false, &tell_it, &mut told);
}
