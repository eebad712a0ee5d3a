//! Stories of one file: each character is a line, each line of a story an event.

use std::sync::Arc;

use expect_test::{Expect, expect};
use proptest::prelude::*;
use trace::{Change, Evidence, Replacement, StepKey, Timestamp};

use crate::{Chain, Event, EventKey, Happening, LineNow, Seen, Slot, Timeline, Tree};

fn spell(lines: &str) -> String {
    let line = |c: char| match c {
        '_' => "\n".to_owned(),
        // `>` before a letter: the same line, further in.
        c => format!("let {c} = {c};\n"),
    };
    let mut text = String::new();
    let mut indent = "";
    for c in lines.chars() {
        if c == '>' {
            indent = "    ";
            continue;
        }
        text.push_str(indent);
        text.push_str(&line(c));
        indent = "";
    }
    text
}

/// `seen abc` · `blob abc` (somewhere) · `1 abc>abXc` a step with whole texts · `2 b=>XY` a step known by the strings
/// that it replaced · `3 new abc` a new file. A leading `@1 ` is another worktree, `! ` a step that was left behind.
fn story(text: &str) -> Vec<Event> {
    text.trim().lines().enumerate().map(|(at, line)| event(at, line.trim())).collect()
}

fn event(at: usize, line: &str) -> Event {
    let (tree, line) = match line.strip_prefix('@') {
        Some(rest) => (Tree(rest[..1].parse().expect("a tree")), &rest[2..]),
        None => (Tree(0), line),
    };
    let (left_behind, line) = match line.strip_prefix("! ") {
        Some(line) => (true, line),
        None => (false, line),
    };
    let (head, rest) = line.split_once(' ').expect("two words");
    let text: Arc<str> = spell(rest).into();
    let what = match head {
        "seen" => Happening::Seen { text, how: Seen::Here, parents: Vec::new() },
        "blob" => Happening::Seen { text, how: Seen::Somewhere, parents: Vec::new() },
        step => Happening::Edit { step: StepKey(step.parse().expect("a step")), change: Arc::new(change(rest)) },
    };
    Event { key: EventKey(at as u64), at: Timestamp(at as i64), tree, turn: None, left_behind, what }
}

fn change(text: &str) -> Change {
    let mut change = Change {
        path: "file".into(),
        before: None,
        after: None,
        replacements: Vec::new(),
        hunks: Vec::new(),
        created: false,
        deleted: false,
        user_modified: false,
        moved_to: None,
    };
    if let Some(text) = text.strip_prefix("new ") {
        change.created = true;
        change.after = Some(spell(text).into());
    } else if let Some((old, new)) = text.split_once("=>") {
        change.replacements = vec![Replacement { old: spell(old).into(), new: spell(new).into(), all: false }];
    } else if let Some((old, new)) = text.split_once(" -> ") {
        change.before = Some(spell(old).into());
        change.after = Some(spell(new).into());
    }
    change
}

/// Builds the timeline of events of which each `log` (from 0 on) keeps its own order.
fn sync(timeline: &mut Timeline, events: &[Event]) {
    let slots: Vec<Slot> = events.iter().map(|event| Slot { key: event.key, chain: Chain(0), at: event.at }).collect();
    timeline.sync(&slots, |which| events.get(which).cloned());
}

/// One sign for each line of `text`: the step, `.` nobody; behind it `~` carried, `"` reformatted.
fn check(events: &str, text: &str, expect: Expect) {
    let events = story(events);
    let mut timeline = Timeline::new();
    sync(&mut timeline, &events);
    let told = signs(&timeline, text);
    // The same, event by event, and with the last ones taken back and told again.
    let mut other = Timeline::new();
    for end in (0..=events.len()).chain([events.len() / 2, events.len()]) {
        sync(&mut other, &events[..end]);
    }
    assert_eq!(told, signs(&other, text), "incremental is from scratch");
    expect.assert_eq(&told);
}

fn signs(timeline: &Timeline, text: &str) -> String {
    let blame = timeline.blame(&spell(text), Tree(0));
    let sign = |origin: &Option<trace::LineOrigin>| match origin {
        None => ".".to_owned(),
        Some(origin) => {
            let evidence = match origin.evidence {
                Evidence::Recorded => "",
                Evidence::Carried => "~",
                _ => "\"",
            };
            format!("{}{evidence}", origin.step.0)
        }
    };
    blame.lines.iter().map(sign).collect::<Vec<_>>().join(" ")
}

#[test]
fn edits() {
    check("1 abc -> aXbc", "aXbc", expect![". 1 . ."]);
    check("1 new abc", "abc", expect!["1 1 1"]);
    check("1 new abc\n2 abc -> aXc", "aXc", expect!["1 2 1"]);
    check("seen abc\n1 b=>bX", "abXc", expect![". . 1 ."]);
    check("1 new abc\n2 b=>XY\n3 Y=>Z", "aXZc", expect!["1 2 3 1"]);
    check("", "abc", expect![". . ."]);
}

#[test]
fn texts_that_the_log_leaves_out() {
    // Written over who knows what.
    check("1 => abc", "abc", expect![". . ."]);
    // The state known is not the one found, but the replaced line stands in it once.
    check("seen abc\n1 b=>bX\nseen aHbXc", "aHbXc", expect![". . . 1~ ."]);
    check("seen abc\n1 z=>zX", "abc", expect![". . ."]);
}

#[test]
fn rewinds() {
    // Both states hold b; the one that was left behind is not the one found.
    check("1 new abc\n! 2 abc -> abcX\n3 b=>bY", "abYc", expect!["1 1 3 1"]);
    check("1 new abc\n! 2 abc -> abcX\n3 X=>Z", "abcZ", expect!["1 1 1 3"]);
}

#[test]
fn people_between() {
    check("1 new abc\nseen abHc\n2 abHc -> abHcX", "abHcX", expect!["1~ 1~ . 1~ 2"]);
    check("1 new abc", "abHc", expect!["1~ 1~ . 1~"]);
    check("1 new abc", "ac", expect!["1~ 1~"]);
    // Whose x is it? Both accounts are as short.
    check("1 abc -> abxc", "axbxc", expect![". . . 1~ ."]);
}

#[test]
fn repeated_lines() {
    check("1 PQ -> PxQ", "PxaxQ", expect![". . . . ."]);
    check("1 new PxQ", "PaxbxQ", expect!["1~ . . . 1~ 1~"]);
}

#[test]
fn undone_and_redone() {
    check("1 abc -> aXbc\n2 abc -> aXbc", "aXbc", expect![". 2 . ."]);
    check("1 abc -> aXbc\n2 aXbc -> aXYbc", "aXbc", expect![". 1 . ."]);
    check("1 abc -> aXbc\nseen abc\n2 b=>bY", "abYc", expect![". . 2 ."]);
}

#[test]
fn white_space() {
    check("1 new abc", "a>bc", expect!["1~ 1\" 1~"]);
    check("1 new abc\n2 abc -> a>bXc", "a>bXc", expect!["1 1\" 2 1"]);
}

#[test]
fn worktrees() {
    check("@1 1 new abc\n@2 2 abc -> abX", "abc", expect!["1 1 1"]);
    check("1 new abc\n@1 2 abc -> aXbc", "abcH", expect!["1~ 1~ 1~ ."]);
    check("blob abc\n1 b=>bX", "abXc", expect![". . 1 ."]);
}

fn named(text: &str) -> String {
    text.chars().map(|c| format!("let {c} = a_long_enough_name_to_be_known_again({c});\n")).collect()
}

fn whole(key: u64, step: u32, before: &str, after: &str) -> Event {
    let mut change = change("");
    (change.before, change.after) = (Some(before.into()), Some(after.into()));
    let what = Happening::Edit { step: StepKey(step), change: Arc::new(change) };
    Event { key: EventKey(key), at: Timestamp(key as i64), tree: Tree(0), turn: None, left_behind: false, what }
}

fn commit(key: u64, text: &str, parents: &[u64]) -> Event {
    let parents = parents.iter().copied().map(EventKey).collect();
    let what = Happening::Seen { text: text.into(), how: Seen::Somewhere, parents };
    Event { key: EventKey(key), at: Timestamp(key as i64), tree: Tree(0), turn: None, left_behind: false, what }
}

/// Steps of the history of each line, the newest first; and where each was in the states that led to the text.
fn check_ways(events: &[Event], text: &str, expect: Expect) {
    let mut timeline = Timeline::new();
    sync(&mut timeline, events);
    let blame = timeline.blame(text, Tree(0));
    let mut told = String::new();
    for line in 0..blame.lines.len() {
        let step = |link: &crate::Link| link.by.step.map_or(".".to_owned(), |step| step.0.to_string());
        let steps: Vec<String> = timeline.history(&blame, line).iter().map(step).collect();
        let place = |stage: &crate::Stage| stage.line.map_or("-".to_owned(), |line| line.to_string());
        let places: Vec<String> = timeline.story(&blame, line).iter().map(place).collect();
        told.push_str(&format!("{} | {}", steps.join(" "), places.join(" ")));
        if let Some(stood) = timeline.stood(&blame, line) {
            told.push_str(&format!(" | stood at {}", stood.line));
        }
        told.push('\n');
    }
    for step in 1..4 {
        let now = |written: &crate::Written| match written.now {
            LineNow::At(now) => format!("{}→{now}", written.line),
            LineNow::Gone(by) => format!(
                "{} gone{}",
                written.line,
                by.and_then(|by| by.step).map_or(String::new(), |by| format!(" by {}", by.0))
            ),
        };
        let fate: Vec<String> = timeline.fate(&blame, StepKey(step)).lines.iter().map(now).collect();
        if !fate.is_empty() {
            told.push_str(&format!("{step}: {}\n", fate.join(", ")));
        }
    }
    expect.assert_eq(&told);
}

#[test]
fn ways_through_merges() {
    let [base, ours, theirs, both] = ["abcd", "aXbcd", "abcYd", "aXbcYd"].map(named);
    let events = [
        commit(0, &base, &[]),
        whole(1, 1, &base, &ours),
        commit(2, &ours, &[0]),
        whole(3, 2, &base, &theirs),
        commit(4, &theirs, &[0]),
        commit(5, &both, &[2, 4]),
    ];
    check_ways(
        &events,
        &both,
        expect![[r#"
        . | 0 0 0
        1 | - 1 1
        . | 1 1 2
        . | 2 2 3
        2 | - 3 4
        . | 3 4 5
        1: 1→1
        2: 3→4
    "#]],
    );
}

#[test]
fn ways_of_moved_lines() {
    let [base, long, taken, put] = ["abcdef", "abXYcdef", "abcdef", "abcdefXY"].map(named);
    let moved_at_once = [whole(1, 1, &base, &long)];
    check_ways(
        &moved_at_once,
        &put,
        expect![[r#"
        . | 0 0
        . | 1 1
        . | 2 4
        . | 3 5
        . | 4 6
        . | 5 7
        1 | - 2 | stood at 2
        1 | - 3 | stood at 3
        1: 2→6, 3→7
    "#]],
    );
    let taken_before = [whole(1, 1, &base, &long), commit(2, &taken, &[])];
    check_ways(
        &taken_before,
        &put,
        expect![[r#"
        . | 0 0
        . | 1 1
        . | 2 4
        . | 3 5
        . | 4 6
        . | 5 7
        1 | - 2 | stood at 2
        1 | - 3 | stood at 3
        1: 2→6, 3→7
    "#]],
    );
}

fn ran(key: u64, step: u32, writes: crate::Writes) -> Event {
    let what = Happening::Ran { step: StepKey(step), writes: vec![writes] };
    Event { key: EventKey(key), at: Timestamp(key as i64), tree: Tree(0), turn: None, left_behind: false, what }
}

fn by_hand(key: u64) -> Event {
    Event { what: Happening::ByHand, ..commit(key, "", &[]) }
}

/// Why the second line of `text` is somebody's, or nobody's.
fn check_account(events: &[Event], text: &str, expect: Expect) {
    let mut timeline = Timeline::new();
    sync(&mut timeline, events);
    let blame = timeline.blame(text, Tree(0));
    let told = match timeline.account(&blame, text, 1, Tree(0)) {
        None => "an edit told it".to_owned(),
        Some(crate::Account::FirstSeen(_)) => "there when first seen".to_owned(),
        Some(crate::Account::OverUnknown(step)) => format!("{} wrote over who knows what", step.0),
        Some(crate::Account::Between(between)) => {
            let key = |witness: Option<crate::Witness>| witness.map_or("now".to_owned(), |by| by.key.0.to_string());
            let suspects: Vec<String> =
                between.suspects.iter().map(|one| format!(" {} {:?}", one.step.0, one.fit)).collect();
            let by_hand = if between.by_hand { " by hand" } else { "" };
            let alike = if between.alike { " alike" } else { "" };
            format!("{}..{}{}{by_hand}{alike}", key(between.before), key(between.after), suspects.concat())
        }
    };
    let origin = blame.lines.get(1).copied().flatten();
    expect.assert_eq(&format!("{}: {told}", origin.map_or(".".to_owned(), |origin| origin.step.0.to_string())));
}

#[test]
fn accounts() {
    use crate::Writes;
    let seen = |key: u64, text: &str| {
        let what = Happening::Seen { text: spell(text).into(), how: Seen::Here, parents: Vec::new() };
        Event { what, ..commit(key, "", &[]) }
    };
    let text = spell("aXb");
    check_account(&[whole(0, 1, &spell("ab"), &text)], &text, expect!["1: an edit told it"]);
    check_account(&[seen(0, "aXb")], &text, expect![".: there when first seen"]);
    check_account(&[seen(0, "ab")], &text, expect![".: 0..now"]);
    check_account(&[seen(0, "ab"), ran(1, 7, Writes::Whole)], &text, expect!["7: 0..now 7 Named"]);
    check_account(&[seen(0, "ab"), ran(1, 7, Writes::Whole), seen(2, "aXb")], &text, expect!["7: 0..2 7 Named"]);
    check_account(
        &[seen(0, "ab"), ran(1, 7, Writes::Whole), by_hand(2), seen(3, "aXb")],
        &text,
        expect![".: 0..3 7 Named by hand"],
    );
    check_account(
        &[seen(0, "ab"), ran(1, 7, Writes::Whole), ran(2, 8, Writes::Anything)],
        &text,
        expect![".: 0..now 7 Named 8 May"],
    );
    check_account(&[seen(0, "ab"), ran(1, 7, Writes::AtTheEnd), seen(2, "aXb")], &text, expect![".: 0..2 7 Not"]);
    check_account(&[seen(0, "aXb")], &spell("aXcXb"), expect![".: 0..now alike"]);
    let mut over_unknown = event(0, "1 new aXb");
    if let Happening::Edit { change, .. } = &mut over_unknown.what {
        Arc::make_mut(change).created = false;
    }
    check_account(&[over_unknown], &text, expect![".: 1 wrote over who knows what"]);
}

#[test]
fn histories() {
    let mut timeline = Timeline::new();
    sync(&mut timeline, &story("1 new abc\nseen abHc\n2 abHc -> aXHc"));
    let blame = timeline.blame(&spell("aXHc"), Tree(0));
    let links = timeline.history(&blame, 1);
    let told: Vec<_> = links.iter().map(|link| (link.by.step.map(|step| step.0), link.text.to_string())).collect();
    assert_eq!(told, [(Some(2), "let X = X;".to_owned()), (Some(1), "let b = b;".to_owned())]);
    let fate = timeline.fate(&blame, StepKey(1));
    let told = |written: &crate::Written| match written.now {
        LineNow::At(now) => format!("{}→{now}", written.line),
        LineNow::Gone(by) => format!("{} by {:?}", written.line, by.and_then(|by| by.step).map(|step| step.0)),
    };
    assert_eq!(fate.lines.iter().map(told).collect::<Vec<_>>(), ["0→0", "1 by Some(2)", "2→3"]);
    assert_eq!(timeline.lines_now(&blame, StepKey(1)), Some(vec![Some(0), None, Some(3)]));
    let removed: Vec<_> = timeline.removed(StepKey(2)).iter().map(|gone| (gone.line, gone.step, gone.place)).collect();
    assert_eq!(removed, [(1, Some(StepKey(1)), 1)]);
    let (before, after) = timeline.around(StepKey(2), StepKey(2)).expect("texts");
    assert_eq!((before.as_deref(), after.as_str()), (Some(&*spell("abHc")), &*spell("aXHc")));
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
    let base: String = (0..2000).map(|line| format!("let base_{line} = {line};\n")).collect();
    let mut events = story("seen a");
    events[0].what = Happening::Seen { text: base.into(), how: Seen::Here, parents: Vec::new() };
    let edits = 500;
    for edit in 0..edits {
        let old = format!("let base_{} = {};\n", edit * 3, edit * 3);
        let new: String = (0..6).map(|line| format!("let new_{edit}_{line} = {line};\n")).collect();
        let mut change = change("");
        change.replacements = vec![Replacement { old: old.into(), new: new.into(), all: false }];
        let what = Happening::Edit { step: StepKey(edit), change: Arc::new(change) };
        let (key, at) = (EventKey(u64::from(edit) + 1), Timestamp(i64::from(edit) + 1));
        events.push(Event { key, at, tree: Tree(0), turn: None, left_behind: false, what });
    }
    let mut timeline = Timeline::new();
    sync(&mut timeline, &events);
    let lines = 2000 + edits as usize * 7;
    assert!(timeline.bytes() <= lines * 200, "{} bytes for {lines} lines", timeline.bytes());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

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
            let mut change = change("");
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
            let mut change = change("");
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
