//! Logs that come, grow, shrink, are replaced and go.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod support;

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use agents::Cursor;
use index::{Changed, Counted, Index};
use proptest::prelude::*;
use support::{Home, difference, files::*, picture, records};
use trace::{Bodies, Body, LogId};

const FIRST: &str = "
    a prompt Add retry to the loader
    b<a text I look
    c<b edit src/loader.rs
";
const MORE: &str = "
    d<c' +10 prompt Now the uploader too
    e<d +11 edit src/uploader.rs
";

/// Whoever read along knows what somebody who comes now reads.
fn assert_as_fresh(home: &Home, index: &Index) {
    assert_eq!(difference(&picture(&index.snapshot()), &picture(&home.index().snapshot())), None);
}

#[test]
fn a_log_grows() {
    let home = Home::new();
    home.write("s", &records("s", FIRST));
    let index = home.index();
    let before = index.counted();
    let more = records("s", MORE);
    home.append("s", &more);
    let changed = index.refresh_paths(&[home.log("s")]);
    assert_eq!(changed, Changed { logs: vec![LogId(0)], gone: vec![] });
    let after = index.counted();
    assert_eq!(after.bytes - before.bytes, more.len() as u64, "only what is new is read");
    assert_eq!(after.scans - before.scans, 1);
    let logs = index.snapshot();
    assert_eq!(logs.summary(LogId(0)).unwrap().turns, 2);
    assert_eq!(logs.touching("uploader.rs").len(), 1);
    assert_as_fresh(&home, &index);
}

#[test]
fn what_was_read_is_not_read_again() {
    let home = Home::new();
    let long: String = (0..100).map(|n| format!("n{n} text I look\n")).collect();
    home.write("s", &records("s", &(FIRST.to_owned() + &long)));
    let index = home.index();
    let read = index.counted().bytes;
    assert!(read > 2 * Cursor::PROOF, "the log is too short to tell");
    assert_eq!(index.counted().bytes_again, 0);
    home.append("s", &records("s", MORE));
    index.refresh_paths(&[home.log("s")]);
    let again = index.counted().bytes_again;
    assert!(again <= Cursor::PROOF, "{again} bytes were read again");
}

#[test]
fn nothing_is_read_twice() {
    let home = Home::new();
    home.write("s", &records("s", FIRST));
    home.write("t", &records("t", "x prompt Look at the parser"));
    let index = home.index();
    let (counted, generation) = (index.counted(), index.snapshot().generation());
    assert_eq!(counted.scans, 2);
    assert!(index.refresh(&|_| {}).is_empty());
    assert_eq!((index.counted(), index.snapshot().generation()), (counted, generation));
    // A file of which nothing is new is opened and known again when somebody says that it changed, and that is all.
    assert!(index.refresh_paths(&[home.log("s")]).is_empty());
    let bytes_again = index.counted().bytes_again;
    assert!(bytes_again <= Cursor::PROOF, "{bytes_again} bytes were read again");
    assert_eq!(index.counted(), Counted { scans: 3, bytes_again, ..counted });
    assert_eq!(index.snapshot().generation(), generation);
}

#[test]
fn half_a_record_waits_for_its_end() {
    let home = Home::new();
    let text = records("s", FIRST);
    let (half, rest) = text.split_at(text.len() - 40);
    home.write("s", half);
    let index = home.index();
    assert!(index.snapshot().touching("loader.rs").is_empty());
    home.append("s", rest);
    index.refresh(&|_| {});
    assert_eq!(index.snapshot().touching("loader.rs").len(), 1);
    assert_as_fresh(&home, &index);
}

#[test]
fn truncated_replaced_moved_deleted() {
    let home = Home::new();
    home.write("s", &records("s", &format!("{FIRST}{MORE}")));
    home.write("t", &records("t", "x prompt Look at the parser"));
    let index = home.index();
    assert_eq!(index.snapshot().touching("uploader.rs").len(), 1);

    home.write("s", &records("s", FIRST));
    index.refresh(&|_| {});
    assert!(index.snapshot().touching("uploader.rs").is_empty());
    assert_as_fresh(&home, &index);

    home.write("new", &records("s", &format!("y prompt Something else altogether\n{MORE}")));
    fs::rename(home.log("new"), home.log("s")).unwrap();
    index.refresh(&|_| {});
    assert!(index.snapshot().touching("loader.rs").is_empty());
    assert_as_fresh(&home, &index);

    fs::rename(home.log("s"), home.log("r")).unwrap();
    let changed = index.refresh(&|_| {});
    assert_eq!((changed.logs.len(), changed.gone.len()), (1, 1));
    assert_as_fresh(&home, &index);

    fs::remove_file(home.log("r")).unwrap();
    let changed = index.refresh_paths(&[home.log("r")]);
    assert_eq!((changed.logs.len(), changed.gone.len()), (0, 1));
    assert!(index.snapshot().touching("uploader.rs").is_empty());
    assert_as_fresh(&home, &index);

    // A log that comes back keeps its id.
    let id = changed.gone[0];
    home.write("r", &records("r", FIRST));
    assert_eq!(index.refresh_paths(&[home.log("r")]).logs, [id]);
    assert_as_fresh(&home, &index);
}

#[test]
fn a_folder_comes_and_goes() {
    let home = Home::new();
    let index = home.index();
    home.write("s/subagents/agent-a1", &records("s", "x side Find every caller"));
    index.refresh_paths(&[home.logs().join("s")]);
    assert_eq!(index.snapshot().sides_of("s").count(), 1);
    assert_as_fresh(&home, &index);
    fs::remove_dir_all(home.logs()).unwrap();
    index.refresh_paths(&[home.logs()]);
    assert_eq!(index.snapshot().summaries().count(), 0);
}

#[test]
fn what_is_no_log() {
    let home = Home::new();
    fs::write(home.logs().join("notes.txt"), "x").unwrap();
    fs::create_dir_all(home.log("folder")).unwrap();
    fs::write(home.log("empty"), "").unwrap();
    fs::write(home.log("garbage"), b"\xff\xfe{{{\n[1]\n").unwrap();
    let index = home.index();
    let outside = home.path().join("outside.jsonl");
    fs::write(&outside, records("o", FIRST)).unwrap();
    assert!(index.refresh_paths(&[home.logs().join("notes.txt"), outside, PathBuf::new()]).is_empty());
    let logs = index.snapshot();
    let mut names: Vec<_> = logs.summaries().map(|path| path.session.to_string()).collect();
    names.sort();
    assert_eq!(names, ["empty", "garbage"]);
    let garbage = logs.summaries().find(|path| &*path.session == "garbage").unwrap();
    assert_eq!(garbage.tally.broken, 2);
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    home.write("s", &records("s", FIRST));
    let set = |mode: u32| fs::set_permissions(home.log("s"), fs::Permissions::from_mode(mode)).unwrap();
    set(0o000);
    if fs::File::open(home.log("s")).is_ok() {
        eprintln!("skipped: permissions do not bind whoever runs this test");
        set(0o600);
        return;
    }
    let index = home.index();
    let logs = index.snapshot();
    assert_eq!(logs.summaries().count(), 0);
    assert_eq!(logs.reading(), None);
    assert_eq!(logs.trouble().len(), 1);
    assert_eq!(logs.trouble()[0].path, home.log("s"));
    assert!(logs.trouble()[0].error.contains("s.jsonl"), "{}", logs.trouble()[0].error);
    set(0o600);
    index.refresh(&|_| {});
    assert_eq!(index.snapshot().trouble(), []);
    assert_as_fresh(&home, &index);
}

#[test]
fn a_first_read_tells_how_far_it_is() {
    let home = Home::new();
    for n in 0..20 {
        home.write(&format!("s{n}"), &records("s", FIRST));
    }
    let index = Index::new(home.env());
    assert_eq!(index.snapshot().reading(), Some((0, 0)));
    let told = Mutex::new(Vec::new());
    index.refresh(&|progress| {
        assert_eq!(index.snapshot().reading(), Some((progress.done, progress.total)));
        told.lock().unwrap().push((progress.done, progress.total));
    });
    let told = told.into_inner().unwrap();
    assert_eq!((told.first(), told.last()), (Some(&(0, 20)), Some(&(20, 20))));
    assert_eq!(index.snapshot().reading(), None);
    // No roots at all: then everything was read, too.
    let nowhere = Index::new(agents::Env::default());
    nowhere.refresh(&|_| {});
    assert_eq!(nowhere.snapshot().reading(), None);
}

#[test]
fn what_somebody_waits_for_is_read_first() {
    let home = Home::new();
    for n in 0..20 {
        home.write(&format!("s{n}"), &records(&format!("s{n}"), FIRST));
    }
    let index = Index::new(home.env());
    let first = Mutex::new(None);
    index.refresh(&|_| {
        let mut first = first.lock().unwrap();
        if first.is_none() {
            let changed = index.read_first("s17");
            let logs = index.snapshot();
            let known: Vec<String> = logs.sessions().map(|log| log.session.to_string()).collect();
            *first = Some((changed.logs.len(), known, logs.reading()));
        }
    });
    assert_eq!(first.into_inner().unwrap(), Some((1, vec!["s17".to_owned()], Some((0, 20)))));
    assert_eq!(index.read_first("s17"), Changed::default());
    assert_as_fresh(&home, &index);
}

#[test]
fn a_long_log_is_shown_piece_by_piece() {
    let home = Home::new();
    let turn = |n: usize| format!("p{n} prompt Turn {n} {}\n", "and so on ".repeat(2_000));
    home.write("s", &records("s", &(0..600).map(turn).collect::<String>()));
    home.write("t", &records("t", FIRST));
    let whole = fs::metadata(home.log("s")).unwrap().len();
    let index = Index::new(home.env());
    let seen = Mutex::new(Vec::new());
    let look = |index: &Index| {
        let logs = index.snapshot();
        seen.lock().unwrap().extend(logs.sessions().filter(|log| &*log.session == "s").map(|log| log.turns));
    };
    index.refresh(&|_| {
        index.read_first("s");
        look(&index);
    });
    look(&index);
    let seen = seen.into_inner().unwrap();
    assert!(seen.is_sorted() && seen[0] > 0 && seen[0] < 600 && seen.last() == Some(&600), "{seen:?}");
    let counted = index.counted();
    assert!(counted.scans >= 4 && counted.bytes < whole + whole / 10, "{counted:?} of {whole}");
    assert!(counted.bytes_again <= counted.scans * Cursor::PROOF);
    assert_as_fresh(&home, &index);
}

#[test]
fn bodies_are_read_at_their_places() {
    let home = Home::new();
    home.write("s", &records("s", FIRST));
    let index = home.index();
    let path = index.path(LogId(0)).unwrap();
    let result = path.turns.get(0).unwrap().steps.get(1).unwrap().result.as_ref().unwrap();
    for _ in 0..2 {
        let body = index.body(path.log, result.place);
        assert_eq!(&*body.content().unwrap().changes[0].path, "/w/src/loader.rs");
    }
    let text = path.turns.get(0).unwrap().steps.first().unwrap().place;
    fs::remove_file(home.log("s")).unwrap();
    assert!(matches!(index.body(path.log, text), Body::Gone));
    index.refresh(&|_| {});
    assert!(matches!(index.body(path.log, result.place), Body::Gone), "not even what was read before");
}

#[test]
fn one_folder_under_two_names_is_one() {
    let home = Home::new();
    home.write("s", &records("s", FIRST));
    let mut env = home.env();
    env.extra.push((trace::Agent::ClaudeCode, home.path().join("./.claude")));
    let index = Index::new(env);
    index.refresh(&|_| {});
    assert_eq!(index.snapshot().summaries().count(), 1);
}

#[test]
fn many_threads_refresh_at_once() {
    let home = Home::new();
    home.write("s", &records("s", FIRST));
    let index = home.index();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..50).for_each(|_| drop(index.refresh_paths(&[home.log("s")]))));
        }
        for n in 0..50 {
            home.append("s", &records("s", &format!("n{n} text More")));
        }
    });
    index.refresh_paths(&[home.log("s")]);
    assert_as_fresh(&home, &index);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn reading_along_is_reading_anew(ops in prop::collection::vec((any_op(), any::<bool>()), 1..16)) {
        let home = Home::new();
        let index = home.index();
        let all = NAMES.map(|name| home.log(name));
        for (op, is_read) in &ops {
            apply(&home, op);
            if *is_read {
                index.refresh_paths(&all);
            }
        }
        index.refresh_paths(&all);
        prop_assert_eq!(difference(&picture(&index.snapshot()), &picture(&home.index().snapshot())), None);
    }
}

/// Waits until the watch has told enough, or fails.
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(30), "{what} never happened");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_watch_follows() {
    let home = Home::new();
    home.write("s", &records("s", FIRST));
    let index = Arc::new(Index::new(home.env()));
    let told = Arc::new(Mutex::new(Vec::new()));
    let watch = index.watch(Box::new({
        let told = told.clone();
        move |changed| told.lock().unwrap().push(changed)
    }));
    index.refresh(&|_| {});

    home.append("s", &records("s", MORE));
    wait_until("growth", || !index.snapshot().touching("uploader.rs").is_empty());
    wait_until("the call", || !told.lock().unwrap().is_empty());
    home.write("t", &records("t", "x prompt Look at the parser"));
    wait_until("a new log", || index.snapshot().load_session("t").is_some());
    home.write("s/subagents/agent-a1", &records("s", "y side Find every caller"));
    wait_until("a log in a new folder", || index.snapshot().sides_of("s").count() == 1);
    fs::remove_file(home.log("t")).unwrap();
    wait_until("a removal", || index.snapshot().load_session("t").is_none());
    assert_as_fresh(&home, &index);

    drop(watch);
    let count = told.lock().unwrap().len();
    home.append("s", &records("s", "z text More"));
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(told.lock().unwrap().len(), count, "a watch that was dropped is silent");
}

#[test]
fn a_watch_finds_roots_that_come_later() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("later");
    let env = agents::Env { extra: vec![(trace::Agent::ClaudeCode, root.clone())], ..agents::Env::default() };
    let index = Arc::new(Index::new(env));
    let watch = index.watch(Box::new(|_| {}));
    index.refresh(&|_| {});
    let write = || {
        fs::create_dir_all(root.join("projects/-w")).unwrap();
        fs::write(root.join("projects/-w/s.jsonl"), records("s", FIRST)).unwrap();
    };
    write();
    wait_until("a root that comes", || index.snapshot().load_session("s").is_some());
    fs::remove_dir_all(&root).unwrap();
    wait_until("a root that goes", || index.snapshot().load_session("s").is_none());
    write();
    wait_until("a root that comes back", || index.snapshot().load_session("s").is_some());
    drop(watch);
}

#[test]
fn what_is_read_before_its_turn_is_not_lost() {
    let home = Home::new();
    for n in 0..4 {
        home.write(&format!("s{n}"), &records(&format!("s{n}"), FIRST));
    }
    for round in 0..100 {
        let index = &Index::new(home.env());
        std::thread::scope(|scope| {
            scope.spawn(|| index.refresh(&|_| {}));
            while index.snapshot().reading().is_some() {
                index.read_first("s");
            }
        });
        let logs = index.snapshot();
        assert_eq!((logs.sessions().count(), logs.reading()), (4, None), "round {round}");
    }
}
