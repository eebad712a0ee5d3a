//! One large session, and thousands: `cargo bench -p benches --bench scale`. `-- --quick` reads little, to see that
//! nothing is broken.
//!
//! What is read: the folder that `TURNLENS_BENCH_DATA` names (`one`, `one10`, `one100`, `many`, `many10`, each with a
//! `home`), else what the generators in `../shared/bench` make below `target/bench-data`. Peers are measured where
//! `path` (Toolpath: `cargo install path-cli`) and `codbash` (npm: `codbash-app`) can be called.
//!
//! Cold: no cache of ours; the system has the files in memory. Times are the best of a few runs.
#![expect(clippy::print_stdout, reason = "the report of a bench")]

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use index::{Env, Index};
use lens::{DocumentId, Part};
use serde_json::json;
use tempfile::TempDir;
use tests::lsp::{Client, HANG, Start, binary};
use trace::Agent;

/// Runs of which the best counts.
const RUNS: usize = 3;
/// For so long a server is watched that nobody asks.
const IDLE: Duration = Duration::from_secs(5);

fn main() {
    let is_quick = env::args().any(|argument| argument == "--quick");
    let Some(data) = Data::find(is_quick) else {
        println!("skipped: no logs to read. TURNLENS_BENCH_DATA names a folder with them.");
        return;
    };
    // Built before anything is measured.
    binary();
    let sizes = |name: &str| -> Vec<String> {
        ["", "10", "100"].iter().map(|size| format!("{name}{size}")).filter(|name| data.home(name).is_dir()).collect()
    };
    println!("{:58} {:>11} {:>11} {:>10}", "", "wall", "CPU", "memory");
    for name in sizes("one") {
        one_session(&name, &data.home(&name));
    }
    for name in sizes("many") {
        many_sessions(&name, &data.home(&name));
    }
    peers(&data, &sizes("one"), &sizes("many"));
}

/// Homes with logs.
struct Data {
    folder: PathBuf,
    _temporary: Option<TempDir>,
}

impl Data {
    fn find(is_quick: bool) -> Option<Data> {
        if let Some(folder) = env::var_os("TURNLENS_BENCH_DATA") {
            return Some(Data { folder: folder.into(), _temporary: None });
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let generators = root.join("../shared/bench");
        if !generators.is_dir() {
            return None;
        }
        let temporary = is_quick.then(|| TempDir::new().expect("a folder"));
        let folder = temporary.as_ref().map_or(root.join("target/bench-data"), |folder| folder.path().to_owned());
        let make = |name: &str, generator: &str, options: &[&str]| {
            let out = folder.join(name);
            if out.join("truth.json").is_file() {
                return;
            }
            println!("making {name}");
            let mut python = Command::new("python3");
            python.arg(generators.join(generator)).arg("--out").arg(&out).args(options).stdout(Stdio::null());
            assert!(python.status().expect("python3").success(), "{generator} failed");
        };
        if is_quick {
            make("one", "one_session.py", &["--steps", "300", "--groups", "100"]);
            make("many", "many_sessions.py", &["--claude", "20", "--codex", "20", "--mb", "6", "--big-mb", "3"]);
        } else {
            make("one", "one_session.py", &[]);
            make("one10", "one_session.py", &["--steps", "17370", "--groups", "6090", "--files", "80"]);
            make("one100", "one_session.py", &["--steps", "173700", "--groups", "60900", "--files", "200"]);
            make("many", "many_sessions.py", &[]);
            make("many10", "many_sessions.py", &["--claude", "5000", "--codex", "5000", "--mb", "1100"]);
        }
        Some(Data { folder, _temporary: temporary })
    }

    fn home(&self, name: &str) -> PathBuf {
        self.folder.join(name).join("home")
    }
}

/// What something took.
#[derive(Clone, Copy, Default)]
struct Took {
    wall: Duration,
    cpu: Option<Duration>,
    /// The most memory that the process had, in bytes.
    memory: Option<u64>,
}

impl Took {
    fn wall(wall: Duration) -> Took {
        Took { wall, ..Took::default() }
    }

    fn show(self, what: &str) {
        let time = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3);
        let cpu = self.cpu.map(time).unwrap_or_default();
        let memory = self.memory.map(|bytes| format!("{} MB", bytes >> 20)).unwrap_or_default();
        println!("{what:58} {:>11} {cpu:>11} {memory:>10}", time(self.wall));
    }
}

/// The best of a few.
fn best(runs: usize, mut run: impl FnMut() -> Took) -> Took {
    let all = (0..runs).map(|_| run());
    all.min_by_key(|took| took.wall).unwrap_or_default()
}

fn one_session(name: &str, home: &Path) {
    let env = env_of(home);
    let derive = || {
        let (begin, cpu) = (Instant::now(), cpu_of_this_process());
        let index = Index::new(env.clone());
        index.refresh(&|_| {});
        let took = Took { wall: begin.elapsed(), cpu: since(cpu), memory: None };
        assert!(index.snapshot().sessions().next().is_some(), "{name}: no session");
        took
    };
    best(RUNS, derive).show(&format!("{name}: derive all"));
    let index = Index::new(env.clone());
    index.refresh(&|_| {});
    let logs = index.snapshot();
    let log = logs.sessions().next().expect("a session").log;
    let file = logs.file(log).expect("its file").to_owned();
    append(name, &file);
    let cache = TempDir::new().expect("a folder");
    let open = || {
        let (took, client) = open_first_page(home, cache.path(), &file);
        leave(client);
        took
    };
    let cold = || {
        empty(cache.path());
        open()
    };
    best(RUNS, cold).show(&format!("{name}: first page, server cold"));
    let begin = Instant::now();
    let mut client = start(home, cache.path());
    wait_until_read(&mut client);
    let (cpu, memory) = (cpu_of(client.process_id()), most_memory(client.process_id()));
    Took { wall: begin.elapsed(), cpu, memory }.show(&format!("{name}: server with all of it read"));
    leave(client);
    best(RUNS, open).show(&format!("{name}: first page, server anew"));
}

/// One more line, in a copy of the log.
fn append(name: &str, file: &Path) {
    let home = TempDir::new().expect("a folder");
    let project = home.path().join(".claude/projects/p");
    fs::create_dir_all(&project).expect("a folder");
    let copy = project.join(file.file_name().expect("a name"));
    fs::copy(file, &copy).expect("a copy");
    let index = Index::new(env_of(home.path()));
    index.refresh(&|_| {});
    let mut number = 0;
    let took = best(20, || {
        number += 1;
        let line = benches::next_record(Path::new("/work"), number);
        let mut log = fs::OpenOptions::new().append(true).open(&copy).expect("the copy");
        log.write_all(line.as_bytes()).expect("a line");
        let (begin, cpu) = (Instant::now(), cpu_of_this_process());
        let changed = index.refresh_paths(std::slice::from_ref(&copy));
        let took = Took { wall: begin.elapsed(), cpu: since(cpu), memory: None };
        assert!(!changed.is_empty(), "{name}: the line was not seen");
        took
    });
    took.show(&format!("{name}: append one line"));
}

fn many_sessions(name: &str, home: &Path) {
    let cache = TempDir::new().expect("a folder");
    let list = || {
        let (begin, cpu) = (Instant::now(), cpu_of_children());
        let mut list = Command::new(binary());
        list.args(["sessions", "--repo", "all", "--json"]).stdout(Stdio::null()).stderr(Stdio::null());
        in_home(&mut list, home, cache.path());
        assert!(list.status().expect("turnlens").success(), "{name}: no list");
        Took { wall: begin.elapsed(), cpu: cpu.and_then(|before| cpu_of_children()?.checked_sub(before)), memory: None }
    };
    let cold = || {
        empty(cache.path());
        list()
    };
    best(RUNS, cold).show(&format!("{name}: turnlens sessions, cold"));
    best(RUNS, list).show(&format!("{name}: turnlens sessions, again"));

    empty(cache.path());
    let begin = Instant::now();
    let mut client = start(home, cache.path());
    Took::wall(begin.elapsed()).show(&format!("{name}: initialize, cold"));
    let sessions = loop {
        let sessions = client.call("turnlens/sessions", json!({ "all": true }));
        let sessions = sessions["sessions"].as_array().map_or(0, Vec::len);
        if sessions > 0 {
            break sessions;
        }
    };
    Took::wall(begin.elapsed()).show(&format!("{name}: first list, of {sessions} sessions, cold"));
    let (mut worst, mut asked) = (Duration::ZERO, 0);
    loop {
        let asks = Instant::now();
        let is_read = client.call("turnlens/status", json!({}))["reading"].is_null();
        if is_read {
            break;
        }
        worst = worst.max(asks.elapsed());
        asked += 1;
        thread::sleep(Duration::from_millis(2));
    }
    Took::wall(worst).show(&format!("{name}: the worst of {asked} requests while reading"));
    let all =
        Took { wall: begin.elapsed(), cpu: cpu_of(client.process_id()), memory: most_memory(client.process_id()) };
    all.show(&format!("{name}: server with all of it read"));
    // Filters for searches and the cache are made when all is read.
    let mut before = cpu_of(client.process_id());
    loop {
        thread::sleep(Duration::from_secs(1));
        let now = cpu_of(client.process_id());
        if std::mem::replace(&mut before, now) == now {
            break;
        }
    }
    thread::sleep(IDLE);
    let idle = cpu_of(client.process_id()).and_then(|now| now.checked_sub(before?));
    Took { wall: IDLE, cpu: idle, memory: None }.show(&format!("{name}: server that nobody asks"));
    leave(client);

    let begin = Instant::now();
    let mut client = start(home, cache.path());
    wait_until_read(&mut client);
    let again = Took { wall: begin.elapsed(), cpu: cpu_of(client.process_id()), memory: None };
    again.show(&format!("{name}: server anew, all of it known"));
    leave(client);

    let Some(largest) = largest_log(&home.join(".claude/projects")) else { return };
    let megabytes = largest.metadata().map_or(0, |meta| meta.len() >> 20);
    let open = |what: &str, is_cold: bool| {
        let took = best(RUNS, || {
            if is_cold {
                empty(cache.path());
            }
            let (took, client) = open_first_page(home, cache.path(), &largest);
            leave(client);
            took
        });
        took.show(&format!("{name}: first page of {megabytes} MB, {what}"));
    };
    open("server cold", true);
    let mut client = start(home, cache.path());
    wait_until_read(&mut client);
    let begin = Instant::now();
    content(&mut client, &largest, Part::Session).expect("a page");
    Took::wall(begin.elapsed()).show(&format!("{name}: first page of {megabytes} MB, first asked"));
    let begin = Instant::now();
    content(&mut client, &largest, Part::Outline).expect("an outline");
    Took::wall(begin.elapsed()).show(&format!("{name}: its outline"));
    leave(client);
    open("server anew", false);
}

/// From the start of the server until the page's text is there.
fn open_first_page(home: &Path, cache: &Path, log: &Path) -> (Took, Client) {
    let begin = Instant::now();
    let mut client = start(home, cache);
    while content(&mut client, log, Part::Session).is_none() {
        assert!(begin.elapsed() < HANG, "no page came");
    }
    (Took::wall(begin.elapsed()), client)
}

/// The text of a document of the session in this log. `None`: it is still being read.
fn content(client: &mut Client, log: &Path, part: Part) -> Option<String> {
    let session = log.file_stem().expect("a name").to_string_lossy();
    let id = DocumentId::Trace { agent: Agent::ClaudeCode, session: lens::session_key(&session), part };
    let text = client.call("turnlens/textDocumentContent", json!({ "uri": id.uri("session") }))["text"].take();
    let text = text.as_str().expect("a text").to_owned();
    (!text.starts_with("Still reading")).then_some(text)
}

fn start(home: &Path, cache: &Path) -> Client {
    let start = Start::default()
        .env("HOME", home)
        .env("USERPROFILE", home)
        .env("XDG_CACHE_HOME", cache)
        .env("CLAUDE_CONFIG_DIR", home.join(".claude"))
        .env("CODEX_HOME", home.join(".codex"));
    start.initialize(json!({
        "processId": null,
        "initializationOptions": { "virtualDocuments": true },
        "capabilities": {},
    }))
}

fn leave(mut client: Client) {
    client.take_unclaimed();
}

fn wait_until_read(client: &mut Client) {
    let begin = Instant::now();
    while !client.call("turnlens/status", json!({}))["reading"].is_null() {
        assert!(begin.elapsed() < HANG, "the logs are not read");
        thread::sleep(Duration::from_millis(1));
    }
}

fn env_of(home: &Path) -> Env {
    Env { home: Some(home.to_owned()), ..Env::default() }
}

fn in_home(command: &mut Command, home: &Path, cache: &Path) {
    command.env("HOME", home).env("USERPROFILE", home).env("XDG_CACHE_HOME", cache);
    command.env_remove("CLAUDE_CONFIG_DIR").env_remove("CODEX_HOME");
}

fn empty(folder: &Path) {
    for entry in fs::read_dir(folder).expect("the cache").flatten() {
        fs::remove_dir_all(entry.path()).expect("the cache is ours");
    }
}

fn largest_log(folder: &Path) -> Option<PathBuf> {
    let projects = fs::read_dir(folder).ok()?.flatten();
    let logs = projects.filter_map(|project| fs::read_dir(project.path()).ok()).flatten().flatten();
    let logs = logs.filter(|log| log.path().extension().is_some_and(|extension| extension == "jsonl"));
    logs.max_by_key(|log| log.metadata().map_or(0, |meta| meta.len())).map(|log| log.path())
}

fn peers(data: &Data, one: &[String], many: &[String]) {
    let is_there = |program: &str| Command::new(program).arg("--version").output().is_ok();
    let run = |what: &str, home: &Path, command: &mut Command| {
        let (begin, cpu) = (Instant::now(), cpu_of_children());
        in_home(command, home, &home.join(".cache"));
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        let cpu = cpu.and_then(|before| cpu_of_children()?.checked_sub(before));
        match status {
            Ok(status) if status.success() => Took { wall: begin.elapsed(), cpu, memory: None }.show(what),
            _ => println!("{what:58} failed"),
        }
    };
    if is_there("path") {
        for name in one {
            let home = data.home(name);
            let repository = data.folder.join(name).join("repo");
            let Some(log) = largest_log(&home.join(".claude/projects")) else { continue };
            let session = log.file_stem().expect("a name").to_owned();
            let mut derive = Command::new("path");
            derive.args(["p", "derive", "claude", "--project"]).arg(repository).arg("--session").arg(session);
            run(&format!("{name}: Toolpath, path p derive claude"), &home, &mut derive);
        }
    } else {
        println!("Toolpath's path is not there");
    }
    if is_there("codbash") {
        for name in many {
            let home = data.home(name);
            // What it keeps of an earlier run.
            _ = fs::remove_dir_all(home.join(".codedash"));
            run(&format!("{name}: codbash list, cold"), &home, Command::new("codbash").arg("list"));
            run(&format!("{name}: codbash list, again"), &home, Command::new("codbash").arg("list"));
            _ = fs::remove_dir_all(home.join(".codedash"));
        }
    } else {
        println!("codbash is not there");
    }
}

fn since(before: Option<Duration>) -> Option<Duration> {
    cpu_of_this_process()?.checked_sub(before?)
}

#[cfg(unix)]
fn cpu_by(who: nix::sys::resource::UsageWho) -> Option<Duration> {
    let usage = nix::sys::resource::getrusage(who).ok()?;
    let time = |time: nix::sys::time::TimeVal| {
        Duration::new(time.tv_sec().unsigned_abs(), u32::try_from(time.tv_usec() * 1_000).unwrap_or(0))
    };
    Some(time(usage.user_time()) + time(usage.system_time()))
}

fn cpu_of_this_process() -> Option<Duration> {
    #[cfg(unix)]
    return cpu_by(nix::sys::resource::UsageWho::RUSAGE_SELF);
    #[cfg(not(unix))]
    None
}

fn cpu_of_children() -> Option<Duration> {
    #[cfg(unix)]
    return cpu_by(nix::sys::resource::UsageWho::RUSAGE_CHILDREN);
    #[cfg(not(unix))]
    None
}

/// The most memory that a process has had, where the system tells.
fn most_memory(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
}

/// What a process has taken of the processor, where the system tells; in hundredths of a second.
fn cpu_of(process: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks: u64 = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}
