//! Logs that change in every way under a running server, and files that are no logs. What the server shows is what one
//! shows that starts now.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tests::home::{Home, SESSION, lines, wait_until};
use tests::lsp::Client;

/// What a client sees of all sessions: each with the text of its document.
fn picture(client: &mut Client) -> String {
    let told = client.call("turnlens/sessions", json!({ "all": true }));
    let mut shown = String::new();
    for session in told["sessions"].as_array().into_iter().flatten() {
        let uri = &session["document"];
        let content = client.request("workspace/textDocumentContent", json!({ "uri": uri }));
        let text = client.answer(content).map_or_else(|error| error.message, |told| told["text"].to_string());
        shown.push_str(&format!("{uri}\n{text}\n"));
    }
    shown
}

fn able() -> Value {
    json!({ "workspace": { "textDocumentContent": {} } })
}

/// Waits until the server shows what a new one shows, and that it is `wanted`.
fn check(home: &Home, client: &mut Client, what: &str, wanted: impl Fn(&str) -> bool) {
    let fresh = picture(&mut home.start(able()));
    assert!(wanted(&fresh), "{what}: {fresh}");
    wait_until(client, |client| picture(client) == fresh);
}

/// Does to a log what writers, people and disks do.
fn everything_happens(home: &Home, client: &mut Client) {
    let log = home.log(SESSION);
    home.write(SESSION, &[home.prompt(SESSION, 1, "Add retry"), home.says(SESSION, 2, "I look")]);
    check(home, client, "it comes", |shown| shown.contains("Add retry"));
    home.append(SESSION, lines(&[home.prompt(SESSION, 3, "Now the cache")]).as_bytes());
    check(home, client, "it grows", |shown| shown.contains("Now the cache"));
    let half = lines(&[home.prompt(SESSION, 4, "In two pieces")]);
    let (first, second) = half.split_at(half.len() / 2);
    home.append(SESSION, first.as_bytes());
    check(home, client, "half a record", |shown| !shown.contains("In two pieces"));
    home.append(SESSION, second.as_bytes());
    check(home, client, "the other half", |shown| shown.contains("In two pieces"));
    home.append(SESSION, b"\xff\xfe\x00{\"type\":\"user\n");
    home.append(SESSION, lines(&[home.prompt(SESSION, 5, "Behind rubbish")]).as_bytes());
    check(home, client, "bytes that are no text", |shown| shown.contains("Behind rubbish"));
    fs::OpenOptions::new().write(true).open(&log).and_then(|log| log.set_len(10)).expect("cut");
    check(home, client, "it is cut", |shown| !shown.contains("Add retry"));
    home.write(SESSION, &[home.prompt(SESSION, 1, "Written anew")]);
    check(home, client, "it is written anew", |shown| shown.contains("Written anew"));
    let aside = home.home.join("aside");
    fs::write(&aside, lines(&[home.prompt(SESSION, 1, "Put in its place")])).expect("written");
    fs::rename(&aside, &log).expect("renamed");
    check(home, client, "another takes its place", |shown| shown.contains("Put in its place"));
    let rotated = home.logs().join("99998888-3333-4444-5555-666677778888.jsonl");
    fs::rename(&log, &rotated).expect("renamed");
    home.write(SESSION, &[home.prompt(SESSION, 1, "After the rotation")]);
    check(home, client, "it is rotated", |shown| shown.contains("After the rotation"));
    fs::remove_file(&rotated).expect("deleted");
    fs::remove_file(&log).expect("deleted");
    check(home, client, "it goes", |shown| !shown.contains("Put in its place"));
    fs::rename(home.logs(), home.home.join("moved")).expect("renamed");
    fs::create_dir_all(home.logs()).expect("a folder");
    home.write(SESSION, &[home.prompt(SESSION, 1, "In a new folder")]);
    check(home, client, "its folder is another", |shown| shown.contains("In a new folder"));
}

#[test]
fn that_are_watched() {
    let home = Home::default();
    let mut client = home.start(able());
    everything_happens(&home, &mut client);
}

/// A system that gives no watcher, as with too many of them or on a network folder: then we look.
#[cfg(target_os = "linux")]
#[test]
fn that_cannot_be_watched() {
    let without = "echo 0 > /proc/sys/user/max_inotify_instances";
    let namespace = ["unshare", "--user", "--map-root-user"];
    let mut possible = Command::new(namespace[0]);
    possible.args(&namespace[1..]).args(["sh", "-c", without]).stderr(Stdio::null());
    if !possible.status().is_ok_and(|status| status.success()) {
        return tests::skip("there are no user namespaces here");
    }
    let home = Home::default();
    let mut client = home.start_as(home.server().after(&namespace, without), able());
    home.write(SESSION, &[home.prompt(SESSION, 1, "Add retry")]);
    check(&home, &mut client, "it comes", |shown| shown.contains("Add retry"));
    home.append(SESSION, lines(&[home.prompt(SESSION, 3, "Now the cache")]).as_bytes());
    check(&home, &mut client, "it grows", |shown| shown.contains("Now the cache"));
    fs::remove_file(home.log(SESSION)).expect("deleted");
    check(&home, &mut client, "it goes", str::is_empty);
}

/// A line of 300 MB costs neither its memory nor what lies around it.
#[test]
fn with_a_line_of_300_mb() {
    let home = Home::default();
    home.write(SESSION, &[home.prompt(SESSION, 1, "Before the long line")]);
    let log = fs::OpenOptions::new().write(true).open(home.log(SESSION)).expect("the log");
    let length = log.metadata().expect("a file").len();
    // A hole: bytes that are all 0.
    log.set_len(length + (300 << 20)).expect("room on the disk");
    drop(log);
    home.append(SESSION, format!("\n{}", lines(&[home.prompt(SESSION, 2, "Behind the long line")])).as_bytes());
    let mut client = home.start(able());
    let shown = picture(&mut client);
    assert!(shown.contains("Before the long line") && shown.contains("Behind the long line"), "{shown}");
    home.append(SESSION, lines(&[home.prompt(SESSION, 3, "Later")]).as_bytes());
    wait_until(&mut client, |client| picture(client).contains("Later"));
    if let Some(peak) = client.memory("VmHWM") {
        assert!(peak < 250 << 20, "{} MB were held at once", peak >> 20);
    }
}

/// Pipes, devices, folders and links below the folder of logs are no logs, whatever their names.
#[cfg(unix)]
#[test]
fn that_are_none() {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    let home = Home::default();
    home.write(SESSION, &[home.prompt(SESSION, 1, "The only one")]);
    let outside = home.home.join("outside.jsonl");
    fs::write(&outside, lines(&[home.prompt("outside", 1, "Not to be read")])).expect("written");
    let put = |round: &str| {
        let at = |name: &str| home.log(&format!("{name}-{round}"));
        let made = Command::new("mkfifo").arg(at("pipe")).status().expect("mkfifo");
        assert!(made.success());
        symlink("/dev/zero", at("zero")).expect("a link");
        symlink(&outside, at("outside")).expect("a link");
        symlink(home.home.join("nowhere"), at("nowhere")).expect("a link");
        symlink("/", home.logs().join(format!("root-{round}"))).expect("a link");
        symlink(home.logs(), home.logs().join(format!("self-{round}"))).expect("a link");
        fs::create_dir(at("folder")).expect("a folder");
        let socket = UnixListener::bind(at("socket")).expect("a socket");
        // Only whoever may make devices.
        _ = Command::new("mknod").arg(at("device")).args(["c", "1", "5"]).stderr(Stdio::null()).status();
        socket
    };
    let _before = put("before");
    let mut client = home.start(able());
    let _after = put("after");
    home.append(SESSION, lines(&[home.prompt(SESSION, 2, "And it goes on")]).as_bytes());
    wait_until(&mut client, |client| picture(client).contains("And it goes on"));
    let shown = picture(&mut client);
    assert!(!shown.contains("Not to be read"), "{shown}");
    assert_eq!(client.call("turnlens/status", json!({}))["sessions"], 1);
    let told = home.turnlens(&["sessions", "--json"]);
    assert!(told.status.success(), "{told:?}");
    assert!(!String::from_utf8_lossy(&told.stdout).contains("Not to be read"));
}

/// Files that a log names and that are no files now.
#[cfg(unix)]
#[test]
fn that_name_pipes_and_devices() {
    use std::os::unix::fs::symlink;
    let home = Home::default();
    let path = |name: &str| home.work.join(name).to_string_lossy().into_owned();
    let names = ["pipe.rs", "zero.rs", "folder.rs", "gone.rs"];
    let mut records = vec![home.prompt(SESSION, 1, "Write them")];
    for (n, name) in names.iter().enumerate() {
        records.extend(home.writes(SESSION, 2 + 2 * n as u32, &path(name), "one\ntwo\n"));
    }
    home.write(SESSION, &records);
    assert!(Command::new("mkfifo").arg(path("pipe.rs")).status().expect("mkfifo").success());
    symlink("/dev/zero", path("zero.rs")).expect("a link");
    fs::create_dir(path("folder.rs")).expect("a folder");
    for name in names {
        let told = home.turnlens(&["blame", name]);
        assert!(matches!(told.status.code(), Some(1..=3)), "{name}: {told:?}");
    }
    for args in [&["show", "@"][..], &["status"], &["diff", "@:1"], &["show", "@:1", "--json"]] {
        assert!(home.turnlens(args).status.code().is_some(), "{args:?}");
    }
    let mut client = home.start(able());
    let at = json!({ "line": 0, "character": 0 });
    for (opened, name) in names.iter().flat_map(|name| [(false, name), (true, name)]) {
        let document = json!({ "uri": format!("file://{}", path(name)) });
        if opened {
            let item =
                json!({ "uri": document["uri"], "languageId": "rust", "version": 1, "text": "one\ntwo\nthree\n" });
            client.notify("textDocument/didOpen", json!({ "textDocument": item }));
        }
        let params = json!({ "textDocument": document, "position": at, "range": { "start": at, "end": at },
            "context": { "diagnostics": [], "includeDeclaration": true } });
        for method in [
            "textDocument/hover",
            "textDocument/codeLens",
            "textDocument/definition",
            "textDocument/codeAction",
            "turnlens/line",
            "turnlens/lines",
            "turnlens/explain",
            "turnlens/history",
            "turnlens/fileHistory",
        ] {
            let id = client.request(method, params.clone());
            // An answer or a refusal, but one of them.
            _ = client.answer(id);
        }
    }
    let change = client.request("turnlens/turnChanges", json!({ "address": format!("{}:1", &SESSION[..8]) }));
    _ = client.answer(change);
    if let Some(peak) = client.memory("VmHWM") {
        assert!(peak < 200 << 20, "{} MB were held at once", peak >> 20);
    }
}

/// A disk that takes nothing more: documents cannot be written as files, and all else goes on.
#[cfg(unix)]
#[test]
fn on_a_full_disk() {
    let home = Home::default();
    home.write(SESSION, &[home.prompt(SESSION, 1, "Write it")]);
    // Whoever may write no byte to a file meets what a full disk says.
    let mut client = home.start_as(home.server().after(&[], "trap '' XFSZ; ulimit -f 0"), json!({}));
    still_answers(&mut client);
}

/// There is a file where the folder for caches should be.
#[test]
fn without_a_place_for_caches() {
    let home = Home::default();
    home.write(SESSION, &[home.prompt(SESSION, 1, "Write it")]);
    fs::write(home.caches(), "a file").expect("written");
    let mut client = home.start(json!({}));
    still_answers(&mut client);
    assert_eq!(fs::read_to_string(home.caches()).expect("a file"), "a file");
}

/// What needs no file is answered, and what needs one is refused with a reason.
fn still_answers(client: &mut Client) {
    assert_eq!(client.call("turnlens/status", json!({}))["sessions"], 1);
    let uri = format!("turnlens://claude-code/{SESSION}/1/write-it.trace.md");
    let text = client.call("turnlens/textDocumentContent", json!({ "uri": uri }));
    assert!(text["text"].as_str().is_some_and(|text| text.contains("Write it")), "{text}");
    let show =
        json!({ "command": "turnlens.server.show", "arguments": [{ "address": format!("{}:1", &SESSION[..8]) }] });
    let id = client.request("workspace/executeCommand", show);
    // An error tells why by itself; else somebody is told, maybe after the answer.
    if client.answer(id).is_ok() {
        let said = client.notification("window/showMessage");
        assert!(said["message"].as_str().is_some_and(|said| !said.is_empty()), "{said}");
    }
    assert_eq!(client.call("turnlens/status", json!({}))["sessions"], 1);
    client.take_unclaimed();
}
