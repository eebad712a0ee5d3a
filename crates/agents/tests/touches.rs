//! What the commands of a log may have done to files, as its entries tell it.

use std::fmt::Write as _;
use std::fs;

use agents::{Cursor, reader};
use expect_test::{Expect, expect};
use trace::{Agent, Target, Touch, What};

/// Each line of the fixture is a call: the tool, then its command. Each call with touches is told with them.
fn check(calls: &str, expect: Expect) {
    let folder = tempfile::tempdir().expect("a folder for the log");
    let path = folder.path().join("session.jsonl");
    let mut log = String::new();
    for (number, call) in calls.lines().enumerate() {
        let (tool, command) = call.split_once(' ').expect("a tool and a command");
        let input = serde_json::json!({ "command": command.replace("\\n", "\n") });
        let block = serde_json::json!({ "type": "tool_use", "id": format!("t{number}"), "name": tool, "input": input });
        let record = serde_json::json!({
            "type": "assistant", "uuid": format!("a{number}"), "sessionId": "s", "cwd": "/repo",
            "message": { "content": [block] },
        });
        writeln!(log, "{record}").expect("writing to a string");
    }
    fs::write(&path, log).expect("writing the log");
    let mut told = String::new();
    let mut tell = |what: What| {
        let What::Call(call) = what else { return };
        let Some(touches) = call.touches else { return };
        let list: Vec<String> = touches.list.iter().map(show).collect();
        let cwd = touches.cwd.as_deref().unwrap_or("?");
        writeln!(told, "{} in {cwd}: {}", call.id, list.join(", ")).expect("writing to a string");
    };
    reader(Agent::ClaudeCode).scan(&path, &Cursor::default(), &mut |entry| tell(entry.what)).expect("scanning the log");
    expect.assert_eq(&told);
}

fn show(touch: &Touch) -> String {
    let Some(targets) = &touch.targets else { return format!("{:?} any", touch.kind) };
    let name = |target: &Target| match target {
        Target::Path(path) => path.to_string(),
        Target::Glob(pattern) => format!("glob:{pattern}"),
        Target::Ending(end) => format!("…{end}"),
    };
    format!("{:?} {}", touch.kind, targets.iter().map(name).collect::<Vec<_>>().join(" "))
}

#[test]
fn only_commands_that_may_write() {
    check("Bash ls -la | head\nBash git status; cat a.rs\nGrep x\nRead a\nBashOutput x", expect![""]);
}

#[test]
fn which_files() {
    check(
        "Bash cd src && cat > a.rs <<'EOF'\\nx\\nEOF\nBash sed -i s/a/b/ a.rs *.rs; rm b\nBash cargo test\nBash ./gen.sh > out",
        expect![[r#"
            t0 in /repo: Write src/a.rs
            t1 in /repo: Substitute a.rs glob:*.rs, Remove b
            t2 in /repo: Build any
            t3 in /repo: Program any, Write out
        "#]],
    );
    check(
        "Bash mv a b; cp b c; git checkout -- d; git pull; gofmt -w e.go; cargo fmt; git commit -m x",
        expect![[r#"
        t0 in /repo: Move a b, Copy c, Git any, Format any, Build any
    "#]],
    );
    check(
        "Bash rm a; rm a b; rm c\nPowerShell Remove-Item a\nMonitor rm a",
        expect![[r#"
        t0 in /repo: Remove a b c
        t1 in /repo: Program any
        t2 in /repo: Remove a
    "#]],
    );
}

#[test]
fn where_cd_may_have_failed_both_folders_count() {
    check(
        "Bash cd src; rm a\nBash cd src && rm a\nBash cd src; python3 x.py",
        expect![[r#"
        t0 in /repo: Remove src/a a
        t1 in /repo: Remove src/a
        t2 in /repo: Program any
    "#]],
    );
}
