use expect_test::{Expect, expect};

use super::*;

/// A case over one story: `N old => new` a step with whole texts, `N old ~> new` one known by the strings that it
/// replaced, `seen …` and `commit …` texts, `sed old/new`. `/` ends a line, `|` is what stands behind all.
fn story(told: &str) -> Vec<(Slot, Option<Event>)> {
    let event = |(at, line): (usize, &str)| {
        let (head, rest) = line.trim().split_once(' ').expect("two words");
        let text = |text: &str| text.trim().replace('/', "\n");
        let mut change = Changed::default();
        let mut table = Table::default();
        let what = match head {
            "seen" => Happening::Seen { text: text(rest).into(), how: Seen::Here, parents: Vec::new() },
            "sed" => {
                let (old, new) = rest.split_once('/').expect("old and new");
                let (old, new) = (old.to_owned(), new.to_owned());
                let rewrite = move |line: &str| Some(vec![line.replace(&old, &new)]);
                Happening::Ran { step: StepKey(at as u32), writes: vec![Writes::Lines(Rewrite(Arc::new(rewrite)))] }
            }
            step => {
                if let Some((old, new)) = rest.split_once(" ~> ") {
                    change.replaced = vec![(table.text(&text(old)), table.text(&text(new)), false)];
                } else if let Some((old, new)) = rest.split_once(" => ") {
                    change.before = Some(table.text(&text(old)));
                    change.after = Some(table.text(&text(new)));
                }
                let bare = Case {
                    turnlens: String::new(),
                    line: 1,
                    answer: None,
                    lines: table.lines,
                    text: Text::default(),
                    events: Vec::new(),
                    from: None,
                };
                Happening::Edit { step: StepKey(step.parse().expect("a step")), change: Arc::new(bare.change(&change)) }
            }
        };
        let (key, at) = (EventKey(at as u64 + 1000), Timestamp(at as i64 + 1_700_000_000_000));
        let event = Event { key, at, tree: HERE, turn: Some(TurnKey(77)), left_behind: false, what };
        (Slot { key, chain: Chain(90), at }, Some(event))
    };
    told.trim().lines().enumerate().map(event).collect()
}

/// The answer for each line of `text`; it stays the same in disguise, and nothing of the texts stands there.
fn check(told: &str, text: &str, expect: Expect) {
    let story = story(told);
    let text = text.replace('/', "\n");
    let mut answers = Vec::new();
    for line in 0..provenance::lines(&text).count() {
        let plain = Case::of(&story, &text, line, None);
        let disguised = plain.disguised();
        let read = Case::from_json(&disguised.to_json()).expect("a case");
        assert_eq!(read, disguised);
        assert_eq!(read.replay(), plain.answer, "line {line} of\n{}", disguised.to_json());
        let shown = disguised.lines.join("\n").to_lowercase();
        for word in plain.lines.iter().flat_map(|line| line.split(|c: char| !c.is_alphabetic())) {
            assert!(word.chars().count() < 4 || !shown.contains(&word.to_lowercase()), "{word} stands in\n{shown}");
        }
        answers.push(plain.answer.map_or(".".to_owned(), |answer| format!("{} {}", answer.step, answer.evidence)));
    }
    expect.assert_eq(&answers.join("\n"));
}

/// A line that went from a file with its own history to one of which nothing is known.
#[test]
fn lines_from_another_file() {
    let (block, rest) = (
        "    harvest(apples, 12, baskets, ladders);/    carry(baskets, barn, 7);/    weigh(barn, scales, 99);",
        "fn rest() {}",
    );
    let before = format!("fn autumn() {{/{block}/}}/{rest}").replace('/', "\n");
    let told = story(&format!("1 {rest} => fn autumn() {{/{block}/}}/{rest}"));
    let source = Source { path: "other".into(), before, now: format!("fn autumn() {{\n}}\n{rest}"), commit: None };
    let text = format!("fn winter() {{/{block}/}}").replace('/', "\n");
    for (line, expected) in [(0, None), (1, Some("moved")), (3, Some("moved")), (4, None)] {
        let open = [true; 5];
        let other = Other { source: &source, open: &open, told: told.clone() };
        let plain = Case::of(&[], &text, line, Some(other));
        assert_eq!(plain.answer.as_ref().map(|answer| &*answer.evidence), expected, "line {line}");
        let disguised = plain.disguised();
        let read = Case::from_json(&disguised.to_json()).expect("a case");
        assert_eq!((read.replay(), &read), (plain.answer, &disguised));
        assert!(!read.lines.join("\n").contains("harvest"), "{:?}", read.lines);
    }
}

#[test]
fn whole_texts() {
    check(
        "1 fn apples() {/    pears(1);/} => fn apples() {/    plums(1);/    pears(1);/}",
        "fn apples() {/    plums(1);/    pears(1);/}",
        expect![[r#"
            .
            1 recorded
            .
            ."#]],
    );
}

#[test]
fn strings_that_cut_words() {
    check(
        "seen let orchard = garden(5);/let meadow = hedge;\n1 chard = gard ~> bit = ward",
        "let orbit = warden(5);/let meadow = hedge;",
        expect![[r#"
            1 recorded
            ."#]],
    );
}

#[test]
fn layout_and_commands() {
    check(
        "1 old line => let gardens = [1, 2];\nseen let gardens = [/    1,/    2,/];\nsed gardens/orchards\nseen let orchards = [/    1,/    2,/];",
        "let orchards = [/    1,/    2,/];",
        expect![[r#"
            2 inferred
            1 reformatted
            1 reformatted
            1 reformatted"#]],
    );
}

#[test]
fn other_scripts() {
    check(
        "1 говорит => // Привет, мир “да” 你好世界\n",
        "// Привет, мир “да” 你好世界",
        expect![[r#"
        1 recorded
        1 recorded
        1 recorded"#]],
    );
}

#[test]
fn what_no_case_is() {
    assert!(Case::from_json("{}").is_err());
    assert!(
        Case::from_json(r#"{"turnlens":"0","line":0,"answer":null,"lines":[],"text":[7],"events":[]}"#)
            .expect("a case")
            .replay()
            .is_none()
    );
}
