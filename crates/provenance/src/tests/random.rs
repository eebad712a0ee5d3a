//! Random edits of one file, each told in full or by what it replaced; and events that make no sense.

use std::sync::Arc;

use proptest::prelude::*;
use trace::{Replacement, StepKey, Timestamp};

use super::story::empty_change;
use crate::{Chain, Event, EventKey, Happening, Seen, Slot, Timeline, Tree};

fn sync(timeline: &mut Timeline, events: &[Event]) {
    let slots: Vec<Slot> = events.iter().map(|event| Slot { key: event.key, chain: Chain(0), at: event.at }).collect();
    timeline.sync(&slots, |which| events.get(which).cloned());
}

/// What somebody did to the file: an agent (a step) or a person, and whether the whole text was told.
#[derive(Clone, Debug)]
struct Deed {
    by_agent: bool,
    told_whole: bool,
    seen_before: bool,
    at: prop::sample::Index,
    drop: usize,
    insert: usize,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = (any::<bool>(), any::<bool>(), any::<bool>(), any::<prop::sample::Index>(), 0usize..4, 0usize..5);
    let deed = deed.prop_map(|(by_agent, told_whole, seen_before, at, drop, insert)| Deed {
        by_agent,
        told_whole,
        seen_before,
        at,
        drop,
        insert,
    });
    prop::collection::vec(deed, 1..25)
}

/// Memory is in proportion to what was written and removed, not to the file times the edits.
#[test]
fn memory_of_many_edits() {
    // One line for another is the dearest: two lines bear all that is kept of an edit.
    for written in [1, 6] {
        let base: String = (0..2000).map(|line| format!("let base_{line} = {line};\n")).collect();
        let what = Happening::Seen { text: base.into(), how: Seen::Here, parents: Vec::new() };
        let first = Event { key: EventKey(0), at: Timestamp(0), tree: Tree(0), turn: None, left_behind: false, what };
        let mut events = vec![first];
        let mut timeline = Timeline::new();
        sync(&mut timeline, &events);
        let before = timeline.bytes();
        let edits = 600;
        for edit in 0..edits {
            let old = format!("let base_{} = {};\n", edit * 3, edit * 3);
            let new: String = (0..written).map(|line| format!("let new_{edit}_{line} = {line};\n")).collect();
            let mut change = empty_change();
            change.replacements = vec![Replacement { old: old.into(), new: new.into(), all: false }];
            let what = Happening::Edit { step: StepKey(edit), change: Arc::new(change) };
            let (key, at) = (EventKey(u64::from(edit) + 1), Timestamp(i64::from(edit) + 1));
            events.push(Event { key, at, tree: Tree(0), turn: None, left_behind: false, what });
        }
        sync(&mut timeline, &events);
        let (grown, lines) = (timeline.bytes() - before, edits as usize * (written + 1));
        assert!(grown <= lines * 200, "{} bytes for a line", grown / lines);
    }
}

/// Lines that one writer replaces by others: where, how many, by how many.
type Touch = (prop::sample::Index, usize, usize);

fn touches(most: usize) -> impl Strategy<Value = Vec<Touch>> {
    prop::collection::vec((any::<prop::sample::Index>(), 0usize..3, 0usize..3), 0..most)
}

/// Makes changes that do not touch each other; gives them as hunks with a line of context or two.
fn touch(text: &mut Vec<u32>, next: &mut u32, touches: &[Touch]) -> Vec<trace::Hunk> {
    const CONTEXT: usize = 2;
    let mut places: Vec<(usize, usize, usize)> =
        touches.iter().map(|(at, drop, insert)| (at.index(text.len() + 1), *drop, *insert)).collect();
    places.sort_unstable();
    let (mut hunks, mut new, mut done) = (Vec::new(), Vec::new(), 0);
    for (at, drop, insert) in places {
        let end = (at + drop).min(text.len());
        if at < done + 2 * CONTEXT || drop + insert == 0 {
            continue;
        }
        new.extend(&text[done..at]);
        let signed =
            |sign: char, lines: &[u32]| lines.iter().map(move |line| format!("{sign}line {line}").into()).collect();
        let mut lines: Vec<Box<str>> = signed(' ', &text[at - CONTEXT..at]);
        lines.extend(signed('-', &text[at..end]));
        let fresh: Vec<u32> = (*next..*next + insert as u32).collect();
        lines.extend(signed('+', &fresh));
        lines.extend(signed(' ', &text[end..(end + CONTEXT).min(text.len())]));
        hunks.push(trace::Hunk { old_start: (at - CONTEXT + 1) as u32, new_start: 0, lines });
        *next += insert as u32;
        new.extend(fresh);
        done = end;
    }
    new.extend(&text[done..]);
    *text = new;
    hunks
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// A patch over changes that nobody saw: what is named is the patch's, and what was seen on both sides is found.
    #[test]
    fn patches_over_unseen_changes(before in touches(4), patched in touches(8), after in touches(3)) {
        let mut text: Vec<u32> = (0..60).collect();
        let mut next = 60;
        let spell = |text: &[u32]| text.iter().map(|line| format!("line {line}\n")).collect::<String>();
        let seen = |text: &[u32]| Happening::Seen { text: spell(text).into(), how: Seen::Somewhere, parents: Vec::new() };
        let first = seen(&text);
        touch(&mut text, &mut next, &before);
        let own = next;
        let mut change = empty_change();
        change.hunks = touch(&mut text, &mut next, &patched);
        let end = next;
        touch(&mut text, &mut next, &after);
        let edit = Happening::Edit { step: StepKey(1), change: Arc::new(change) };
        let told = [first, edit, seen(&text)];
        let event = |(at, what): (usize, Happening)| Event {
            key: EventKey(at as u64), at: Timestamp(at as i64), tree: Tree(0), turn: None, left_behind: false, what,
        };
        let events: Vec<Event> = told.into_iter().enumerate().map(event).collect();
        let mut timeline = Timeline::new();
        sync(&mut timeline, &events);
        let blame = timeline.blame(&spell(&text), Tree(0));
        for (line, origin) in text.iter().zip(&blame.lines) {
            prop_assert!(origin.is_none() || (own..end).contains(line), "line {} of {:?}", line, text);
        }
        if before.is_empty() && after.is_empty() {
            let missing = text.iter().zip(&blame.lines).find(|(line, origin)| (own..end).contains(line) && origin.is_none());
            prop_assert_eq!(missing, None);
        }
    }

    /// Lines that are all different: the author of each is told, and rightly.
    #[test]
    fn different_lines_are_told_right(deeds in deeds()) {
        let mut text: Vec<(u32, Option<u32>)> = (0..10).map(|line| (line, None)).collect();
        let mut next = 10;
        let spell = |text: &[(u32, Option<u32>)]| text.iter().map(|(line, _)| format!("line {line}\n")).collect::<String>();
        let mut events = vec![Event {
            key: EventKey(0), at: Timestamp(0), tree: Tree(0), turn: None, left_behind: false,
            what: Happening::Seen { text: spell(&text).into(), how: Seen::Here, parents: Vec::new() },
        }];
        for (number, deed) in deeds.iter().enumerate() {
            let at = deed.at.index(text.len() + 1);
            let end = (at + deed.drop).min(text.len());
            let before = spell(&text);
            let author = deed.by_agent.then_some(number as u32);
            let new: Vec<_> = (next..next + deed.insert as u32).map(|line| (line, author)).collect();
            next += deed.insert as u32;
            let old_string = spell(&text[at..end]);
            text.splice(at..end, new.iter().copied());
            let key = |part: u64| EventKey(number as u64 * 2 + 1 + part);
            let when = Timestamp(number as i64 + 1);
            if !deed.by_agent {
                continue;
            }
            if deed.seen_before {
                let what = Happening::Seen { text: before.clone().into(), how: Seen::Here, parents: Vec::new() };
                events.push(Event { key: key(0), at: when, tree: Tree(0), turn: None, left_behind: false, what });
            }
            let mut change = empty_change();
            // The strings alone are enough only where the text they were found in is known.
            if deed.told_whole || !deed.seen_before || old_string.is_empty() {
                (change.before, change.after) = (Some(before.into()), Some(spell(&text).into()));
            } else {
                change.replacements = vec![Replacement { old: old_string.into(), new: spell(&new).into(), all: false }];
            }
            let what = Happening::Edit { step: StepKey(number as u32), change: Arc::new(change) };
            events.push(Event { key: key(1), at: when, tree: Tree(0), turn: None, left_behind: false, what });
        }
        let mut timeline = Timeline::new();
        sync(&mut timeline, &events);
        let blame = timeline.blame(&spell(&text), Tree(0));
        let told: Vec<_> = blame.lines.iter().map(|origin| origin.map(|origin| origin.step.0)).collect();
        let truth: Vec<_> = text.iter().map(|(_, author)| *author).collect();
        prop_assert_eq!(told, truth);
        for number in 0..deeds.len() as u32 {
            let fate = timeline.fate(&blame, StepKey(number));
            let live = text.iter().filter(|(_, author)| *author == Some(number)).count();
            prop_assert_eq!(fate.live(), live);
            let written = if deeds[number as usize].by_agent { deeds[number as usize].insert } else { 0 };
            prop_assert_eq!(fate.lines.len(), written);
        }
    }

    /// Nothing that can be said of a file breaks the engine.
    #[test]
    fn nothing_panics(texts in prop::collection::vec("[ab\n\r \u{e9}]{0,12}", 1..12), kinds in prop::collection::vec(0u8..6, 12)) {
        let mut timeline = Timeline::new();
        let mut events = Vec::new();
        for (at, pair) in texts.windows(2).enumerate() {
            let mut change = empty_change();
            match kinds[at % kinds.len()] {
                0 => (change.before, change.after) = (Some(pair[0].clone().into()), Some(pair[1].clone().into())),
                1 => change.replacements = vec![Replacement { old: pair[0].clone().into(), new: pair[1].clone().into(), all: at % 2 == 0 }],
                2 => (change.created, change.after) = (true, Some(pair[1].clone().into())),
                3 => change.deleted = true,
                _ => change.hunks = vec![trace::Hunk { old_start: at as u32, new_start: 7, lines: pair.iter().map(|line| line.as_str().into()).collect() }],
            }
            let what = if kinds[at % kinds.len()] == 5 {
                Happening::Seen { text: pair[0].clone().into(), how: Seen::Here, parents: Vec::new() }
            } else {
                Happening::Edit { step: StepKey(at as u32), change: Arc::new(change) }
            };
            events.push(Event { key: EventKey(at as u64), at: Timestamp(0), tree: Tree((at % 3) as u16), turn: None, left_behind: at % 4 == 0, what });
            sync(&mut timeline, &events);
            let blame = timeline.blame(&pair[1], Tree(0));
            for line in 0..blame.lines.len() {
                timeline.history(&blame, line);
            }
            timeline.fate(&blame, StepKey(at as u32));
        }
    }
}
