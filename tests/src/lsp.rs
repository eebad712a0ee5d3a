//! A language client for tests: it drives the real server over stdio and accounts for every message.

use std::collections::{HashMap, VecDeque};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::conform::Conformance;

/// Long enough for any machine; only a hang takes longer.
pub const HANG: Duration = Duration::from_secs(60);

/// The `turnlens` binary of this build, or the one that `TURNLENS_BIN` names.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<Option<PathBuf>> = OnceLock::new();
    let binary = BINARY.get_or_init(|| env::var_os("TURNLENS_BIN").map_or_else(build, |path| Some(path.into())));
    binary.as_ref().expect("turnlens does not build")
}

/// Tests of one package cannot ask cargo for the binary of another, so it is built here; where it is fresh that is a
/// matter of a moment.
fn build() -> Option<PathBuf> {
    let test = env::current_exe().expect("the path of the test");
    let profile_folder = test.parent().and_then(Path::parent).expect("target/PROFILE/deps");
    let profile = match profile_folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let status = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()))
        .args(["build", "--quiet", "--package", "turnlens", "--profile", profile, "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml"))
        .arg("--target-dir")
        .arg(profile_folder.parent().expect("target"))
        .stdin(Stdio::null())
        .status()
        .expect("cargo runs");
    status.success().then(|| profile_folder.join(format!("turnlens{}", env::consts::EXE_SUFFIX)))
}

/// How a server is started.
pub struct Start {
    /// A program, with its first arguments, that becomes the server; none: the server itself.
    wrapper: Vec<OsString>,
    args: Vec<OsString>,
    envs: HashMap<OsString, OsString>,
    closed_stderr: bool,
}

impl Default for Start {
    fn default() -> Start {
        let envs = HashMap::from([("TURNLENS_TEST_METHODS".into(), "1".into())]);
        Start { wrapper: Vec::new(), args: vec!["lsp".into()], envs, closed_stderr: false }
    }
}

impl Start {
    pub fn arg(mut self, arg: impl Into<OsString>) -> Start {
        self.args.push(arg.into());
        self
    }

    pub fn env(mut self, key: &str, value: impl Into<OsString>) -> Start {
        self.envs.insert(key.into(), value.into());
        self
    }

    /// Runs the server below a shell that does `before` first.
    pub fn after(mut self, wrapper: &[&str], before: &str) -> Start {
        self.wrapper = wrapper.iter().copied().chain(["sh", "-c"]).map(OsString::from).collect();
        self.wrapper.extend([format!("{before}; exec \"$@\"").into(), "sh".into()]);
        self
    }

    /// Writing to stderr fails.
    pub fn closed_stderr(mut self) -> Start {
        self.closed_stderr = true;
        self
    }

    /// Starts the process; nothing is sent yet. It sees an empty home, not the one of whoever runs the tests.
    pub fn spawn(self) -> Client {
        let home = TempDir::new().expect("a folder");
        let mut command = match self.wrapper.split_first() {
            None => Command::new(binary()),
            Some((program, args)) => {
                let mut command = Command::new(program);
                command.args(args).arg(binary());
                command
            }
        };
        command.args(&self.args).envs(&self.envs);
        for key in ["HOME", "USERPROFILE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "CLAUDE_CONFIG_DIR", "CODEX_HOME"] {
            if !self.envs.contains_key(&OsString::from(key)) {
                command.env(key, home.path());
            }
        }
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().expect("turnlens starts");
        let mut stderr = child.stderr.take().filter(|_| !self.closed_stderr);
        let log = thread::spawn(move || {
            let mut log = String::new();
            // What is not UTF-8 ends the log; it is only shown when a test fails.
            _ = stderr.as_mut().map(|stderr| stderr.read_to_string(&mut log));
            log
        });
        let stdout = child.stdout.take().expect("stdout");
        let (sender, inbox) = mpsc::channel();
        thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            while let Some(message) = read_frame(&mut stdout).transpose() {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        Client {
            stdin: child.stdin.take(),
            child,
            inbox,
            last_id: 0,
            unanswered: HashMap::new(),
            conformance: Conformance::default(),
            stash: VecDeque::new(),
            broken: false,
            careless: false,
            log: Some(log),
            _home: home,
        }
    }

    /// Starts the server and initializes it.
    pub fn initialize(self, params: Value) -> Client {
        let mut client = self.spawn();
        client.call("initialize", params);
        client.notify("initialized", json!({}));
        client
    }
}

/// Reads one frame, as strictly as the protocol says; `None` at the end.
fn read_frame(stdout: &mut impl BufRead) -> io::Result<Option<Value>> {
    let bad = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    let mut header = String::new();
    if stdout.read_line(&mut header)? == 0 {
        return Ok(None);
    }
    let length = header.strip_prefix("Content-Length: ").and_then(|rest| rest.strip_suffix("\r\n"));
    let length = length.and_then(|length| length.parse().ok()).ok_or_else(|| bad(format!("header {header:?}")))?;
    let mut blank = [0; 2];
    stdout.read_exact(&mut blank)?;
    if &blank != b"\r\n" {
        return Err(bad(format!("{blank:?} after the header")));
    }
    let mut body = vec![0; length];
    stdout.read_exact(&mut body)?;
    let message: Value = serde_json::from_slice(&body)?;
    if message["jsonrpc"] != "2.0" {
        return Err(bad(format!("no message: {message}")));
    }
    Ok(Some(message))
}

/// The client's side of a session. Dropping it ends the session in good order and fails if a request has no answer or
/// a message of the server was not looked at.
pub struct Client {
    child: Child,
    stdin: Option<ChildStdin>,
    inbox: Receiver<io::Result<Value>>,
    last_id: i64,
    /// What was asked, by id.
    unanswered: HashMap<String, Asked>,
    /// What this client takes.
    conformance: Conformance,
    /// Messages that came while another was waited for.
    stash: VecDeque<Value>,
    /// The session ended, or the test ends it in its own way.
    broken: bool,
    /// What the server says of its own accord is nobody's concern in this test.
    careless: bool,
    /// Ends with the process, with what it wrote to stderr.
    log: Option<JoinHandle<String>>,
    _home: TempDir,
}

impl Client {
    /// An initialized session with a client that offers nothing.
    pub fn start() -> Client {
        Start::default().initialize(json!({ "capabilities": {} }))
    }

    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// A figure of the server's memory in bytes, as Linux tells it: `VmRSS` now, `VmHWM` at its highest.
    pub fn memory(&self, figure: &str) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process_id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(':'))?;
        Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
    }

    /// How many files and the like the server has open, where the system tells.
    pub fn descriptors(&self) -> Option<usize> {
        Some(fs::read_dir(format!("/proc/{}/fd", self.process_id())).ok()?.count())
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        stdin.write_all(bytes).and_then(|()| stdin.flush()).expect("the server reads");
    }

    /// A body in a frame as the protocol wants it.
    pub fn send_body(&mut self, body: &[u8]) {
        self.send_bytes(&frame(body));
    }

    pub fn send(&mut self, message: &Value) {
        if message.get("method").is_some()
            && let Some(id) = message.get("id").filter(|id| id.is_i64() || id.is_string())
        {
            let method = message["method"].as_str().unwrap_or_default().to_owned();
            let params = if method == "initialize" { message["params"].clone() } else { Value::Null };
            self.unanswered.insert(id.to_string(), Asked { method, params });
        }
        self.send_body(message.to_string().as_bytes());
    }

    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Sends a request and gives its id; the answer is fetched by [`Client::answer`].
    pub fn request(&mut self, method: &str, params: Value) -> i64 {
        let id = self.next_id();
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        id
    }

    /// An id that was not used yet.
    pub fn next_id(&mut self) -> i64 {
        self.last_id += 1;
        self.last_id
    }

    /// Takes note of a request that was sent as bytes.
    pub fn expect_answer(&mut self, id: i64) {
        self.unanswered.insert(id.to_string(), Asked::default());
    }

    /// Waits for the answer to a request of ours.
    pub fn answer(&mut self, id: impl Into<Value>) -> Result<Value, ServerError> {
        let id = id.into();
        let reply = self.wait_for(&format!("the answer to {id}"), |message| {
            message.get("method").is_none() && message.get("id") == Some(&id)
        });
        outcome(reply)
    }

    /// Sends a request and waits for its result.
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        let id = self.request(method, params);
        self.answer(id).unwrap_or_else(|error| panic!("{method}: {error:?}"))
    }

    /// Sends a request and waits for its error.
    pub fn call_error(&mut self, method: &str, params: Value) -> ServerError {
        let id = self.request(method, params);
        match self.answer(id) {
            Err(error) => error,
            Ok(result) => panic!("{method} gave {result}"),
        }
    }

    /// Waits for the error that answers a message without a readable id.
    pub fn refusal(&mut self) -> ServerError {
        let reply = self.wait_for("a refusal", |message| message.get("id") == Some(&Value::Null));
        outcome(reply).expect_err("an error")
    }

    /// Waits for a request of the server.
    pub fn server_request(&mut self, method: &str) -> Value {
        self.wait_for(method, |message| message["method"] == method && message.get("id").is_some())
    }

    /// Waits for a notification of the server and gives its params.
    pub fn notification(&mut self, method: &str) -> Value {
        let message = self.wait_for(method, |message| message["method"] == method && message.get("id").is_none());
        message["params"].clone()
    }

    pub fn reply(&mut self, request: &Value, result: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }));
    }

    /// Takes the next message, whatever it is.
    pub fn next_message(&mut self) -> Value {
        self.wait_for("a message", |_| true)
    }

    /// What came and was not looked at, for tests of what must not come. Ask something first: whatever the server sent
    /// before its answer is here then.
    pub fn take_unclaimed(&mut self) -> Vec<Value> {
        self.stash.drain(..).collect()
    }

    /// From now on what nobody looked at may be left at the end.
    pub fn ignore_unclaimed(&mut self) {
        self.careless = true;
    }

    fn wait_for(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.stash.iter().position(&wanted) {
            return self.stash.remove(at).expect("it is there");
        }
        loop {
            let message = self.receive(what).unwrap_or_else(|| panic!("the server ended before {what}"));
            if wanted(&message) {
                return message;
            }
            self.stash.push_back(message);
        }
    }

    /// The next message from the wire; `None` at the end.
    fn receive(&mut self, what: &str) -> Option<Value> {
        match self.inbox.recv_timeout(HANG) {
            Ok(Ok(message)) => {
                self.judge(&message);
                Some(message)
            }
            Ok(Err(error)) => panic!("not a well-formed frame on stdout: {error}"),
            Err(RecvTimeoutError::Timeout) => panic!("no {what} within {HANG:?}; unclaimed: {:?}", self.stash),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    /// Fails on what is no LSP, and on what this client did not offer to take.
    fn judge(&mut self, message: &Value) {
        let wrong = if message.get("method").is_some() {
            self.conformance.message(message)
        } else if message["id"] == Value::Null {
            None
        } else {
            let asked = self.unanswered.remove(&message["id"].to_string());
            let asked = asked.unwrap_or_else(|| panic!("answered twice, or never asked: {message}"));
            if asked.method == "initialize" && message.get("result").is_some() {
                self.conformance = Conformance::new(&asked.params);
            }
            message.get("result").and_then(|result| self.conformance.result(&asked.method, result))
        };
        if let Some(wrong) = wrong {
            panic!("{wrong}");
        }
    }

    /// Closes the server's stdin.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Waits for the end of the process and gives its exit code, -1 for a signal. Answers that came last can still be
    /// asked for.
    pub fn wait_exit(&mut self) -> i32 {
        self.broken = true;
        let deadline = Instant::now() + HANG;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                while let Some(message) = self.receive("the end of stdout") {
                    self.stash.push_back(message);
                }
                return status.code().unwrap_or(-1);
            }
            assert!(Instant::now() < deadline, "the server did not leave within {HANG:?}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// `shutdown`, `exit`, and the accounts.
    fn finish(&mut self) {
        let id = self.request("shutdown", Value::Null);
        self.answer(id).expect("shut down");
        self.notify("exit", Value::Null);
        assert_eq!(self.wait_exit(), 0, "the exit code");
        assert!(self.unanswered.is_empty(), "never answered: {:?}", self.unanswered);
        // What comes whenever something changed belongs to no request.
        let unasked = |method: &str| method == "window/logMessage" || method.starts_with("turnlens/");
        self.stash.retain(|message| !message["method"].as_str().is_some_and(unasked));
        assert!(self.careless || self.stash.is_empty(), "not looked at: {:?}", self.stash);
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if thread::panicking() || self.broken {
            // Fails if the process is gone already, which is as good.
            _ = self.child.kill();
            _ = self.child.wait();
            if let Some(Ok(log)) = self.log.take().filter(|_| thread::panicking()).map(JoinHandle::join) {
                show(&log);
            }
        } else {
            self.finish();
        }
    }
}

#[expect(clippy::print_stderr, reason = "the server's log belongs to the report of a failed test")]
fn show(log: &str) {
    eprint!("{log}");
}

/// A request without an answer.
#[derive(Debug, Default)]
struct Asked {
    method: String,
    /// Of `initialize` only.
    params: Value,
}

#[derive(Debug, PartialEq, Eq)]
pub struct ServerError {
    pub code: i64,
    pub message: String,
}

fn outcome(reply: Value) -> Result<Value, ServerError> {
    match (reply.get("result"), reply.get("error")) {
        (Some(result), None) => Ok(result.clone()),
        (None, Some(error)) => Err(ServerError {
            code: error["code"].as_i64().expect("a code"),
            message: error["message"].as_str().expect("a message").to_owned(),
        }),
        _ => panic!("neither result nor error, or both: {reply}"),
    }
}

pub fn frame(body: &[u8]) -> Vec<u8> {
    [format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}
