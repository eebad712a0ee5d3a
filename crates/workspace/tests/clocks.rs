//! Clocks that jump: files from the future, files that grow back in time, records out of the order of their times.

#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::json;
use tempfile::TempDir;
use trace::{Agent, Timestamp};
use workspace::{Env, Index, Query, Settings, Workspace};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

struct Place {
    folder: TempDir,
    workspace: Workspace,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("logs/-w")).unwrap();
        Place { workspace: workspace(folder.path()), folder }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("logs/-w/s.jsonl")
    }

    /// Writes the log anew, as if the clock stood there.
    fn write(&self, text: &str, clock: SystemTime) {
        fs::write(self.log(), text).unwrap();
        File::options().write(true).open(self.log()).unwrap().set_modified(clock).unwrap();
    }

    fn read(&self) {
        self.workspace.index().refresh(&|_| {});
        self.workspace.make_filters(Some(self.folder.path().join("search")), &|| false).unwrap();
        self.workspace.index().save();
    }
}

fn workspace(folder: &Path) -> Workspace {
    let env = Env { home: None, vars: Default::default(), extra: vec![(Agent::ClaudeCode, folder.join("logs"))] };
    let index = Index::with_cache(env, &[Agent::ClaudeCode], &folder.join("index"));
    Workspace::new(Arc::new(index), Settings::default())
}

fn record(number: usize, at: &str, text: &str) -> String {
    let role = if number == 0 { "user" } else { "assistant" };
    let message = json!({ "role": role, "content": [{ "type": "text", "text": text }] });
    let record =
        json!({ "type": role, "uuid": format!("u{number}"), "timestamp": at, "sessionId": "s", "message": message });
    format!("{record}\n")
}

/// How often the word is found, by whoever knows the log already and by one who starts now.
fn count(place: &Place, word: &str) -> [usize; 2] {
    let started = workspace(place.folder.path());
    started.index().refresh(&|_| {});
    started.make_filters(Some(place.folder.path().join("search")), &|| false).unwrap();
    [&place.workspace, &started].map(|workspace| {
        let moment = workspace.moment();
        moment.search(&Query::parse(word, &|_| None).unwrap(), moment.logs().sessions(), 10).total
    })
}

#[test]
fn a_file_is_read_on_whatever_its_time_says() {
    let place = Place::new();
    let now = SystemTime::now();
    let mut text = record(0, "2026-01-02T10:00:00.000Z", "word_zero");
    // From the future, further there, back, long ago, at the beginning of time.
    let clocks = [now + 30 * DAY, now + 60 * DAY, now, now - 900 * DAY, SystemTime::UNIX_EPOCH];
    for (number, clock) in (1..).zip(clocks) {
        text.push_str(&record(number, "2026-01-02T10:00:00.000Z", &format!("word_{number}x")));
        place.write(&text, clock);
        place.read();
        assert_eq!(count(&place, &format!("word_{number}x")), [1, 1]);
        assert_eq!(count(&place, "word_*"), [number + 1, number + 1]);
    }
    // Of the same length, back in time.
    place.write(&text.replace("word_5x", "word_6y"), now - DAY);
    place.read();
    assert_eq!((count(&place, "word_6y"), count(&place, "word_5x")), ([1, 1], [0, 0]));
}

#[test]
fn who_is_at_work_is_told_by_the_last_record_and_not_by_one_of_the_future() {
    let place = Place::new();
    let now: Timestamp = Timestamp(1_767_348_000_000); // 2026-01-02T10:00:00Z
    let mut text = record(0, "2026-01-02T09:59:00.000Z", "go");
    let mut is_live = |at: &str| {
        let number = text.lines().count();
        let call =
            json!({ "type": "tool_use", "id": format!("t{number}"), "name": "Bash", "input": { "command": "x" } });
        let message = json!({ "role": "assistant", "content": [call] });
        let record = json!({ "type": "assistant", "uuid": format!("c{number}"), "timestamp": at, "sessionId": "s", "message": message });
        text.push_str(&format!("{record}\n"));
        place.write(&text, SystemTime::now());
        place.read();
        let moment = place.workspace.moment();
        let path = moment.logs().sessions().next().unwrap().clone();
        moment.summary(&path, now).live
    };
    assert!(is_live("2026-01-02T09:59:30.000Z"));
    assert!(is_live("2026-01-02T10:00:30.000Z"), "clocks may differ a little");
    assert!(!is_live("2027-01-02T10:00:00.000Z"), "it would be at work for a year");
    assert!(is_live("2026-01-02T09:59:50.000Z"), "the clock was set right");
    assert!(!is_live("2026-01-02T09:00:00.000Z"), "and back");
    assert!(!is_live("-009999-01-01T00:00:00.000Z") && !is_live("9999-12-30T00:00:00.000Z"));
}
