use std::collections::HashMap;

use expect_test::{Expect, expect, expect_file};
use proptest::prelude::*;

use super::*;
use crate::fixture::{Fixture, Known, RETRY, ROOT, at, with_lenses};
use crate::now::{Gone, Live, Span, StepLife};
use crate::rendered::{FoldKind, Symbol};
use crate::view::{Settings, Thinking};

fn check(text: &str, expect: Expect) {
    let fixture = Fixture::of(text);
    let rendered = session_page(&fixture.source(), 1, None);
    well_formed(&rendered);
    expect.assert_eq(&body(&rendered));
}

/// What follows the five lines of the header.
fn body(rendered: &Rendered) -> String {
    rendered.text.lines().skip(5).map(|line| format!("{line}\n")).collect()
}

fn well_formed(rendered: &Rendered) {
    let lines: Vec<&str> = rendered.text.lines().collect();
    assert!(rendered.text.ends_with('\n') && !rendered.text.contains('\r') && !rendered.text.contains('\u{1b}'));
    assert!(!rendered.text.contains("\n\n\n"), "two blank lines");
    let ends = rendered.anchors.windows(2).all(|pair| pair[0].line + pair[0].lines <= pair[1].line);
    assert!(ends, "anchors overlap");
    for link in &rendered.links {
        assert!(lines[link.line as usize].get(link.start as usize..link.end as usize).is_some(), "{link:?}");
    }
    assert!(rendered.links.is_sorted_by_key(|link| (link.line, link.start)));
    assert!(rendered.tokens.is_sorted_by_key(|token| (token.line, token.start)));
    assert!(rendered.lenses.is_sorted_by_key(|lens| lens.line));
    for fold in &rendered.folds {
        assert!(fold.start < fold.end && (fold.end as usize) < lines.len(), "{fold:?}");
    }
}

/// What is true of the mock-up's session.
fn known() -> Known {
    let life = |written, live, place: Option<(&str, u32, u32)>, gone: Vec<(Gone, u32)>| StepLife {
        written,
        live,
        now: place
            .into_iter()
            .map(|(path, from, to)| Span { path: format!("{ROOT}/{path}").into(), from, to })
            .collect(),
        gone,
        ..StepLife::default()
    };
    let reformatted = vec![(format!("{ROOT}/src/uploader.rs").into(), 4), (format!("{ROOT}/src/retry.rs").into(), 2)];
    Known(HashMap::from([
        ("1.7".into(), life(12, 12, Some(("src/loader.rs", 41, 52)), vec![])),
        ("1.10".into(), life(5, 5, Some(("src/http.rs", 15, 19)), vec![])),
        ("1.12".into(), life(1, 1, Some(("src/loader.rs", 5, 5)), vec![])),
        ("2.2".into(), life(14, 14, Some(("src/retry.rs", 1, 14)), vec![])),
        ("2.3".into(), life(3, 1, Some(("src/uploader.rs", 22, 22)), vec![(Gone::NoRecordedTurn, 2)])),
        ("2.4.3".into(), life(24, 24, Some(("tests/retry.rs", 1, 24)), vec![])),
        ("3.1".into(), StepLife { reformatted, ..StepLife::default() }),
    ]))
}

#[test]
fn the_mock_up() {
    let fixture = Fixture::of(RETRY);
    let rendered = session_page(&fixture.source(), 1, None);
    well_formed(&rendered);
    expect_file!["../../fixture/retry.session.md"].assert_eq(&with_lenses(&fixture, &rendered, &known()));
}

#[test]
fn outline_and_folds_of_the_mock_up() {
    fn show(symbols: &[Symbol], depth: usize, shown: &mut String) {
        for symbol in symbols {
            let (line, end) = (symbol.line + 1, symbol.end + 1);
            let name = format!("{}{}", "  ".repeat(depth), symbol.name);
            shown.push_str(&format!("{name:48} {:24} {line}-{end} {:?}\n", symbol.detail, symbol.kind));
            show(&symbol.children, depth + 1, shown);
        }
    }
    let fixture = Fixture::of(RETRY);
    let rendered = session_page(&fixture.source(), 1, None);
    let mut shown = String::new();
    show(&rendered.symbols, 0, &mut shown);
    expect![[r#"
            Turn 1 · Add retry to the loader                 14:02 · 2 files +18 −1   6-99 Turn
              1.7 Edit src/loader.rs                         +12 −1                   25-46 Edit
              1.8 Edit src/http.rs                           failed                   48-52 Failed
              1.10 Edit src/http.rs                          +5 −0                    56-68 Edit
              1.11 Run cargo test -p fetchd                  exit 101                 70-86 Failed
              1.12 Edit src/loader.rs                        +1 −0                    88-95 Edit
            Turn 2 · Add retry to the loader → yes           14:21 · 3 files +41 −1   101-175 Turn
              2.1 Agent explore                                                       107-111 Agent
              2.2 Write src/retry.rs                         +14                      113-130 Edit
              2.3 Edit src/uploader.rs                       +3 −1                    132-142 Edit
              2.4 Agent test-writer                                                   144-165 Agent
                2.4.3 Write tests/retry.rs                   +24                      146-163 Edit
              Context compacted                                                       173-173 Compaction
            Turn 3 · format and commit                       14:55                    177-186 Turn
        "#]]
    .assert_eq(&shown);
    let lines: Vec<&str> = rendered.text.lines().collect();
    let fold = |fold: &crate::Fold| {
        let head: String = lines[fold.start as usize].chars().take(40).collect();
        format!("{}-{} {:?} {head}\n", fold.start + 1, fold.end + 1, fold.kind)
    };
    expect![[r#"
            6-99 Section ## Turn 1 · Add retry to the loader
            13-15 Comment *1.1 Thought, 625 characters.* The loade
            27-46 Region ```diff
            50-52 Region ```text
            58-68 Region ```diff
            72-86 Region ```text
            90-95 Region ```diff
            101-175 Section ## Turn 2 · Add retry to the loader → ye
            107-111 Region ### 2.1 Agent "explore" · Find every cal
            109-111 Comment *Its answer:* `Client::put` has one call
            115-130 Region ```diff
            134-142 Region ```diff
            144-165 Region ### 2.4 Agent "test-writer" · Write test
            148-163 Region ```diff
            177-186 Section ## Turn 3 · format and commit
        "#]]
    .assert_eq(&rendered.folds.iter().map(fold).collect::<String>());
}

#[test]
fn links_of_the_mock_up() {
    let fixture = Fixture::of(RETRY);
    let rendered = session_page(&fixture.source(), 1, None);
    let lines: Vec<&str> = rendered.text.lines().collect();
    let show = |link: &crate::Link| {
        let text = &lines[link.line as usize][link.start as usize..link.end as usize];
        let target = match &link.target {
            crate::LinkTarget::Document(document, name) => document.path(name),
            other => format!("{other:?}"),
        };
        format!("{} {text} -> {target}\n", link.line + 1)
    };
    expect![[r#"
            15 … -> claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/1.1/thought.md
            19 src/http.rs:1-88 -> Code { path: "/home/anna/src/fetchd/src/http.rs", line: Some(1), at: StepRef { turn: 1, steps: [3] } }
            20 src/loader.rs -> Code { path: "/home/anna/src/fetchd/src/loader.rs", line: None, at: StepRef { turn: 1, steps: [4] } }
            25 src/loader.rs:40 -> Code { path: "/home/anna/src/fetchd/src/loader.rs", line: Some(40), at: StepRef { turn: 1, steps: [7] } }
            48 src/http.rs -> Code { path: "/home/anna/src/fetchd/src/http.rs", line: None, at: StepRef { turn: 1, steps: [8] } }
            54 src/http.rs:1-40 -> Code { path: "/home/anna/src/fetchd/src/http.rs", line: Some(1), at: StepRef { turn: 1, steps: [9] } }
            56 src/http.rs:15 -> Code { path: "/home/anna/src/fetchd/src/http.rs", line: Some(15), at: StepRef { turn: 1, steps: [10] } }
            77 … 6 more lines -> claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/1.11/output.txt
            88 src/loader.rs:5 -> Code { path: "/home/anna/src/fetchd/src/loader.rs", line: Some(5), at: StepRef { turn: 1, steps: [12] } }
            111 all 9 steps -> claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/2.1/explore.trace.md
            113 src/retry.rs -> Code { path: "/home/anna/src/fetchd/src/retry.rs", line: None, at: StepRef { turn: 2, steps: [2] } }
            129 … 2 more lines -> claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/2.2/changes.diff
            132 src/uploader.rs:22 -> Code { path: "/home/anna/src/fetchd/src/uploader.rs", line: Some(22), at: StepRef { turn: 2, steps: [3] } }
            146 tests/retry.rs -> Code { path: "/home/anna/src/fetchd/tests/retry.rs", line: None, at: StepRef { turn: 2, steps: [4, 3] } }
            162 … 12 more lines -> claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/2.4.3/changes.diff
            165 all 5 steps -> claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/2.4/test-writer.trace.md
            184 commit 4be19d2 -> Commit { hash: "4be19d2", folder: Some("/home/anna/src/fetchd") }
        "#]].assert_eq(&rendered.links.iter().map(show).collect::<String>());
}

#[test]
fn prompts() {
    check(
        "14:02 slash /review src/\n",
        expect![[r#"
            ## Turn 1 · /review src/

            14:02 – 14:02 · 0 steps · no edits

            > /review src/
        "#]],
    );
    check(
        "14:02 turn Look at this\nimages 2\n",
        expect![[r#"
            ## Turn 1 · Look at this

            14:02 – 14:02 · 0 steps · no edits

            > Look at this
            > [2 images]
        "#]],
    );
    check(
        "14:02 turn Fix it\n|\n| ```\n| # not a heading\n| ```\n| \u{1b}[31mred\u{1b}[0m\ta\rb\n",
        expect![[r#"
            ## Turn 1 · Fix it

            14:02 – 14:02 · 0 steps · no edits

            > Fix it
            >
            > ```
            > # not a heading
            > ```
            > ␛red␛	a␍b
        "#]],
    );
    let lines: String = (1..=45).map(|n| format!("| line {n}\n")).collect();
    check(
        &format!("14:02 turn Look at these lines\n{lines}"),
        expect![[r#"
            ## Turn 1 · Look at these lines

            14:02 – 14:02 · 0 steps · no edits

            > Look at these lines
            > line 1
            > line 2
            > line 3
            > line 4
            > line 5
            > line 6
            > line 7
            > line 8
            > line 9
            > line 10
            > line 11
            > line 12
            > line 13
            > line 14
            > line 15
            > line 16
            > line 17
            > line 18
            > line 19
            > line 20
            > line 21
            > line 22
            > line 23
            > line 24
            > line 25
            > line 26
            > line 27
            > line 28
            > line 29
            > line 30
            > line 31
            > line 32
            > line 33
            > line 34
            > line 35
            > line 36
            > line 37
            > line 38
            > line 39
            > … 6 more lines
        "#]],
    );
}

#[test]
fn outcomes() {
    check(
        "\
14:02 turn Try everything that can go wrong
14:03 refused src/a.rs
| The user doesn't want to proceed with this tool use.
14:03 run 0 running cargo test
14:03 run 3 none ls
14:03 calls WebFetch https://example.org/a`b
14:03 run 3 1 cat <<'EOF' > a.txt\\nb\\nEOF
14:03 interrupted
",
        expect![[r#"
                ## Turn 1 · Try everything that can go wrong · interrupted by the person

                14:02 – 14:03 · 5 steps · no edits

                > Try everything that can go wrong

                ### 1.1 Edit src/a.rs · refused by the person

                ```text
                The user doesn't want to proceed with this tool use.
                ```

                - 1.2 Run `cargo test` · result not recorded
                - 1.3 Run `ls` · 0.3 s
                - 1.4 WebFetch ``https://example.org/a`b`` · result not recorded

                ### 1.5 Run `cat <<'EOF' > a.txt` … 2 more lines · exit 1 · 0.3 s

                *1.5 interrupted by the person.*
            "#]],
    );
}

#[test]
fn several_files_in_one_edit() {
    check(
        "\
14:02 turn Rename it everywhere
14:03 edit src/a.rs
| @@ -1,1 +1,1 @@
| -old();
| +new();
| src/b.rs
| @@ -7,1 +7,2 @@
|  x
| +```
14:04 delete src/c.rs
| gone
14:05 write src/a.rs
| --- before
| a
| b
| --- after
| a
| c
",
        expect![[r#"
                ## Turn 1 · Rename it everywhere

                14:02 – 14:05 · 3 steps · 3 files +3 −3

                > Rename it everywhere

                ### 1.1 Edit 2 files +2 −1

                Edit src/a.rs:1 +1 −1

                ```diff
                @@ -1,1 +1,1 @@
                -old();
                +new();
                ```

                Edit src/b.rs:8 +1 −0

                ````diff
                @@ -7,1 +7,2 @@
                 x
                +```
                ````

                ### 1.2 Delete src/c.rs · 1 line

                ```diff
                @@ -1,1 +0,0 @@
                -gone
                ```

                ### 1.3 Write src/a.rs:2 +1 −1

                ```diff
                @@ -1,2 +1,2 @@
                 a
                -b
                +c
                ```
            "#]],
    );
}

#[test]
fn rows_of_the_system() {
    check(
        "\
14:02 turn Do it
14:03 system hook SessionStart: startup
14:03 read src/a.rs
14:03 system hook PostToolUse: rustfmt, exit 0
14:03 unknown frame-link
14:03 command /model opus
14:04 text Done.
14:05 compacted manual
",
        expect![[r###"
                ## Turn 1 · Do it

                14:02 – 14:05 · 2 steps · no edits

                > Do it

                *1.0 hook SessionStart: startup.*

                - 1.1 Read src/a.rs

                *1.1 hook PostToolUse: rustfmt, exit 0.*
                *1.1 Not understood: record of type "frame-link".*
                *1.1 the person ran `/model opus`.*

                Done.

                ---

                *Context compacted: by the person.*

                ---
            "###]],
    );
}

#[test]
fn abandoned_and_inherited() {
    check(
        "\
inherited 1 77ab01c2-0000-4000-8000-000000000000
14:02 turn Add retry
14:03 text Done.
14:10 turn Use the tokio-retry crate
14:11 text Done.
abandoned 14:20
14:21 turn and the docs
14:22 interrupted
",
        expect![[r#"
                *Turn 1 is inherited from session 77ab01c2 (fork).*

                ## Turn 1 · Add retry

                14:02 – 14:03 · 1 step · no edits

                > Add retry

                Done.

                ## Turn 2 · Use the tokio-retry crate · abandoned: rewound at 14:20

                14:10 – 14:11 · 1 step · no edits

                > Use the tokio-retry crate

                Done.

                ## Turn 3 · and the docs · interrupted by the person

                14:21 – 14:22 · 0 steps · no edits

                > and the docs

                *3.0 interrupted by the person.*
            "#]],
    );
    let fixture = Fixture::of("14:10 turn Use the tokio-retry crate\n14:11 text Done.\nabandoned 14:20\n");
    let rendered = session_page(&fixture.source(), 1, None);
    assert_eq!(rendered.folds[0].kind, FoldKind::Comment);
}

#[test]
fn words_keep_their_fences_closed() {
    check(
        "14:02 turn Explain\n14:03 text Look:\n| ```rust\n| fn a() {}\n14:04 text And more.\n",
        expect![[r#"
            ## Turn 1 · Explain

            14:02 – 14:04 · 2 steps · no edits

            > Explain

            Look:
            ```rust
            fn a() {}
            ```

            And more.
        "#]],
    );
}

#[test]
fn thoughts() {
    let text = "14:02 turn Think about it\n14:03 thought First.\n|\n| Second.\n14:04 thought \n";
    let fixture = Fixture::of(text);
    let with = |show_thinking| {
        let mut source = fixture.source();
        source.view.settings = Settings { show_thinking, ..Settings::default() };
        body(&session_page(&source, 1, None))
    };
    expect![[r#"
            ## Turn 1 · Think about it

            14:02 – 14:04 · 2 steps · no edits

            > Think about it

            *1.1 Thought, 15 characters.* First. Second.

            *1.2 Thought, not recorded.*
        "#]]
    .assert_eq(&with(Thinking::Folded));
    expect![[r#"
            ## Turn 1 · Think about it

            14:02 – 14:04 · 2 steps · no edits

            > Think about it

            *1.1 Thought, 15 characters.*

            First.

            Second.

            *1.2 Thought, not recorded.*
        "#]]
    .assert_eq(&with(Thinking::Open));
    expect![[r#"
            ## Turn 1 · Think about it

            14:02 – 14:04 · 2 steps · no edits

            > Think about it
        "#]]
    .assert_eq(&with(Thinking::Hidden));
}

#[test]
fn a_running_session() {
    let fixture = Fixture::of("14:02 turn Run the tests\n14:03 run 0 running cargo test\n");
    let with = |live: &Live| {
        let mut source = fixture.source();
        source.view.live = Some(live);
        session_page(&source, 1, None).text
    };
    let since = at("2026-11-20 14:57:12");
    expect![[r#"
            # Run the tests

            Claude Code · ~/src/fetchd
            2026-11-20 14:02 – +01:00 · session 9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77

            ## Turn 1 · Run the tests

            14:02 – 14:03 · 1 step · no edits

            > Run the tests

            - 1.1 Run `cargo test`

            *working: Bash cargo test, since 14:57:12*
        "#]]
    .assert_eq(&with(&Live::Working { what: "Bash cargo test".into(), since }));
    let waiting = with(&Live::Waits { since });
    assert_eq!(waiting.lines().last(), Some("*waits for the person since 14:57:12*"));
}

#[test]
fn a_log_that_is_gone() {
    let fixture = Fixture::of(RETRY).without_bodies();
    let rendered = session_page(&fixture.source(), 1, None);
    well_formed(&rendered);
    let said = rendered.text.matches("*The log of this turn is gone.*").count();
    assert_eq!(said, 2, "once in each turn with a body that is missing\n{}", rendered.text);
}

#[test]
fn only_some_steps() {
    let fixture = Fixture::of(RETRY);
    let only = |filter: Filter| {
        let rendered = filtered(&fixture.source(), &filter);
        well_formed(&rendered);
        body(&rendered)
    };
    expect![[r#"
            ## Turn 1 · Add retry to the loader

            14:02 – 14:09 · 14 steps · 2 files +18 −1 · 61,204 tokens

            > Add retry to the loader: three attempts, back off 200 ms, 400 ms. Do not retry on 4xx.
            > The error type is in src/http.rs.

            ## Turn 2 · Add retry to the loader → yes

            14:21 – 14:47 · 6 steps, 2 sub-agents · 3 files +41 −1 · 148,950 tokens

            > yes

            ## Turn 3 · format and commit

            14:55 – 14:58 · 3 steps · no edits · 9,310 tokens

            > format and commit
        "#]]
    .assert_eq(&only(Filter::Prompts));
    expect![[r#"
            ## Turn 1 · Add retry to the loader

            14:02 – 14:09 · 14 steps · 2 files +18 −1 · 61,204 tokens

            > Add retry to the loader: three attempts, back off 200 ms, 400 ms. Do not retry on 4xx.
            > The error type is in src/http.rs.

            ### 1.8 Edit src/http.rs · failed, nothing changed

            ```text
            String to replace not found in file.
            ```

            ### 1.11 Run `cargo test -p fetchd` · exit 101 · 8.2 s

            ```text
            error[E0425]: cannot find function `sleep` in this scope
              --> src/loader.rs:46:17
               |
            46 |                 sleep(wait);
            … 6 more lines

            error[E0433]: failed to resolve: use of undeclared type `Duration`
              --> src/loader.rs:40:20
               |
            40 |     let mut wait = Duration::from_millis(200);
               |                    ^^^^^^^^ use of undeclared type `Duration`

            error: could not compile `fetchd` (lib) due to 2 previous errors
            ```
        "#]]
    .assert_eq(&only(Filter::Errors));
    expect![[r#"
            ## Turn 1 · Add retry to the loader

            14:02 – 14:09 · 14 steps · 2 files +18 −1 · 61,204 tokens

            > Add retry to the loader: three attempts, back off 200 ms, 400 ms. Do not retry on 4xx.
            > The error type is in src/http.rs.

            - 1.5 Search `Error::Status` in src · 4 matches
        "#]]
    .assert_eq(&only(Filter::Tool("grep".into())));
}

/// The text of each turn, from its heading to the next.
fn turns_of(rendered: &Rendered) -> Vec<String> {
    let mut turns: Vec<String> = Vec::new();
    for line in rendered.text.lines().skip(5) {
        if line.starts_with("## Turn ") {
            turns.push(String::new());
        }
        if let Some(turn) = turns.last_mut() {
            turn.push_str(&format!("{line}\n"));
        }
    }
    turns
}

#[test]
fn finished_turns_never_change() {
    let records = RETRY.lines().filter(|line| line.trim_start().starts_with("14:")).count();
    let whole = turns_of(&session_page(&Fixture::of(RETRY).source(), 1, None));
    assert_eq!(whole.len(), 3);
    for known in 1..=records {
        let turns = turns_of(&session_page(&Fixture::prefix(RETRY, known).source(), 1, None));
        let finished = turns.len().saturating_sub(1);
        // Between two turns stands a blank line, which the last one does not have yet.
        assert_eq!(turns[..finished], whole[..finished], "after {known} records");
    }
    assert!(turns_of(&session_page(&Fixture::prefix(RETRY, records).source(), 1, None)) == whole);
}

#[test]
fn the_moment_changes_no_text() {
    let fixture = Fixture::of(RETRY);
    let mut later = fixture.source();
    later.view.now = at("2031-01-01 00:00");
    assert_eq!(session_page(&later, 1, None), session_page(&fixture.source(), 1, None));
}

fn long_session(turns: usize) -> String {
    let words = "word ".repeat(60);
    let turn = |n: usize| format!("14:02 turn Do number {n} of them all\n14:03 text {}\n", words.repeat(10));
    (1..=turns).map(turn).collect()
}

#[test]
fn pages_of_whole_turns() {
    let text = long_session(150);
    let fixture = Fixture::of(&text);
    let pages: Vec<_> = pages(&fixture.session).collect();
    assert_eq!(pages.first().map(|page| page.0), Some(1));
    assert_eq!(pages.last().map(|page| page.1), Some(150));
    assert!(pages.len() > 1 && pages.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0), "{pages:?}");
    for (at, (from, to)) in pages.iter().enumerate() {
        let rendered = session_page(&fixture.source(), *from, None);
        well_formed(&rendered);
        assert!(rendered.text.len() <= PAGE_BYTES);
        assert_eq!(turns_of(&rendered).len() as u32, to - from + 1);
        let goes_on = rendered.text.lines().last().is_some_and(|line| line.starts_with("*The session goes on"));
        assert_eq!(goes_on, at + 1 < pages.len());
    }
    // Closed pages stay as the log grows.
    let shorter = Fixture::of(&long_session(120));
    let shorter: Vec<_> = super::pages(&shorter.session).collect();
    assert_eq!(shorter[..shorter.len() - 1], pages[..shorter.len() - 1]);
}

#[test]
fn a_turn_that_is_too_large_is_cut() {
    let line = format!("| +{}\n", "x".repeat(900));
    let edit = format!("14:03 edit src/a.rs\n| @@ -1,0 +1,50 @@\n{}", line.repeat(50));
    let text = format!("14:02 turn Write a lot\n{}14:04 turn yes\n14:05 text Done.\n", edit.repeat(20));
    let fixture = Fixture::of(&text);
    let rendered = session_page(&fixture.source(), 1, Some(2));
    well_formed(&rendered);
    assert!(rendered.text.len() <= PAGE_BYTES, "{}", rendered.text.len());
    assert!(rendered.text.contains("… 50 more lines") && rendered.text.contains("Done."));
    let alone = super::turn::turn(&fixture.source(), 1).expect("a turn");
    assert!(alone.text.len() <= PAGE_BYTES);
}

#[test]
fn short_texts_are_not_read_again() {
    let fixture = Fixture::of("14:02 turn Look\n14:03 text Short.\n14:04 thought Short.\n14:05 read src/a.rs\n");
    session_page(&fixture.source(), 1, None);
    assert_eq!(fixture.read(), 0);
}

/// Records of every kind, with texts that could break a page.
fn record() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        Just("Plain words.".to_owned()),
        Just("```".to_owned()),
        Just("## Turn 9 · not a turn".to_owned()),
        Just("a\u{1b}[31mb\u{9b}c\u{202e}d".to_owned()),
        Just("ä".repeat(2_000)),
        Just("yes".to_owned()),
        "[ -~äß→\t]{1,30}".prop_map(|text| format!("x{text}")),
    ];
    let body = prop::collection::vec(text.clone(), 0..50)
        .prop_map(|lines| lines.iter().map(|line| format!("| {line}\n")).collect::<String>());
    let hunk = prop::collection::vec(("[-+ ]", text.clone()), 0..80).prop_map(|lines| {
        let lines: String = lines.iter().map(|(sign, line)| format!("| {sign}{line}\n")).collect();
        format!("| @@ -7,1 +7,1 @@\n{lines}")
    });
    prop_oneof![
        (text.clone(), body.clone()).prop_map(|(text, body)| format!("14:02 turn {text}\n{body}")),
        text.clone().prop_map(|text| format!("14:02 slash /{text}\n")),
        (text.clone(), body.clone()).prop_map(|(text, body)| format!("14:03 text {text}\n{body}")),
        (text.clone(), body.clone()).prop_map(|(text, body)| format!("14:03 thought {text}\n{body}")),
        body.clone().prop_map(|body| format!("14:03 read src/a.rs 1-9\n{body}")),
        text.clone().prop_map(|text| format!("14:03 search {text} in src = 4\n")),
        (text.clone(), body.clone()).prop_map(|(text, body)| format!("14:03 run 9 1 {text}\n{body}")),
        text.clone().prop_map(|text| format!("14:03 run 9 running {text}\n")),
        hunk.prop_map(|hunk| format!("14:04 edit src/a.rs\n{hunk}")),
        body.clone().prop_map(|body| format!("14:04 new src/b.rs\n{body}")),
        body.clone().prop_map(|body| format!("14:04 refused src/b.rs\n{body}")),
        (text.clone(), body.clone()).prop_map(|(text, body)| {
            format!("14:05 agent explore 4 {text}\n{body}  14:05 text {text}\n  14:06 new src/c.rs\n  | {text}\n")
        }),
        Just("14:06 compacted automatic 1 2\n".to_owned()),
        text.clone().prop_map(|text| format!("14:06 system {text}\n")),
        text.prop_map(|text| format!("14:06 unknown {text}\n")),
        Just("14:06 interrupted\n".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_session_has_pages(records in prop::collection::vec(record(), 0..30)) {
        let text = format!("14:02 turn Begin\n{}", records.concat());
        let whole = Fixture::of(&text);
        let page = session_page(&whole.source(), 1, None);
        well_formed(&page);
        for number in 1..=whole.session.path.turns.len() as u32 {
            well_formed(&turn::turn(&whole.source(), number).expect("a turn"));
            crate::turn_changes(&whole.source(), number, &[]).expect("a turn");
        }
        crate::outline(&whole.source());
        for at in whole.session.steps() {
            let step = crate::StepRef { turn: at.turn.number, steps: at.numbers };
            prop_assert!(crate::find_step(&page, &step, None).is_some() || at.step.text.head.trim().is_empty());
        }
        // What was rendered of finished turns stays as it was.
        let half = Fixture::prefix(&text, records.len() / 2 + 1);
        let known = session_page(&half.source(), 1, None);
        let finished = half.session.path.turns.len().saturating_sub(1);
        let start = |page: &Rendered, turn: usize| {
            let heading = page.symbols.get(turn).map(|symbol| symbol.line as usize);
            heading.unwrap_or_else(|| page.text.lines().count())
        };
        let lines = |page: &Rendered| -> Vec<String> {
            let end = start(page, finished);
            page.text.lines().take(end).skip(5).map(str::to_owned).collect()
        };
        prop_assert_eq!(lines(&known), lines(&page));
    }
}
