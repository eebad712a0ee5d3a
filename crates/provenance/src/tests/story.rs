//! Stories of one file as text: each line an event, each letter a line of the file.
//!
//! A text is spelled `a>bc,d/`: the line of a letter, `>` before it: further in; `,` behind it: with a comma; `/` behind
//! it: broken over two lines. `_` is a blank line, `}` and `)` are themselves.
//!
//! An event is one of
//! - `seen abc`, `shown abc` (by a tool), `blob abc < 1 2` (a commit, and which lines of the story, from 0, tell its
//!   parents);
//! - `7 abc -> aXbc` step 7 with the whole texts; `7 b=>bX` known by the strings that it replaced; `7 new abc` a new file;
//!   `7 hunks 2/2 =a-b+X=c; 9/9 +d` known by unified hunks; `7 hunks 2/2 -b+X then aXc` with the text after;
//! - `7 ran any|old|formats|whole|append`, `7 ran sed b X` a command; `byhand` somebody else's change.
//!
//! Before it may stand `@1` another worktree, `&2` another log, `%3` the turn, `~5` what the clock said (else the
//! number of the line), and `!` the person went back to before it.

use std::sync::Arc;

use trace::{Change, Hunk, Replacement, StepKey, Timestamp};

use crate::{Chain, Event, EventKey, Happening, Rewrite, Seen, Slot, Timeline, Tree, TurnKey, Writes};

/// An event and the log that tells it.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) log: Chain,
    pub(super) event: Event,
}

pub(super) fn spell(lines: &str) -> String {
    spelled_lines(lines).into_iter().map(|line| line + "\n").collect()
}

/// The lines of a spelled text.
pub(super) fn spelled_lines(spelled: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut indent = "";
    for c in spelled.chars() {
        match c {
            '>' => {
                indent = "    ";
                continue;
            }
            '_' => lines.push(String::new()),
            '}' | ')' => lines.push(format!("{indent}{c}")),
            ',' => lines.last_mut().expect("a line before its comma").push(','),
            '/' => {
                let whole = lines.pop().expect("a line to break");
                let (head, tail) = whole.split_once(" = ").expect("a line that can be broken");
                lines.extend([format!("{head} ="), format!("    {tail}")]);
            }
            c => lines.push(format!("{indent}let {c} = {c};")),
        }
        indent = "";
    }
    lines
}

/// The events of a story in the order in which they are told: by their clocks.
pub(super) fn story(text: &str) -> Vec<Told> {
    let mut events: Vec<Told> = text.trim().lines().enumerate().map(|(at, line)| told(at, line.trim())).collect();
    events.sort_by_key(|told| (told.event.at, told.log.0, told.event.key));
    events
}

fn told(at: usize, line: &str) -> Told {
    let mut told = Told {
        log: Chain(0),
        event: Event {
            key: EventKey(at as u64),
            at: Timestamp(at as i64),
            tree: Tree(0),
            turn: None,
            left_behind: false,
            what: Happening::ByHand,
        },
    };
    let mut rest = line;
    while let Some((prefix, after)) = rest.split_once(' ') {
        let number = || prefix[1..].parse::<i64>().expect("a number");
        match prefix.as_bytes().first() {
            Some(b'@') => told.event.tree = Tree(number() as u16),
            Some(b'&') => told.log = Chain(number() as u32),
            Some(b'%') => told.event.turn = Some(TurnKey(number() as u64)),
            Some(b'~') => told.event.at = Timestamp(number()),
            Some(b'!') => told.event.left_behind = true,
            _ => break,
        }
        rest = after;
    }
    told.event.what = happening(rest);
    told
}

fn happening(line: &str) -> Happening {
    if line == "byhand" {
        return Happening::ByHand;
    }
    let (head, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (text, parents) = rest.split_once("< ").map_or((rest, ""), |(text, parents)| (text.trim(), parents));
    let parents = parents.split_whitespace().map(|key| EventKey(key.parse().expect("a parent's line"))).collect();
    let seen = |how| Happening::Seen { text: spell(text).into(), how, parents };
    match head {
        "seen" => seen(Seen::Here),
        "shown" => seen(Seen::Shown),
        "blob" => seen(Seen::Somewhere),
        step => {
            let step = StepKey(step.parse().expect("a step"));
            match rest.strip_prefix("ran ") {
                Some(what) => Happening::Ran { step, writes: vec![writes(what)] },
                None => Happening::Edit { step, change: Arc::new(change(rest)) },
            }
        }
    }
}

fn writes(what: &str) -> Writes {
    let words: Vec<&str> = what.split(' ').collect();
    match words.as_slice() {
        ["any"] => Writes::Anything,
        ["old"] => Writes::OldText,
        ["formats"] => Writes::Formats,
        ["whole"] => Writes::Whole,
        ["append"] => Writes::AtTheEnd,
        ["sed", from, to] => {
            let (from, to) = (spelled_lines(from), spelled_lines(to));
            let rewrite = move |line: &str| {
                Some(if from.iter().any(|from| from == line) { to.clone() } else { vec![line.to_owned()] })
            };
            Writes::Lines(Rewrite(Arc::new(rewrite)))
        }
        _ => panic!("{what} is no command"),
    }
}

pub(super) fn empty_change() -> Change {
    Change {
        path: "file".into(),
        before: None,
        after: None,
        replacements: Vec::new(),
        hunks: Vec::new(),
        created: false,
        deleted: false,
        user_modified: false,
        moved_to: None,
    }
}

fn change(text: &str) -> Change {
    let mut change = empty_change();
    if let Some(text) = text.strip_prefix("new") {
        change.created = true;
        change.after = Some(spell(text.trim()).into());
    } else if let Some(hunks) = text.strip_prefix("hunks ") {
        let (hunks, after) = hunks.split_once(" then").map_or((hunks, None), |(hunks, after)| (hunks, Some(after)));
        change.hunks = hunks.split("; ").map(hunk).collect();
        change.after = after.map(|after| spell(after.trim()).into());
    } else if let Some((old, new)) = text.split_once("=>") {
        change.replacements =
            vec![Replacement { old: spell(old.trim()).into(), new: spell(new.trim()).into(), all: false }];
    } else if let Some((old, new)) = text.split_once("->") {
        change.before = Some(spell(old.trim()).into());
        change.after = Some(spell(new.trim()).into());
    }
    change
}

fn hunk(text: &str) -> Hunk {
    let (place, signed) = text.split_once(' ').expect("a hunk's place and its lines");
    let (old, new) = place.split_once('/').expect("two line numbers");
    let mut lines = Vec::new();
    let mut rest = signed;
    while let Some(sign) = rest.chars().next() {
        let end = rest[1..].find(['=', '-', '+']).map_or(rest.len(), |end| end + 1);
        let sign = if sign == '=' { ' ' } else { sign };
        lines.extend(spelled_lines(rest[1..end].trim()).into_iter().map(|line| format!("{sign}{line}").into()));
        rest = &rest[end..];
    }
    let number = |text: &str| text.parse().expect("a line number");
    Hunk { old_start: number(old), new_start: number(new), lines }
}

/// Makes the timeline that of these events.
pub(super) fn sync(timeline: &mut Timeline, events: &[Told]) {
    let slot = |told: &Told| Slot { key: told.event.key, chain: told.log, at: told.event.at };
    let slots: Vec<Slot> = events.iter().map(slot).collect();
    timeline.sync(&slots, |which| events.get(which).map(|told| told.event.clone()));
}
