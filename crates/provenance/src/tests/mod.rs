//! Stories of one file: each character is a line, each line of a story an event.

mod accounts;
mod fuzz;
mod kept;
mod random;
mod story;
mod ways;
mod world;

use expect_test::{Expect, expect};
use trace::{Evidence, StepKey};

use crate::{LineNow, Timeline, Tree};
use story::{spell, story, sync};

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
fn patches_over_changes_that_nobody_saw() {
    // Somebody wrote H over d: the hunk that says so stands between two that stand as they are told.
    check("blob abcdefgh\n1 hunks 1/1 =a+X=b; 3/4 =c-H+Y=e; 7/8 =g+Z=h", "aXbcYefgZh", expect![". 1 . . 1 . . . 1 ."]);
    // Somebody put H and I in: what comes after stands two lines further down.
    check("blob abcdefgh\n1 hunks 2/2 =bc-H-I=d; 9/7 =g+Z=h", "abcdefgZh", expect![". . . . . . . 1 ."]);
    // Nothing tells where the lines of the first hunk end.
    check("blob abcdefgh\n1 hunks 2/2 =H-I=J+X; 5/6 =e+Y=f", "aXeYf", expect![". . . . ."]);
    // No hunk stands there as a whole.
    check("blob abcd\n1 hunks 1/1 =a-H+X", "aXbcd", expect![". . . . ."]);
}

#[test]
fn hunks_that_count_an_empty_line_behind_the_last_line_end() {
    // The last line is blank; it was replaced, which is told as the one behind it taken out.
    check("seen ab_\n1 hunks 2/2 =b+XY=_-_", "abXY", expect![". . 1 1"]);
    check("seen ab_\n1 hunks 2/2 =b+X=_-_\n2 X=>XZ", "abXZ", expect![". . 1 2"]);
    // Lines were put at the end.
    check("seen ab\n1 hunks 2/2 =b-_+X+_", "abX", expect![". . 1"]);
    check("seen ab\n1 hunks 2/2 =b=_+X+_", "ab_X", expect![". . 1 1"]);
    // The last line was taken out.
    check("seen abc\n1 hunks 2/2 =b-c-_+_", "ab", expect![". ."]);
}

#[test]
fn edits_whose_outcome_was_seen_later() {
    // Somebody put H in, and wrote I over b, where the edit came afterwards.
    let told = "seen abcd\n1 hunks 1/1 =HaI+XYZ=c\nseen HaIXYZcd";
    check(told, "HaIXYZcd", expect![". . . 1 1 1 . ."]);
    check(&format!("{told}\n2 Y=>YW"), "HaIXYWZcd", expect![". . . 1 1 2 1 . ."]);
    // Two of them, one over the other.
    let told = "seen abcd\n1 hunks 1/1 =HaI+XYZ=c\n2 hunks 4/4 =X-Y+VW=Z\nseen HaIXVWZcd";
    check(told, "HaIXVWZcd", expect![". . . 1 2 2 1 . ."]);
    // A line of it, or one around it, is another one: nothing proves the place.
    check("seen abcd\n1 hunks 1/1 =HaI+XYZ=c\nseen HaIXYVcd", "HaIXYVcd", expect![". . . . . . . ."]);
    check("seen abcd\n1 hunks 1/1 =HaI+XYZ=c\nseen aIXYZcd", "aIXYZcd", expect![". . . . . . ."]);
    // The second hunk tells nothing but by its number.
    let told = "seen abcd_}e_}\n1 hunks 1/1 =HaI+XYZ=c; 9/12 -f=_}\nseen HaIXYZcd_}e_}";
    check(told, "HaIXYZcd_}e_}", expect![". . . 1 1 1 . . . . . . ."]);
    // Another log tells the same lines.
    let twice = "seen abcd\n&1 1 hunks 1/1 =HaI+XYZ=c\n&2 2 hunks 1/1 =HaI+XYZ=c\nseen HaIXYZcd";
    check(twice, "HaIXYZcd", expect![". . . . . . . ."]);
    // They stood there before.
    check("seen aXYZbcd\n1 hunks 1/1 =HaI+XYZ=c\nseen HaIXYZcd", "HaIXYZcd", expect![". . . . . . . ."]);
}

#[test]
fn an_edit_that_came_after_all_others() {
    // Its clock is behind: it finds its text at the end only, whichever log told that.
    check("seen a\n&1 1 z=>Z\nseen axz", "axZ", expect![". . 1"]);
    check("&1 seen a\n1 z=>Z\n&1 seen axz", "axZ", expect![". . 1"]);
}

#[test]
fn lines_at_the_ends_of_a_replacement() {
    // E and F stand twice afterwards: those after g are the old ones, for g is.
    check("seen cRgEFT\n1 RgEFT=>gEFNnEFT", "cgEFNnEFT", expect![". . . . 1 1 . . ."]);
    check("2 new cRgEFT\n1 RgEFT=>gEFNnEFT", "cgEFNnEFT", expect!["2 2 . . 1 1 . . 2"]);
    check("2 new cgEFT\n1 EF=>EFNEF", "cgEFNEFT", expect!["2 2 2 2 1 1 1 2"]);
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

#[test]
fn a_clock_that_is_slow() {
    // What log 2 did stands in older texts as well, and is first taken for having been done to those.
    let told = "~0 blob abcdefgh\n&2 ~1 7 hunks 1/1 =a+Y=b\n&1 ~2 shown abcdefgh\n&1 ~3 1 abcdefgh -> abcdeXfgh\n\
                &2 ~4 8 hunks 1/1 +W=a\n&1 ~5 shown aYbcdeXfgh\n&1 ~6 2 aYbcdeXfgh -> aYbcdeXfghZ\n&1 ~8 shown WaYbcdeXfghZ";
    check(told, "WaYbcdeXfghZ", expect!["8 . 7 . . . . 1 . . . 2"]);
}

#[test]
fn commits_from_elsewhere() {
    // On X alone, which stood beside four others here, the commit may have come to by itself.
    check("blob ab\n@1 1 ab -> aXPQRSb\nblob aXZb < 0", "aXZb", expect![". . . ."]);
    check("blob ab\n@1 1 ab -> aXPQRSb\nblob aXPQRSZb < 0", "aXPQRSZb", expect![". 1~ 1~ 1~ 1~ 1~ . ."]);
    check("blob ab\n@1 1 ab -> aXPb\nblob aXZb < 0", "aXZb", expect![". 1~ . ."]);
    // A blank line does not tell two parts from each other.
    check("blob a_b_c\n@1 1 a_b_c -> aX_PQRS_b_c\nblob aX_Z_b_c < 0", "aX_Z_b_c", expect![". . . . . . . ."]);
    // What follows in that worktree does not bring the name back.
    let elsewhere = "blob a_b_c\n@1 1 a_b_c -> aX_PQRS_b_c\nblob aX_Z_b_c < 0\n@1 2 aX_Z_b_c -> aX_ZW_b_c";
    check(elsewhere, "aX_ZW_b_c", expect![". . . . 2 . . . ."]);
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
