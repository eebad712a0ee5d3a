//! Histories through merges and moves, and accounts of lines that no edit told.

use std::sync::Arc;

use expect_test::{Expect, expect};
use trace::{StepKey, Timestamp};

use super::story::{self, empty_change, spell};
use crate::{Chain, Event, EventKey, Happening, LineNow, Seen, Slot, Timeline, Tree};

fn sync(timeline: &mut Timeline, events: &[Event]) {
    let slots: Vec<Slot> = events.iter().map(|event| Slot { key: event.key, chain: Chain(0), at: event.at }).collect();
    timeline.sync(&slots, |which| events.get(which).cloned());
}

fn named(text: &str) -> String {
    text.chars().map(|c| format!("let {c} = a_long_enough_name_to_be_known_again({c});\n")).collect()
}

fn whole(key: u64, step: u32, before: &str, after: &str) -> Event {
    let mut change = empty_change();
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
    check_account_in(&timeline, text, expect);
}

fn check_account_in(timeline: &Timeline, text: &str, expect: Expect) {
    let blame = timeline.blame(text, Tree(0));
    let told = match timeline.account(&blame, text, 1, Tree(0)) {
        None => "an edit told it".to_owned(),
        Some(crate::Account::FirstSeen(_)) => "there when first seen".to_owned(),
        Some(crate::Account::OverUnknown(step)) => format!("{} wrote over who knows what", step.0),
        Some(crate::Account::Between(between)) => {
            let key = |witness: Option<crate::Witness>| witness.map_or("now".to_owned(), |by| by.key.0.to_string());
            let suspects: Vec<String> =
                between.suspects.iter().map(|one| format!(" {} {:?}", one.step.0, one.fit)).collect();
            let doubt = between.doubt.map_or(String::new(), |doubt| format!(" {doubt:?}"));
            let alike = if between.alike { " alike" } else { "" };
            format!("{}..{}{}{doubt}{alike}", key(between.before), key(between.after), suspects.concat())
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
        expect![".: 0..3 7 Named ByHand"],
    );
    check_account(
        &[seen(0, "ab"), ran(1, 7, Writes::Whole), ran(2, 8, Writes::Anything)],
        &text,
        expect![".: 0..now 7 Named 8 May"],
    );
    check_account(&[seen(0, "ab"), ran(1, 7, Writes::AtTheEnd), seen(2, "aXb")], &text, expect![".: 0..2 7 Not"]);
    check_account(&[seen(0, "aXb")], &spell("aXcXb"), expect![".: 0..now alike"]);
    let mut over_unknown = whole(0, 1, "", &text);
    if let Happening::Edit { change, .. } = &mut over_unknown.what {
        Arc::make_mut(change).before = None;
    }
    check_account(&[over_unknown], &text, expect![".: 1 wrote over who knows what"]);
}

#[test]
fn accounts_of_doubts() {
    let check = |events: &str, text: &str, expect: Expect| {
        let mut timeline = Timeline::new();
        story::sync(&mut timeline, &story::story(events));
        check_account_in(&timeline, &spell(text), expect);
    };
    // The edit came after the command, whatever its clock says.
    check("seen a\n&1 1 z=>Z\n7 ran append\nseen axz", "axZ", expect![".: 0..3 7 Named Clocks"]);
    check("seen a\n1 z=>Z\n7 ran append\nseen ab", "ab", expect![".: 0..3 7 Named Waiting"]);
    check("@1 seen a\n7 ran append\n1 a=>A", "Ab", expect![".: 2..now Elsewhere"]);
}

/// Who came over line `line` after step 1, by the numbers of their steps (`c` a commit).
fn check_later(events: &[Event], text: &str, line: u32, expected: &str) {
    let mut timeline = Timeline::new();
    sync(&mut timeline, events);
    let blame = timeline.blame(text, Tree(0));
    let later = timeline.later_changes(&blame, StepKey(1), line..line + 1);
    let told = later.iter().map(|by| by.step.map_or("c".to_owned(), |step| step.0.to_string()));
    assert_eq!(told.collect::<Vec<_>>().join(" "), expected);
}

/// Step 1 wrote X; on one branch step 2 made Z of it, on the other step 3 put Y in.
#[test]
fn changes_on_both_sides_of_a_merge() {
    let [base, first, ours, theirs, both, neither] =
        ["abcd", "aXbcd", "aZbcd", "aXbcYd", "aZbcYd", "aXbcYd"].map(named);
    let story = |merged: &str, parents: &[u64]| {
        [
            commit(0, &base, &[]),
            whole(1, 1, &base, &first),
            commit(2, &first, &[0]),
            whole(3, 2, &first, &ours),
            commit(4, &ours, &[2]),
            whole(5, 3, &first, &theirs),
            commit(6, &theirs, &[2]),
            commit(7, merged, parents),
        ]
    };
    for parents in [&[4, 6], &[6, 4]] {
        check_later(&story(&both, parents), &both, 1, "2");
        // The merge is the other branch's text: what was done on this one is no part of it.
        check_later(&story(&neither, parents), &neither, 1, "");
        // Both branches and the merge have it otherwise.
        let third = named("aQbcYd");
        check_later(&story(&third, parents), &third, 1, "2 c");
    }
}

/// A line that one branch took out and that the merge has from the other one.
#[test]
fn lines_from_another_parent() {
    let [base, first, ours, theirs, both] = ["abcd", "abcXd", "aYbcd", "abcXdZ", "aYbcXdZ"].map(named);
    let events = [
        commit(0, &base, &[]),
        whole(1, 1, &base, &first),
        commit(2, &first, &[0]),
        whole(3, 3, &first, &theirs),
        commit(4, &theirs, &[2]),
        whole(5, 2, &first, &ours),
        commit(6, &ours, &[2]),
        commit(7, &both, &[4, 6]),
    ];
    let mut timeline = Timeline::new();
    sync(&mut timeline, &events);
    let blame = timeline.blame(&both, Tree(0));
    let fate = timeline.fate(&blame, StepKey(1));
    assert_eq!(fate.lines.iter().map(|line| line.now).collect::<Vec<_>>(), [LineNow::At(4)]);
    assert_eq!(timeline.lines_now(&blame, StepKey(1)).map(|now| now.get(3).copied()), Some(Some(Some(4))));
}
