//! Entries are written one a line: `ID[<PARENT] [@SIDE] WHAT …`, `-` for a record without an id. The entry on line n
//! happens at second n.

#![allow(clippy::unwrap_used)]

use std::fmt::Write;

use expect_test::{Expect, expect};
use proptest::prelude::*;
use trace::{EditStub, Tokens};

use super::*;

fn check(fixture: &str, expect: Expect) {
    check_named("log", fixture, expect);
}

fn check_named(name: &str, fixture: &str, expect: Expect) {
    expect.assert_eq(&render(&derive(name, fixture, |_| false)));
}

/// Derives a fixture, with a snapshot taken (and held) behind each entry for which `is_cut` says so.
fn derive(name: &str, fixture: &str, is_cut: impl Fn(usize) -> bool) -> Arc<DerivedPath> {
    let mut deriver = Deriver::new(LogId(0), Agent::ClaudeCode, name);
    let mut held = Vec::new();
    for (at, entry) in parse(fixture).into_iter().enumerate() {
        deriver.push(entry);
        if is_cut(at) {
            held.push(deriver.snapshot());
        }
    }
    deriver.snapshot()
}

fn parse(fixture: &str) -> Vec<Entry> {
    let lines = fixture.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.enumerate().map(|(at, line)| parse_line(i64::try_from(at).unwrap(), line)).collect()
}

fn parse_line(at: i64, line: &str) -> Entry {
    let (ids, rest) = line.split_once(' ').unwrap();
    let (id, parent) = ids.split_once('<').map_or((ids, None), |(id, parent)| (id, Some(parent)));
    let (side, rest) = match rest.strip_prefix('@') {
        Some(rest) => rest.split_once(' ').map(|(side, rest)| (Some(side.into()), rest)).unwrap(),
        None => (None, rest),
    };
    let (what, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    Entry {
        place: Place { at: u64::try_from(at).unwrap(), len: 1, part: 0, check: 0 },
        id: (id != "-").then(|| record(id)),
        parent: parent.map(record),
        at: Some(Timestamp(at * 1000)),
        side,
        what: parse_what(what, rest),
    }
}

fn parse_what(what: &str, rest: &str) -> What {
    let prompt = |source| What::Prompt(Prompt { text: Excerpt::of(rest), source, images: 0 });
    let mut words = rest.split(' ');
    let mut word = || words.next().unwrap_or_default();
    match what {
        "prompt" => prompt(PromptSource::Typed),
        "queued" => prompt(PromptSource::Queued),
        "task" => prompt(PromptSource::Task),
        "command" => What::SlashCommand(rest.into()),
        "output" => What::CommandOutput,
        "text" => What::Text(Excerpt::of(rest)),
        "thought" => What::Thought(Excerpt::of(rest)),
        "call" => What::Call(Call {
            id: word().into(),
            tool: "Tool".into(),
            kind: StepKind::Other,
            subject: Excerpt::of(word()),
            detail: None,
            task: None,
            files: Vec::new(),
            touches: None,
        }),
        "result" => {
            let call = word().into();
            let edits = words.map(|path| EditStub {
                path: path.into(),
                added: 1,
                removed: 0,
                line: 1,
                created: false,
                deleted: false,
                moved_to: None,
            });
            What::Result(ToolResult {
                call,
                error: false,
                refused: false,
                interrupted: false,
                exit: None,
                output: Excerpt::default(),
                edits: edits.collect(),
                whole_read: None,
                side: None,
                commit: None,
                count: None,
            })
        }
        "usage" => {
            let response = word();
            let output = word().parse().unwrap();
            What::Usage(Usage {
                response: (response != "-").then(|| record(response)),
                model: None,
                tokens: Tokens { output, ..Tokens::default() },
            })
        }
        "interrupted" => What::Interrupted,
        "compacted" => What::Compacted(Compaction {
            automatic: Some(true),
            tokens_before: word().parse().ok(),
            summary_chars: None,
        }),
        "summarised" => {
            What::Compacted(Compaction { automatic: None, tokens_before: None, summary_chars: word().parse().ok() })
        }
        "custom" => What::Title(TitleSource::Custom, rest.into()),
        "summary" => What::Title(TitleSource::Summary, rest.into()),
        "generated" => What::Title(TitleSource::Generated, rest.into()),
        "context" => What::Context(parse_context(rest)),
        "backup" => {
            let prompt = record(word());
            What::Backups {
                prompt,
                files: vec![trace::Backup { path: word().into(), name: Some(word().into()), at: None }],
            }
        }
        "outside" => What::ChangedOutside { path: rest.into() },
        "started" => What::SideStarted { call: word().into(), side: word().into() },
        "leaf" => What::Leaf(record(rest)),
        "system" => What::System(rest.into()),
        "silent" => What::Silent,
        other => What::Unknown(other.into()),
    }
}

fn parse_context(text: &str) -> Context {
    let mut context = Context::default();
    for (key, value) in text.split(' ').filter_map(|pair| pair.split_once('=')) {
        let field = match key {
            "session" => &mut context.session,
            "parent" => &mut context.parent_session,
            "forked" => &mut context.forked_from,
            "cwd" => &mut context.cwd,
            "branch" => &mut context.branch,
            "model" => &mut context.model,
            "version" => &mut context.version,
            _ => panic!("no field {key}"),
        };
        *field = Some(value.into());
    }
    context
}

fn record(name: &str) -> RecordId {
    RecordId::new(name.bytes().fold(0, |id, byte| id << 8 | u128::from(byte)))
}

fn render(path: &DerivedPath) -> String {
    let mut out = format!("session {}{}\n", path.session, if path.open { ", open" } else { "" });
    if let Some(owner) = &path.owner {
        writeln!(out, "owner {} as {}", owner.session, owner.side).unwrap();
    }
    for (name, value) in [("cwd", &path.cwd), ("branch", &path.branch), ("model", &path.model)] {
        if let Some(value) = value {
            writeln!(out, "{name} {value}").unwrap();
        }
    }
    for (call, side) in &path.side_calls {
        writeln!(out, "{call} started {side}").unwrap();
    }
    for (prompt, backup) in path.backups.iter() {
        let name = backup.name.as_deref();
        writeln!(out, "backup of {} before {:x}: {}", backup.path, prompt.number(), name.unwrap_or("none")).unwrap();
    }
    path.turns.iter().for_each(|turn| render_turn(&mut out, turn));
    for side in &path.sides {
        let task = side.task.as_ref().map_or("", |task| &task.text.head);
        writeln!(out, "side {} {}: {task}", side.id, span(side.started, side.ended)).unwrap();
        render_steps(&mut out, "", &side.steps);
        render_responses(&mut out, &side.responses);
    }
    out
}

fn render_turn(out: &mut String, turn: &Turn) {
    write!(out, "{} {:?} {}", turn.number, turn.title, span(turn.started, turn.ended)).unwrap();
    if let Some(command) = &turn.command {
        write!(out, ", command {command}").unwrap();
    }
    for (name, value) in [("cwd", &turn.cwd), ("branch", &turn.branch), ("model", &turn.model)] {
        if let Some(value) = value {
            write!(out, ", {name} {value}").unwrap();
        }
    }
    if turn.interrupted {
        out.push_str(", interrupted");
    }
    if let Some(at) = turn.abandoned {
        write!(out, ", abandoned at {}", at.0 / 1000).unwrap();
    }
    out.push('\n');
    render_steps(out, &format!("{}.", turn.number), &turn.steps);
    for note in &turn.notes {
        writeln!(out, "  note after {}: {:?}", note.after, note.kind).unwrap();
    }
    render_responses(out, &turn.responses);
}

fn render_steps(out: &mut String, prefix: &str, steps: &Grown<Step>) {
    for step in steps {
        write!(out, "  {prefix}{} {} {}", step.number, step.kind.id(), step.text.head).unwrap();
        if let Some(call) = &step.call {
            write!(out, " ({call})").unwrap();
        }
        if let Some(result) = &step.result {
            write!(out, " result #{}", result.order).unwrap();
        }
        for edit in step.edits() {
            write!(out, " edits {}", edit.path).unwrap();
        }
        out.push('\n');
    }
}

fn render_responses(out: &mut String, responses: &Grown<Response>) {
    for response in responses {
        writeln!(out, "  response of {} tokens", response.tokens.output).unwrap();
    }
}

fn span(from: Option<Timestamp>, to: Option<Timestamp>) -> String {
    let second = |at: Option<Timestamp>| at.map_or("?".into(), |at| (at.0 / 1000).to_string());
    format!("[{}-{}]", second(from), second(to))
}

#[test]
fn turns_and_steps() {
    check(
        "
        a prompt Add retry to the loader
        b<a thought hm
        c<b text I look
        d<c call t1 src/a.rs
        e<d result t1 src/a.rs
        f<e prompt yes
        g<f call t2 src/b.rs
        ",
        expect![[r#"
            session log, open
            1 "Add retry to the loader" [0-4]
              1.1 thought hm
              1.2 text I look
              1.3 other src/a.rs (t1) result #4 edits src/a.rs
            2 "Add retry to the loader → yes" [5-6]
              2.1 other src/b.rs (t2)
        "#]],
    );
}

#[test]
fn work_before_the_first_prompt() {
    check(
        "
        a system hook
        b text Hello
        c prompt Go through the whole parser
        ",
        expect![[r#"
            session log, open
            1 "[no prompt]" [1-1]
              1.1 text Hello
              note after 0: System("hook")
            2 "Go through the whole parser" [2-2]
        "#]],
    );
}

#[test]
fn slash_commands() {
    // Done by the client: a note. Taken up by the agent: a turn. Followed by neither: a note.
    check(
        "
        a prompt Add retry to the loader
        b text Done
        c command /model opus
        d output
        e command /review src/
        f silent
        g text I review
        h command /clear
        i command /status
        ",
        expect![[r#"
            session log
            1 "Add retry to the loader" [0-1]
              1.1 text Done
              note after 1: Command("/model opus")
            2 "/review src/" [4-6], command /review src/
              2.1 text I review
              note after 1: Command("/clear")
        "#]],
    );
    // Only commands: a probe, no turn.
    check(
        "
        a command /usage
        b output
        ",
        expect![[r#"
            session log
        "#]],
    );
    // Records between the command and the agent's first word are the command's turn's.
    check(
        "
        a prompt Add retry to the loader
        b<a text Done
        c<b command /review
        d<c silent
        e<d text I review
        f<d prompt Look at the tests as well
        ",
        expect![[r#"
            session log, open
            1 "Add retry to the loader" [0-1]
              1.1 text Done
            2 "/review" [2-4], command /review
              2.1 text I review
            3 "Look at the tests as well" [5-5]
        "#]],
    );
}

#[test]
fn one_prompt_written_twice() {
    check(
        "
        a prompt Add retry to the loader
        b text Working
        c queued also fix the docs please
        d queued and run the tests again
        e prompt also fix the docs please
        f text Both
        g prompt also fix the docs please
        ",
        expect![[r#"
            session log, open
            1 "Add retry to the loader" [0-1]
              1.1 text Working
            2 "also fix the docs please" [2-2]
            3 "and run the tests again" [3-5]
              3.1 text Both
            4 "also fix the docs please" [6-6]
        "#]],
    );
    // The same words typed twice are two prompts.
    check(
        "
        a prompt continue
        b prompt continue
        ",
        expect![[r#"
            session log, open
            1 "continue" [0-0]
            2 "continue" [1-1]
        "#]],
    );
}

#[test]
fn records_copied_inside_their_log() {
    check(
        "
        a prompt Add retry to the loader
        b<a text I look
        c<b call t1 src/a.rs
        d<c result t1 src/a.rs
        - usage - 5
        a prompt Add retry to the loader
        b<a text I look
        c<b call t1 src/a.rs
        d<c result t1 src/b.rs
        - usage - 5
        e<d text Done
        ",
        expect![[r#"
            session log
            1 "Add retry to the loader" [0-10]
              1.1 text I look
              1.2 other src/a.rs (t1) result #3 edits src/a.rs
              1.3 text Done
              response of 5 tokens
              response of 5 tokens
        "#]],
    );
}

#[test]
fn results_find_their_calls() {
    // Before the call, across turns, and for a call that never came.
    check(
        "
        a prompt Add retry to the loader
        b result t1 early.rs
        c call t1 x
        d call t2 y
        e queued and the docs, if you can
        f text On it
        g result t2 late.rs
        h result t9 never.rs
        i result t1 second.rs
        ",
        expect![[r#"
            session log
            1 "Add retry to the loader" [0-6]
              1.1 other x (t1) result #1 edits early.rs
              1.2 other y (t2) result #5 edits late.rs
            2 "and the docs, if you can" [4-5]
              2.1 text On it
        "#]],
    );
}

#[test]
fn dead_ends() {
    check(
        "
        a prompt First of all the parser
        b<a text one
        c<b prompt Then the lexer too
        d<c text two
        e<d prompt And the printer too
        f<e text three
        g<b prompt Or rather the lexer alone
        h<g text four
        ",
        expect![[r#"
            session log
            1 "First of all the parser" [0-1]
              1.1 text one
            2 "Then the lexer too" [2-3], abandoned at 6
              2.1 text two
            3 "And the printer too" [4-5], abandoned at 6
              3.1 text three
            4 "Or rather the lexer alone" [6-7]
              4.1 text four
        "#]],
    );
    // Back to before the first prompt; then back into what was left.
    check(
        "
        r silent
        a<r prompt First of all the parser
        b<a text one
        c<r prompt First of all the lexer
        d<c text two
        e<b prompt No, the parser after all
        ",
        expect![[r#"
            session log, open
            1 "First of all the parser" [1-2]
              1.1 text one
            2 "First of all the lexer" [3-4], abandoned at 5
              2.1 text two
            3 "No, the parser after all" [5-5]
        "#]],
    );
    // A new root (behind a compaction) and an unknown parent leave nothing behind; nor does a queued prompt.
    check(
        "
        a prompt First of all the parser
        b<a text one
        c prompt Then the lexer too
        d<zz prompt And the printer too
        e<d text three
        f<b queued And the tests for it all
        ",
        expect![[r#"
            session log, open
            1 "First of all the parser" [0-1]
              1.1 text one
            2 "Then the lexer too" [2-2]
            3 "And the printer too" [3-4]
              3.1 text three
            4 "And the tests for it all" [5-5]
        "#]],
    );
}

#[test]
fn a_leaf_contradicts_nothing() {
    check(
        "
        a prompt First of all the parser
        b<a text one
        c<b prompt Then the lexer too
        - leaf b
        d<c text two
        ",
        expect![[r#"
            session log
            1 "First of all the parser" [0-1]
              1.1 text one
            2 "Then the lexer too" [2-4]
              2.1 text two
        "#]],
    );
}

#[test]
fn interruptions() {
    check(
        "
        a prompt Add retry to the loader
        b call t1 x
        c interrupted
        d interrupted
        ",
        expect![[r#"
            session log
            1 "Add retry to the loader" [0-3], interrupted
              1.1 other x (t1)
              note after 1: Interrupted
        "#]],
    );
}

#[test]
fn usage_counts_each_response_once() {
    check(
        "
        a prompt Add retry to the loader
        b usage r1 3
        c text I look
        d usage r1 250
        e usage r1 7
        f usage - 10
        g @x usage r2 99
        ",
        expect![[r#"
            session log
            1 "Add retry to the loader" [0-2]
              1.1 text I look
              response of 250 tokens
              response of 10 tokens
            side x [6-6]: 
              response of 99 tokens
        "#]],
    );
}

#[test]
fn compactions() {
    check(
        "
        a prompt Add retry to the loader
        b text one
        c compacted 168214
        d summarised 2310
        e text two
        f summarised 99
        ",
        expect![[r#"
            session log
            1 "Add retry to the loader" [0-4]
              1.1 text one
              1.2 text two
              note after 1: Compacted(Compaction { automatic: Some(true), tokens_before: Some(168214), summary_chars: Some(2310) })
              note after 2: Compacted(Compaction { automatic: None, tokens_before: None, summary_chars: Some(99) })
        "#]],
    );
}

#[test]
fn sub_agents_in_the_same_log() {
    check(
        "
        a prompt Add retry to the loader
        b call t1 explore
        - started t1 x
        s1 @x task Find every caller
        s2 @x text I search
        s3 @x call u1 y
        s4 @x result u1 a.rs
        c result t1
        d text Found
        ",
        expect![[r#"
            session log
            t1 started x
            1 "Add retry to the loader" [0-8]
              1.1 other explore (t1) result #5
              1.2 text Found
            side x [3-6]: Find every caller
              1 text I search
              2 other y (u1) result #4 edits a.rs
        "#]],
    );
}

#[test]
fn a_sub_agents_own_log() {
    check_named(
        "agent-a0ad4f4",
        "
        - context session=p parent=p cwd=/w
        a @a0ad4f4 task Find every caller of put
        b @a0ad4f4 text I search
        c @a0ad4f4 task And now its tests too
        d @a0ad4f4 call u1 y
        e @nested text deeper
        ",
        expect![[r#"
            session p, open
            owner p as a0ad4f4
            cwd /w
            1 "Find every caller of put" [1-4], cwd /w
              1.1 text I search
              1.2 other y (u1)
              note after 1: System("message: And now its tests too")
            side nested [5-5]: 
              1 text deeper
        "#]],
    );
}

#[test]
fn contexts() {
    check(
        "
        - context cwd=/w branch=main
        a prompt Add retry to the loader
        - context model=opus
        b text one
        - context cwd=/w/sub branch=fix
        c prompt Then the lexer too
        - context model=haiku
        d text two
        ",
        expect![[r#"
            session log
            cwd /w
            branch main
            model haiku
            1 "Add retry to the loader" [1-3], cwd /w, branch main, model opus
              1.1 text one
            2 "Then the lexer too" [5-7], cwd /w/sub, branch fix, model haiku
              2.1 text two
        "#]],
    );
}

#[test]
fn titles_of_the_session() {
    let title = |fixture: &str| derive("log", fixture, |_| false).title().to_owned();
    let turns = "a prompt yes\nb<a prompt Add retry to the loader";
    assert_eq!(title(turns), "Add retry to the loader");
    assert_eq!(title(&format!("{turns}\n- generated one\n- generated two")), "two");
    assert_eq!(title(&format!("{turns}\n-<b summary sum\n- generated two")), "sum");
    assert_eq!(title(&format!("{turns}\n- custom mine\n-<b summary sum")), "mine");
    // A summary of what lies behind it, and one of another log.
    assert_eq!(title(&format!("-<b summary sum\n{turns}")), "sum");
    assert_eq!(title(&format!("-<other summary sum\n{turns}")), "Add retry to the loader");
}

#[test]
fn names_of_sessions() {
    let session = |name: &str, fixture: &str| derive(name, fixture, |_| false).session.to_string();
    // A file that somebody gave another name.
    assert_eq!(session("large", "- context session=9f3c"), "9f3c");
    // A copy whose first records still name the original.
    assert_eq!(session("copy", "- context session=origin\n- context session=copy"), "copy");
    let uuid = "9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77";
    assert_eq!(session(uuid, "- context session=origin"), uuid);
    assert_eq!(session("alone", "a silent"), "alone");
}

#[test]
fn backups_are_told_once() {
    check(
        "
        - backup p1 src/a.rs a@v1
        - backup p2 src/a.rs a@v1
        - backup p3 src/a.rs a@v2
        - backup p4 src/a.rs a@v1
        ",
        expect![[r#"
            session log
            backup of src/a.rs before 7031: a@v1
            backup of src/a.rs before 7033: a@v2
            backup of src/a.rs before 7034: a@v1
        "#]],
    );
}

#[test]
fn what_is_not_understood_is_counted() {
    let path = derive("log", "a frame-link\nb prompt Go through the parser\nc frame-link\nd @x frame-link", |_| false);
    assert_eq!(path.tally.unknown, [("frame-link".into(), 3)]);
    assert_eq!(path.turns.get(0).unwrap().notes.len(), 2);
}

#[test]
fn a_finished_turn_is_shared() {
    let mut deriver = Deriver::new(LogId(0), Agent::ClaudeCode, "log");
    let entries = parse("a prompt First of all\nb<a text one\nc<b prompt Then the lexer\nd<c text two\ne<d text three");
    let mut shots = Vec::new();
    for entry in entries {
        deriver.push(entry);
        shots.push(deriver.snapshot());
    }
    let [.., before, last] = &*shots else { panic!() };
    assert!(Arc::ptr_eq(before.turns.get(0).unwrap(), last.turns.get(0).unwrap()));
    assert!(!Arc::ptr_eq(before.turns.get(1).unwrap(), last.turns.get(1).unwrap()));
    assert_eq!((before.turns.get(1).unwrap().steps.len(), last.turns.get(1).unwrap().steps.len()), (1, 2));
}

/// How many items of the newer list are copies of items that the older one has, too.
fn copied<T>(old: &Grown<T>, new: &Grown<T>) -> usize {
    old.iter().zip(new).filter(|(old, new)| !std::ptr::eq(*old, *new)).count()
}

#[test]
fn an_open_turn_of_any_length_shares_all_but_the_last_steps() {
    let mut deriver = Deriver::new(LogId(0), Agent::ClaudeCode, "log");
    let lines =
        |at: usize| format!("c{at} call t{at} Bash ls\nr{at} result t{at}\nu{at} usage m{at} 5\nn{at} system hook\n");
    let text: String = (0..2_000).map(lines).collect();
    parse(&format!("a prompt First of all\nlate call late Bash make\n{text}"))
        .into_iter()
        .for_each(|entry| deriver.push(entry));
    let more = parse("x call x Bash ls\ny result late\nz usage z 5\nv system hook\nw text Done");
    for entry in more {
        let before = deriver.snapshot();
        let (id, what) = (entry.id, entry.what.clone());
        deriver.push(entry);
        let after = deriver.snapshot();
        let [old, new] = [&before, &after].map(|path| path.turns.get(0).unwrap());
        assert!(new.steps.len() > 2_000 && new.responses.len() >= 2_000 && new.notes.len() >= 2_000);
        let copied =
            copied(&old.steps, &new.steps) + copied(&old.responses, &new.responses) + copied(&old.notes, &new.notes);
        assert!(copied <= Grown::<Step>::CHUNK, "{copied} copies for {id:?} {what:?}");
    }
}

/// Lines over few names, so that repeats, early results, rewinds and sides happen often.
fn any_line() -> impl Strategy<Value = String> {
    let name = || prop::sample::select(vec!["a", "b", "c", "d", "e", "f", "-"]);
    let side = prop::sample::select(vec!["", "", "", "@x ", "@y "]);
    let what = prop::sample::select(vec![
        "prompt yes",
        "prompt Add retry to the loader",
        "queued yes",
        "task Find it",
        "command /review",
        "output",
        "text one",
        "thought two",
        "call t1 x",
        "call t2 y",
        "result t1 a.rs",
        "result t2",
        "usage r1 5",
        "usage r1 9",
        "usage - 3",
        "interrupted",
        "compacted 100",
        "summarised 20",
        "custom A name",
        "context cwd=/w model=opus",
        "context session=s branch=fix",
        "backup a src/a.rs v1",
        "started t1 x",
        "leaf a",
        "system hook",
        "silent",
        "frame-link",
    ]);
    (name(), name(), side, what).prop_map(|(id, parent, side, what)| format!("{id}<{parent} {side}{what}"))
}

proptest! {
    #[test]
    fn snapshots_change_nothing(
        lines in prop::collection::vec(any_line(), 1..60),
        cuts in prop::collection::vec(any::<bool>(), 60),
    ) {
        let fixture = lines.join("\n");
        let at_once = derive("log", &fixture, |_| false);
        let in_parts = derive("log", &fixture, |at| cuts[at]);
        prop_assert_eq!(format!("{at_once:?}"), format!("{in_parts:?}"));
    }

    #[test]
    fn what_holds_of_every_path(lines in prop::collection::vec(any_line(), 1..60)) {
        let path = derive("log", &lines.join("\n"), |_| false);
        for (at, turn) in path.turns.iter().enumerate() {
            prop_assert_eq!(turn.number as usize, at + 1);
        }
        for steps in path.turns.iter().map(|turn| &turn.steps).chain(path.sides.iter().map(|side| &side.steps)) {
            for (at, step) in steps.iter().enumerate() {
                prop_assert_eq!(step.number as usize, at + 1);
            }
        }
        let mut calls: Vec<&str> = path.all_steps().filter_map(|step| step.call.as_deref()).collect();
        let count = calls.len();
        calls.sort_unstable();
        calls.dedup();
        prop_assert_eq!(calls.len(), count);
        if let Some(last) = path.turns.last() {
            prop_assert_eq!(last.abandoned, None);
        }
    }
}
