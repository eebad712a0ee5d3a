//! `turnlens show --follow`: the trace as it grows.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use serde_json::json;
use tests::demo::Demo;
use tests::lsp::{HANG, binary};

#[test]
fn what_is_appended_is_printed_once() {
    let demo = Demo::default();
    let mut command = Command::new(binary());
    command.args(["show", "@", "--follow"]).current_dir(&demo.repo).stdout(Stdio::piped());
    command.env("HOME", &demo.home).env("CLAUDE_CONFIG_DIR", demo.home.join(".claude"));
    let mut child = command.spawn().expect("turnlens starts");
    let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let (sender, told) = mpsc::channel();
    thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let until = |wanted: &str| {
        let mut seen = Vec::new();
        while seen.last().is_none_or(|line: &String| !line.contains(wanted)) {
            seen.push(told.recv_timeout(HANG).unwrap_or_else(|_| panic!("no {wanted:?} behind {seen:?}")));
        }
        seen
    };
    assert!(until("Committed as").iter().any(|line| line.starts_with("# Add retry")));
    let append = |number: u32, kind: &str, content: serde_json::Value| {
        let record = json!({
            "type": kind, "uuid": format!("00000000-0000-4000-8000-{number:012}"), "parentUuid": null,
            "sessionId": "9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77", "cwd": demo.repo, "version": "2.1.237",
            "timestamp": "2099-01-01T10:00:00.000Z", "message": { "role": kind, "content": content },
        });
        let mut log = fs::OpenOptions::new().append(true).open(demo.log()).expect("the log");
        writeln!(log, "{record}").expect("written");
    };
    append(1, "user", json!("Now the cache, please, with a test"));
    let seen = until("> Now the cache");
    assert!(!seen.iter().any(|line| line.starts_with("# Add retry")), "told twice: {seen:#?}");
    assert!(seen.iter().any(|line| line.starts_with("## Turn 4")), "{seen:#?}");
    append(2, "assistant", json!([{ "type": "text", "text": "The cache is there." }]));
    let seen = until("The cache is there.");
    assert!(!seen.iter().any(|line| line.contains("## Turn")), "told twice: {seen:#?}");
    child.kill().expect("it runs until it is stopped");
    child.wait().expect("its end");
}
