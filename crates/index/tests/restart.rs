//! What a process finds of what others before it read.

#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::PathBuf;

use agents::{Cursor, Env};
use index::{Changed, Index, Limits};
use proptest::prelude::*;
use support::{Home, difference, files::*, picture, records};
use trace::{Agent, LogId};

const FIRST: &str = "
    a prompt Add retry to the loader
    b<a text I look
    c<b edit src/loader.rs
";
const MORE: &str = "
    d<c' +10 prompt Now the uploader too
    e<d +11 edit src/uploader.rs
";
/// The most that a reader looks back at where its memory was lost.
const LOOK_BACK: u64 = 1 << 20;

fn saved(home: &Home) {
    home.restarted().save();
}

fn assert_as_fresh(home: &Home, index: &Index) {
    assert_eq!(difference(&picture(&index.snapshot()), &picture(&home.index().snapshot())), None);
}

/// The files of the cache with this ending.
fn cached(home: &Home, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![home.cache()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()) {
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.retain(|path| path.extension().is_some_and(|found| found == ending));
    found.sort();
    found
}

#[test]
fn what_did_not_change_is_not_read() {
    let home = Home::new();
    home.write("s", &records("s", &format!("{FIRST}{MORE}")));
    home.write("t", &records("t", FIRST));
    home.write("s/subagents/agent-a1", &records("s", "y side Find every caller"));
    saved(&home);
    let index = home.restarted();
    assert_eq!(index.counted().scans, 0);
    assert_eq!(index.snapshot().reading(), None);
    assert_as_fresh(&home, &index);
    assert_eq!(index.counted().scans, 0, "not even for what the lists do not tell");
}

#[test]
fn a_folder_may_be_spelled_in_several_ways() {
    let home = Home::new();
    home.write("s", &records("s", FIRST));
    saved(&home);
    let spelled = home.path().join(".//").into_os_string().into_string().unwrap() + "./";
    let env = Env { home: Some(spelled.into()), ..Env::default() };
    let index = Index::with_limits(env, &Agent::ALL, &home.cache(), Limits { smallest_spine: 0, ..Limits::default() });
    index.refresh(&|_| {});
    assert_eq!((index.counted().scans, index.snapshot().summaries().count()), (0, 1));
}

#[test]
fn what_grew_is_read_on() {
    let home = Home::new();
    let long: String = (0..4_000).map(|n| format!("n{n} text I look\n")).collect();
    home.write("s", &records("s", &(FIRST.to_owned() + &long)));
    let whole = fs::metadata(home.log("s")).unwrap().len();
    assert!(whole > LOOK_BACK + Cursor::PROOF, "the log is too short to tell: {whole}");
    saved(&home);
    let more = records("s", MORE);
    home.append("s", &more);
    let index = home.restarted();
    let counted = index.counted();
    assert_eq!((counted.scans, counted.bytes), (1, more.len() as u64));
    assert!(counted.bytes_again <= LOOK_BACK + Cursor::PROOF, "{counted:?}");
    assert_eq!(index.snapshot().touching("uploader.rs").len(), 1);
    assert_as_fresh(&home, &index);

    // Once it was woken, it remembers.
    let again = index.counted().bytes_again;
    home.append("s", &records("s", "z +20 text More"));
    index.refresh(&|_| {});
    assert!(index.counted().bytes_again - again <= Cursor::PROOF);
    assert_as_fresh(&home, &index);
}

#[test]
fn short_logs_are_read_anew() {
    let home = Home::new();
    home.write("s", &records("s", FIRST));
    home.restarted_with(Limits::default()).save();
    assert_eq!(cached(&home, "spine"), Vec::<PathBuf>::new());
    let index = home.restarted_with(Limits::default());
    let report = index.cache_report().unwrap();
    assert_eq!((index.counted().scans, report.logs, report.paths), (0, 1, 0));
    assert_as_fresh(&home, &index);

    // Of what grows while we look only what is new is read.
    for (text, reads_anew) in [(MORE, true), ("z +20 text More", false)] {
        let before = index.counted();
        home.append("s", &records("s", text));
        index.refresh(&|_| {});
        index.save();
        let read = index.counted().bytes_again - before.bytes_again;
        assert_eq!(read > Cursor::PROOF, reads_anew, "{text}: {read} bytes again");
        assert_as_fresh(&home, &index);
    }
}

#[test]
fn a_file_that_looks_the_same_and_is_another_is_read() {
    let home = Home::new();
    home.write("s", &records("s", FIRST));
    saved(&home);
    let time = fs::metadata(home.log("s")).unwrap().modified().unwrap();
    let other = records("s", &FIRST.replace("loader", "reader"));
    home.write("new", &other);
    fs::File::options().write(true).open(home.log("new")).unwrap().set_modified(time).unwrap();
    fs::rename(home.log("new"), home.log("s")).unwrap();
    let index = home.restarted();
    assert_eq!(index.snapshot().touching("reader.rs").len(), 1);
    assert_as_fresh(&home, &index);
}

#[test]
fn forks_are_known_again() {
    let home = Home::new();
    let fork = "
        a prompt Add retry to the loader
        b<a text I look
        c<b edit src/loader.rs
        f<c' +30 prompt Another way
        g<f +31 edit src/other.rs
    ";
    home.write("s", &records("s", &format!("{FIRST}{MORE}")));
    home.write("t", &records("t", fork));
    saved(&home);
    let index = home.restarted();
    let logs = index.snapshot();
    let copies = logs.sessions().filter(|log| logs.inherited(log.log).is_some()).count();
    assert_eq!((copies, index.counted().scans), (1, 0));
    assert_as_fresh(&home, &index);
    // The origin goes while nobody looks.
    index.save();
    fs::remove_file(home.log("s")).unwrap();
    let index = home.restarted();
    assert_as_fresh(&home, &index);
    assert_eq!(index.snapshot().inherited(LogId(1)), None);
}

#[test]
fn damaged_files_are_dropped() {
    let damages: [fn(&mut Vec<u8>); 6] = [
        |bytes| bytes.truncate(bytes.len() / 2),
        |bytes| bytes.clear(),
        |bytes| *bytes.last_mut().unwrap() ^= 1,
        |bytes| bytes[9] ^= 1,
        |bytes| bytes[20] ^= 0x80,
        |bytes| *bytes = b"turnlens".repeat(40),
    ];
    for ending in ["summaries", "spine"] {
        for (which, damage) in damages.iter().enumerate() {
            let home = Home::new();
            home.write("s", &records("s", FIRST));
            home.write("t", &records("t", "x prompt Look at the parser"));
            saved(&home);
            for path in cached(&home, ending) {
                let mut bytes = fs::read(&path).unwrap();
                damage(&mut bytes);
                fs::write(&path, bytes).unwrap();
            }
            let index = home.restarted();
            assert_as_fresh(&home, &index);
            // Only who goes on reads all of a spine.
            home.append("s", &records("s", MORE));
            home.append("t", &records("t", MORE));
            index.refresh(&|_| {});
            assert_as_fresh(&home, &index);
            let report = index.cache_report().unwrap();
            assert!(report.dropped > 0 && report.trouble.is_none(), "{ending} {which}: {report:?}");
            index.save();
            let index = home.restarted();
            assert_as_fresh(&home, &index);
            assert_eq!((index.counted().scans, index.cache_report().unwrap().dropped), (0, 0), "{ending} {which}");
        }
    }
}

#[test]
fn spines_of_other_logs_and_moments_are_not_taken() {
    let home = Home::new();
    home.write("s", &records("s", FIRST));
    home.write("t", &records("t", "x prompt Look at the parser"));
    saved(&home);
    let spines = cached(&home, "spine");
    let before: Vec<Vec<u8>> = spines.iter().map(|path| fs::read(path).unwrap()).collect();
    fs::write(&spines[0], &before[1]).unwrap();
    fs::write(&spines[1], &before[0]).unwrap();
    assert_as_fresh(&home, &home.restarted());

    // A server that knows less was the last to write.
    fs::write(&spines[0], &before[0]).unwrap();
    fs::write(&spines[1], &before[1]).unwrap();
    home.append("s", &records("s", MORE));
    saved(&home);
    spines.iter().zip(&before).for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
    let index = home.restarted();
    assert_as_fresh(&home, &index);
    home.append("s", &records("s", "z +20 text More"));
    index.refresh(&|_| {});
    assert_as_fresh(&home, &index);
}

#[test]
fn two_servers_share_the_cache() {
    let home = Home::new();
    home.write("s", &records("s", FIRST));
    let (one, other) = (home.restarted(), home.restarted());
    std::thread::scope(|scope| {
        for index in [&one, &other] {
            scope.spawn(|| {
                for _ in 0..20 {
                    index.refresh(&|_| {});
                    index.save();
                }
            });
        }
        for n in 0..20 {
            home.append("s", &records("s", &format!("n{n} text More")));
        }
    });
    one.refresh(&|_| {});
    one.save();
    let index = home.restarted();
    assert_eq!(index.counted().scans, 0);
    assert_as_fresh(&home, &index);
    assert_eq!(cached(&home, "new"), Vec::<PathBuf>::new());
}

#[test]
fn a_log_that_was_only_touched_is_not_read_again() {
    let home = Home::new();
    home.write("s", &records("s", FIRST));
    let index = home.restarted();
    index.save();
    let log = fs::File::options().write(true).open(home.log("s")).unwrap();
    log.set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(10)).unwrap();
    index.refresh(&|_| {});
    index.save();
    assert_eq!(home.restarted().counted().scans, 0);
}

#[test]
fn what_a_killed_process_left_behind_goes() {
    let home = Home::new();
    home.write("s", &records("s", FIRST));
    saved(&home);
    let folder = cached(&home, "spine")[0].parent().unwrap().to_owned();
    let (old, recent) = (folder.join("1-0.new"), folder.join("2-0.new"));
    for path in [&old, &recent] {
        fs::write(path, &fs::read(&cached(&home, "spine")[0]).unwrap()[..100]).unwrap();
    }
    let hours_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(2 * 60 * 60);
    fs::File::options().write(true).open(&old).unwrap().set_modified(hours_ago).unwrap();
    let index = home.restarted();
    assert_eq!(index.counted().scans, 0);
    home.append("s", &records("s", MORE));
    index.refresh(&|_| {});
    index.save();
    // Another process may be writing the recent one.
    assert!(!old.exists() && recent.exists());
    assert_as_fresh(&home, &home.restarted());
}

#[test]
fn older_formats_go_and_newer_ones_stay() {
    let home = Home::new();
    home.write("s", &records("s", FIRST));
    for (folder, file) in [("v0", "old"), ("v99", "new"), ("other", "x")] {
        fs::create_dir_all(home.cache().join(folder)).unwrap();
        fs::write(home.cache().join(folder).join(file), "x").unwrap();
    }
    saved(&home);
    assert!(!home.cache().join("v0").exists());
    assert!(home.cache().join("v99/new").exists() && home.cache().join("other/x").exists());
}

#[test]
fn what_was_not_used_makes_room() {
    let home = Home::new();
    for n in 0..6 {
        home.write(&format!("s{n}"), &records(&format!("s{n}"), FIRST));
    }
    saved(&home);
    let of_one = fs::metadata(&cached(&home, "spine")[0]).unwrap().len();
    let all = home.restarted().cache_report().unwrap();
    assert_eq!((all.logs, all.paths), (6, 6));
    let budget = all.bytes - 2 * of_one;
    home.append("s0", &records("s0", MORE));
    let index = home.restarted_with(Limits { budget, smallest_spine: 0 });
    index.save();
    let report = index.cache_report().unwrap();
    assert!(report.bytes <= budget && report.paths >= 3, "{report:?}");
    assert_as_fresh(&home, &index);

    // What lies there for searches counts, too.
    let filters = home.cache().with_file_name("search");
    fs::create_dir(&filters).unwrap();
    fs::write(filters.join("filters-00"), vec![0; of_one as usize]).unwrap();
    home.append("s0", &records("s0", MORE));
    index.refresh(&|_| {});
    index.save();
    let less = index.cache_report().unwrap();
    assert!(less.bytes + of_one <= budget && less.paths < report.paths && less.paths > 0, "{less:?}");
}

#[test]
fn where_nothing_can_be_written_nothing_else_fails() {
    let home = Home::new();
    home.write("s", &records("s", FIRST));
    fs::write(home.cache(), "no folder").unwrap();
    let index = home.restarted();
    index.save();
    let report = index.cache_report().unwrap();
    assert!(report.trouble.is_some_and(|trouble| trouble.contains("cache")));
    home.append("s", &records("s", MORE));
    assert_eq!(index.refresh(&|_| {}), Changed { logs: vec![LogId(0)], gone: vec![] });
    assert_as_fresh(&home, &index);
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    home.write("s", &records("s", FIRST));
    saved(&home);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&home.cache()), 0o700);
    for path in cached(&home, "spine").iter().chain(&cached(&home, "summaries")) {
        assert_eq!((mode(path), mode(path.parent().unwrap())), (0o600, 0o700), "{}", path.display());
    }
}

/// What goes on from a damaged spine is read from the log as far as the spine told of it, and no further.
#[test]
fn whichever_byte_is_damaged_what_grows_is_told_right() {
    const STEP: usize = 7;
    for at in (0..).step_by(STEP) {
        let home = Home::new();
        home.write("s", &records("s", &format!("{FIRST}{MORE}")));
        let index = home.restarted();
        index.save();
        let path = &cached(&home, "spine")[0];
        let mut bytes = fs::read(path).unwrap();
        let Some(byte) = bytes.get_mut(at) else { break };
        *byte ^= 0x55;
        fs::write(path, bytes).unwrap();
        home.append("s", &records("s", "z<e +20 text More"));
        index.refresh(&|_| {});
        assert_as_fresh(&home, &index);
    }
}

/// One thing that can happen to a process or its cache.
#[derive(Clone, Debug)]
enum Event {
    Log(Op),
    Refresh,
    Save,
    /// Killed: what was not saved is lost.
    Restart,
    /// A byte of a file of the cache is another.
    Damage(usize, usize),
    Remove(usize),
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => any_op().prop_map(Event::Log),
        3 => Just(Event::Refresh),
        3 => Just(Event::Save),
        3 => Just(Event::Restart),
        1 => (any::<usize>(), any::<usize>()).prop_map(|(file, byte)| Event::Damage(file, byte)),
        1 => any::<usize>().prop_map(Event::Remove),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_cache_changes_nothing(
        events in prop::collection::vec(any_event(), 1..24),
        smallest_spine in prop::sample::select(vec![0, 400, 1 << 20]),
    ) {
        let home = Home::new();
        let restarted = || home.restarted_with(Limits { smallest_spine, ..Limits::default() });
        let mut index = restarted();
        let files = || [cached(&home, "spine"), cached(&home, "summaries")].concat();
        for event in &events {
            match event {
                Event::Log(op) => apply(&home, op),
                Event::Refresh => drop(index.refresh(&|_| {})),
                Event::Save => index.save(),
                Event::Restart => index = restarted(),
                Event::Damage(file, byte) => {
                    let files = files();
                    let Some(path) = files.get(file % files.len().max(1)) else { continue };
                    let mut bytes = fs::read(path).unwrap();
                    let at = byte % bytes.len();
                    bytes[at] ^= 0x55;
                    fs::write(path, bytes).unwrap();
                }
                Event::Remove(file) => {
                    let files = files();
                    files.get(file % files.len().max(1)).into_iter().for_each(|path| fs::remove_file(path).unwrap());
                }
            }
        }
        index.refresh(&|_| {});
        let fresh = picture(&home.index().snapshot());
        prop_assert_eq!(difference(&picture(&index.snapshot()), &fresh), None);
        index.save();
        prop_assert_eq!(difference(&picture(&restarted().snapshot()), &fresh), None);
    }
}
