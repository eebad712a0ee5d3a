//! The session that the demo shows: a person has an agent add a retry to a small program.

use std::path::Path;

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};

use super::git::Git;
use super::log::{Log, Run};

pub(super) const SESSION: &str = "9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77";

/// The program before the agent came.
const BEFORE: [(&str, &str); 6] = [
    (".gitignore", "/target\n"),
    ("Cargo.toml", include_str!("fetchd/manifest.toml")),
    ("src/lib.rs", include_str!("fetchd/lib.rs")),
    ("src/http.rs", include_str!("fetchd/http.rs")),
    ("src/loader.rs", include_str!("fetchd/loader.rs")),
    ("src/uploader.rs", include_str!("fetchd/uploader.rs")),
];

const RETRY: &str = include_str!("fetchd/retry.rs");
const RETRY_TEST: &str = include_str!("fetchd/retry_test.rs");
const FORMATTED_RETRY: &str = include_str!("fetchd/formatted/retry.rs");
const FORMATTED_UPLOADER: &str = include_str!("fetchd/formatted/uploader.rs");

/// Makes the repository in `repo` and the agent's log below `home`. The session ends some minutes before `now`.
pub(super) fn tell(repo: &Path, home: &Path, now: Timestamp) -> anyhow::Result<()> {
    let began = (now - SignedDuration::from_mins(60)).round(jiff::Unit::Minute).unwrap_or(now);
    let git = Git { repo, home };
    git.run(&["init", "--quiet", "--initial-branch=main"], began)?;
    for (path, text) in BEFORE {
        write(repo, path, text)?;
    }
    git.run(&["add", "--all"], began)?;
    git.commit("A loader and an uploader", &[], began - SignedDuration::from_hours(20))?;

    let mut log = Log::new(SESSION, repo, &BEFORE, began);
    first_turn(&mut log);
    log.wait(12.0 * 60.0);
    second_turn(&mut log);
    log.wait(8.0 * 60.0);
    third_turn(&mut log, repo, &git)?;
    write_logs(home, repo, log)?;
    person(repo)
}

fn first_turn(log: &mut Log) {
    log.prompt(
        "Add retry to the loader: three attempts, back off 200 ms, 400 ms. Do not retry on 4xx.\n\
         The error type is in src/http.rs.",
    );
    log.wait(24.0);
    log.thinks(
        "The loader calls `client.get` once and passes the error up. Whether an error may be tried again depends on \
         its status, so the type needs a method that says whether it is transient. A 4xx answer says that the request \
         itself is wrong, and no number of attempts makes it right; a 5xx answer, or no answer at all, may pass. Three \
         attempts with 200 and 400 ms between them are 600 ms at most, which a caller can bear. The loop goes into \
         `load`, around the one call, and the error of the last attempt is what the caller gets. That leaves the \
         signature as it is. I should look at how errors carry their status first.",
    );
    log.says("I'll look at how errors carry their status first.");
    log.reads("src/http.rs");
    log.reads("src/loader.rs");
    log.searches("Error::new", "src");
    log.says("The loader gives up at the first network error, so the call goes into a loop.");
    log.wait(40.0);
    log.edits(
        "src/loader.rs",
        "    let body = client.get(url)?;\n",
        "    let mut wait = Duration::from_millis(200);
    let mut left = 3;
    let body = loop {
        match client.get(url) {
            Err(e) if left > 1 && e.is_transient() => {
                left -= 1;
                sleep(wait);
                wait *= 2;
            }
            other => break other?,
        }
    };
",
    );
    log.fails_to_edit(
        "src/http.rs",
        "    pub fn status(&self) -> u16 {\n",
        "    pub fn is_transient(&self) -> bool {\n        self.status >= 500\n    }\n\n    pub fn status(&self) -> u16 {\n",
    );
    log.reads_lines("src/http.rs", 1, 40);
    log.edits(
        "src/http.rs",
        "        self.status\n    }\n",
        "        self.status
    }

    /// True for errors that may pass: no answer, or a 5xx answer.
    pub fn is_transient(&self) -> bool {
        self.status.map_or(true, |s| s >= 500)
    }
",
    );
    log.runs("cargo test -p fetchd", &Run { exit: 101, output: missing_imports(log), seconds: 8.2 });
    log.edits(
        "src/loader.rs",
        "use crate::http::{Body, Client, Error};\n",
        "use crate::http::{Body, Client, Error};\nuse std::{thread::sleep, time::Duration};\n",
    );
    log.runs("cargo test -p fetchd", &Run { exit: 0, output: passed(0), seconds: 11.4 });
    log.says("`load` now tries three times on transient errors. Shall I do the same for the uploader?");
}

fn second_turn(log: &mut Log) {
    log.prompt("yes");
    log.wait(5.0);
    log.sends(
        ("explore", "a1e0c4d27"),
        "Find every caller of Client::put",
        "Find every caller of `Client::put` in this crate, and say what would have to change to call it more than once.",
        "`Client::put` has one caller, `send` in src/uploader.rs:8. The body is cloned nowhere, so a retry needs a body \
         that can be sent again: `Body` is a `Vec<u8>`, so cloning it for each attempt is the smallest change. I found \
         no test that counts requests.",
        |log| {
            log.searches(".put(", "src");
            log.reads("src/uploader.rs");
            log.searches("Body", "src");
        },
    );
    log.says("Both need the same rule, so it goes into a function of its own.");
    log.wait(30.0);
    log.writes("src/retry.rs", RETRY);
    log.edits("src/lib.rs", "pub mod loader;\n", "pub mod loader;\npub mod retry;\n");
    log.edits(
        "src/uploader.rs",
        "    client.put(url, body)?;\n",
        "    retry(3, Duration::from_millis(200), || {\n      client.put(url, body.clone())\n    })?;\n",
    );
    log.edits(
        "src/uploader.rs",
        "use crate::http::{Body, Client, Error};\n",
        "use crate::http::{Body, Client, Error};\nuse crate::retry::retry;\nuse std::time::Duration;\n",
    );
    log.sends(
        ("test-writer", "b7f93a51c"),
        "Write tests for retry",
        "Write tests for `retry` in src/retry.rs, in tests/retry.rs: first try, third try, never more than three, \
         nothing that cannot pass, no wait before the first.",
        "Five tests: first try, third try, never more than three, nothing that cannot pass, no wait before the first.",
        |log| {
            log.reads("src/retry.rs");
            log.thinks("Waits of a few milliseconds keep the tests short.");
            log.writes("tests/retry.rs", RETRY_TEST);
            log.runs("cargo test -p fetchd --test retry", &Run { exit: 0, output: passed(5), seconds: 5.1 });
        },
    );
    log.runs("cargo test -p fetchd", &Run { exit: 0, output: passed(5), seconds: 12.0 });
    log.says("The uploader uses the same rule, in src/retry.rs; five tests cover it.");
}

fn third_turn(log: &mut Log, repo: &Path, git: &Git<'_>) -> anyhow::Result<()> {
    log.prompt("format, and commit the loader's part");
    log.runs("cargo fmt", &Run { exit: 0, output: String::new(), seconds: 0.4 });
    log.overwrite("src/retry.rs", FORMATTED_RETRY);
    log.overwrite("src/uploader.rs", FORMATTED_UPLOADER);
    for (path, text) in log.files() {
        write(repo, path, text)?;
    }
    let parts = ["src/http.rs", "src/loader.rs"];
    let commit = git.commit("Retry transient errors", &parts, log.now())?;
    let output = format!("[main {commit}] Retry transient errors\n 2 files changed, 18 insertions(+), 1 deletion(-)\n");
    let command = format!("git commit -m \"Retry transient errors\" {}", parts.join(" "));
    log.runs(&command, &Run { exit: 0, output, seconds: 0.3 });
    log.says(&format!("Committed as {commit}. The uploader's part is not committed yet."));
    Ok(())
}

/// What the person changed afterwards, by hand.
fn person(repo: &Path) -> anyhow::Result<()> {
    change(
        repo,
        "src/uploader.rs",
        "    retry(3, Duration::from_millis(200), || {\n",
        "    // The other side is slow on Mondays.\n    retry(5, Duration::from_millis(500), || {\n",
    )?;
    change(repo, "Cargo.toml", "edition = \"2021\"\n", "edition = \"2021\"\nrust-version = \"1.82\"\npublish = false\n")
}

fn change(repo: &Path, path: &str, old: &str, new: &str) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(repo.join(path)).with_context(|| format!("cannot read {path} of the demo"))?;
    write(repo, path, &text.replacen(old, new, 1))
}

fn write(folder: &Path, path: &str, text: &str) -> anyhow::Result<()> {
    let path = path.split('/').fold(folder.to_owned(), |folder, part| folder.join(part));
    let write = || {
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        std::fs::write(&path, text)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

fn write_logs(home: &Path, repo: &Path, log: Log) -> anyhow::Result<()> {
    let slug: String =
        repo.to_string_lossy().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let folder = format!(".claude/projects/{slug}");
    let (own, sides) = log.finish();
    write(home, &format!("{folder}/{SESSION}.jsonl"), &own)?;
    sides.iter().try_for_each(|(id, text)| write(home, &format!("{folder}/{SESSION}/subagents/agent-{id}.jsonl"), text))
}

/// What the compiler says of the loader as it is.
fn missing_imports(log: &Log) -> String {
    let place = |word: &str| {
        let lines = log.text("src/loader.rs").lines().zip(1..);
        let mut found = lines.filter_map(|(line, number)| Some((number, line.find(word)? + 1, line)));
        found.next().unwrap_or((1, 1, ""))
    };
    let (duration, column, with_duration) = place("Duration");
    let (sleep, sleep_column, with_sleep) = place("sleep(");
    let under = |column: usize, mark: &str| format!("{}{mark}", " ".repeat(column - 1));
    let (mark, sleep_mark) = (under(column, "^^^^^^^^"), under(sleep_column, "^^^^^"));
    format!(
        "   Compiling fetchd v0.1.0
error[E0425]: cannot find function `sleep` in this scope
  --> src/loader.rs:{sleep}:{sleep_column}
   |
{sleep} | {with_sleep}
   | {sleep_mark} not found in this scope
   |
help: consider importing this function
   |
3  + use std::thread::sleep;
   |

error[E0433]: failed to resolve: use of undeclared type `Duration`
  --> src/loader.rs:{duration}:{column}
   |
{duration}  | {with_duration}
   | {mark} use of undeclared type `Duration`
   |
help: consider importing this struct
   |
3  + use std::time::Duration;
   |

error: could not compile `fetchd` (lib) due to 2 previous errors"
    )
}

fn passed(tests: u32) -> String {
    format!("running {tests} tests\ntest result: ok. {tests} passed; 0 failed; 0 ignored; 0 measured; 0 filtered out")
}
