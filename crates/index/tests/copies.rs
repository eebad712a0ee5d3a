//! Forks and resumed copies: which log is told as the origin of which records.

#![allow(clippy::unwrap_used)]

mod support;

use std::fmt::Write;

use expect_test::{Expect, expect};
use serde_json::json;
use support::{Home, loaded, records};

/// Logs, each headed by `# NAME`. Tells for each what it inherited and as whose log each of its records is told.
fn check(fixture: &str, expect: Expect) {
    let home = Home::new();
    for log in fixture.split('#').skip(1) {
        let (name, text) = log.split_once('\n').unwrap();
        let session = name.trim().split('/').next().unwrap();
        home.write(name.trim(), &records(session, text));
    }
    let index = home.index();
    let logs = index.snapshot();
    let mut paths = loaded(&logs);
    paths.sort_by_key(|path| logs.file(path.log));
    let mut out = String::new();
    for path in paths {
        let file = logs.file(path.log).unwrap().file_stem().unwrap().to_string_lossy().into_owned();
        write!(out, "{file}:").unwrap();
        let inherited = logs.inherited(path.log);
        if path.owner.is_none() {
            assert_eq!(logs.load_session(&path.session).unwrap().inherited, inherited);
        }
        if let Some((turns, session)) = inherited {
            write!(out, " {turns} turns of {session}").unwrap();
        }
        for turn in &path.turns {
            let begin = (turn.number.to_string(), turn.record);
            let steps = turn.steps.iter().map(|step| (format!("{}.{}", turn.number, step.number), step.record));
            for (label, record) in std::iter::once(begin).chain(steps) {
                let origin = logs.load(logs.origin_log(path.log, record.unwrap())).unwrap();
                if origin.log != path.log {
                    write!(out, " {label}→{}", origin.session).unwrap();
                }
            }
        }
        out.push('\n');
    }
    expect.assert_eq(&out);
}

#[test]
fn a_fork() {
    check(
        "
        # a
        1 +1 prompt Add retry to the loader
        2<1 +2 text Done
        3<2 +30 prompt Now the uploader
        # b
        1 +1 prompt Add retry to the loader
        2<1 +2 text Done
        4<2 +20 prompt Rather the parser
        ",
        // The records of their own decide: b's are older.
        expect![[r#"
            a: 1 turns of b 1→b 1.1→b
            b:
        "#]],
    );
}

#[test]
fn a_log_whose_records_all_lie_in_another_is_the_origin() {
    check(
        "
        # z
        1 +1 prompt Add retry to the loader
        2<1 +2 text Done
        # a
        1 +1 prompt Add retry to the loader
        2<1 +2 text Done
        3<2 +20 prompt Now the uploader
        ",
        expect![[r#"
            a: 1 turns of z 1→z 1.1→z
            z:
        "#]],
    );
    // The same records: the smaller id of a session.
    check(
        "
        # z
        1 +1 prompt Add retry to the loader
        # a
        1 +1 prompt Add retry to the loader
        ",
        expect![[r#"
            a:
            z: 1 turns of a 1→a
        "#]],
    );
}

#[test]
fn a_fork_in_the_middle_of_a_turn() {
    check(
        "
        # a
        1 +1 prompt Add retry to the loader
        2<1 +2 text Looking
        3<2 +3 text Done
        # b
        1 +1 prompt Add retry to the loader
        2<1 +2 text Looking
        4<2 +20 text Done otherwise
        ",
        // The turn has work of its own, so it is no copy; its first records are.
        expect![[r#"
            a:
            b: 1→a 1.1→a
        "#]],
    );
}

#[test]
fn a_fork_of_a_fork() {
    check(
        "
        # a
        1 +1 prompt Add retry to the loader
        2<1 +2 prompt Now the uploader
        # b
        1 +1 prompt Add retry to the loader
        3<1 +30 prompt Rather the parser
        # c
        1 +1 prompt Add retry to the loader
        3<1 +30 prompt Rather the parser
        4<3 +40 prompt And its tests
        # d
        1 +1 prompt Add retry to the loader
        5<1 +50 prompt Rather nothing at all
        ",
        expect![[r#"
            a:
            b: 1 turns of a 1→a
            c: 2 turns of b 1→a 2→b
            d: 1 turns of a 1→a
        "#]],
    );
}

#[test]
fn logs_of_sub_agents_are_copied_among_themselves() {
    check(
        "
        # a
        1 +1 prompt Add retry to the loader
        2<1 +2 task x1
        3<2' +3 text Done
        # a/subagents/agent-x1
        s +2 side Find it
        # b
        1 +1 prompt Add retry to the loader
        2<1 +2 task x1
        4<2' +30 prompt Go on
        # b/subagents/agent-x1
        s +2 side Find it
        # c
        7 +70 prompt Something else
        ",
        expect![[r#"
            agent-x1:
            a:
            agent-x1: 1 turns of a 1→a
            b: 1 turns of a 1→a 1.1→a
            c:
        "#]],
    );
}

/// Codex writes the parent's records anew with times of its own, so times do not tell who began.
#[test]
fn a_fork_that_says_whose_it_is() {
    const PARENT: &str = "019e03b1-0000-7000-8000-000000000001";
    const FORK: &str = "019e03b1-0000-7000-8000-000000000002";
    let home = Home::new();
    let folder = home.path().join(".codex/sessions/2026/04/20");
    std::fs::create_dir_all(&folder).unwrap();
    let record = |second: u32, kind: &str, payload: serde_json::Value| {
        let at = format!("2026-04-20T10:00:{second:02}.000Z");
        format!("{}\n", json!({ "timestamp": at, "type": kind, "payload": payload }))
    };
    let turn = |second: u32, id: &str, words: &str| {
        let context = record(second, "turn_context", json!({ "turn_id": id, "cwd": "/w", "model": "gpt-5" }));
        context + &record(second, "event_msg", json!({ "type": "user_message", "message": words }))
    };
    let write = |id: &str, meta: serde_json::Value, turns: &[String]| {
        let name = folder.join(format!("rollout-2026-04-20T10-00-00-{id}.jsonl"));
        std::fs::write(name, record(0, "session_meta", meta) + &turns.concat()).unwrap();
    };
    write(
        PARENT,
        json!({ "id": PARENT, "cwd": "/w" }),
        &[turn(1, "t1", "Add retry"), turn(30, "t2", "Now the uploader")],
    );
    let fork = json!({ "id": FORK, "forked_from_id": PARENT, "cwd": "/w" });
    write(FORK, fork, &[turn(20, "t1", "Add retry"), turn(21, "t3", "Rather the parser")]);
    let logs = home.index().snapshot();
    let inherited = |id: &str| logs.load_session(id).unwrap().inherited;
    assert_eq!(inherited(PARENT), None);
    assert_eq!(inherited(FORK), Some((1, PARENT.into())));
}
