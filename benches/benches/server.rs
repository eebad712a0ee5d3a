//! What a person waits for, over stdio: `cargo bench -p benches --bench server`. `-- --quick` for a short look.
//!
//! A repository with one file of 5,000 lines that a session changed in 200 steps, and the real server.

use std::env;
use std::thread;
use std::time::{Duration, Instant};

use benches::{Place, Story};
use serde_json::{Value, json};
use tests::lsp::{Client, HANG, Start, binary};

fn main() {
    // `cargo bench` hands on what it was asked to filter by; there is one scene here.
    let is_quick = env::args().any(|argument| argument == "--quick");
    let (starts, rounds) = if is_quick { (2, 5) } else { (20, 200) };
    // Built before anything is measured.
    binary();
    let story = Story::new(5_000, 200);
    let place = Place::new(&story, 500).expect("writing a repository and a log");
    let scene = Scene::new(&story, &place);
    let mut table = Table::default();
    for _ in 0..starts {
        let mut client = scene.start(&mut table);
        scene.open(&mut client, &mut table);
        client.take_unclaimed();
    }
    let mut client = scene.start(&mut Table::default());
    scene.open(&mut client, &mut Table::default());
    for round in 0..rounds {
        scene.ask(&mut client, round, &mut table);
        client.take_unclaimed();
    }
    table.show();
}

struct Scene<'a> {
    place: &'a Place,
    text: String,
    uri: String,
    /// Lines, from 0, that the session wrote.
    written: Vec<usize>,
}

impl Scene<'_> {
    fn new<'a>(story: &Story, place: &'a Place) -> Scene<'a> {
        let text = story.text();
        let is_written = |line: &str| line.trim_start().starts_with("state.fast(");
        let written = text.lines().enumerate().filter(|(_, line)| is_written(line)).map(|(at, _)| at).collect();
        Scene { place, uri: uri(&place.file().to_string_lossy()), text, written }
    }

    fn start(&self, table: &mut Table) -> Client {
        let begin = Instant::now();
        let home = self.place.home();
        let params = json!({
            "processId": null,
            "rootUri": uri(&self.place.repo.to_string_lossy()),
            "initializationOptions": { "virtualDocuments": true },
            "capabilities": { "textDocument": { "hover": { "contentFormat": ["markdown"] } } },
        });
        let start = Start::default().env("HOME", &home).env("USERPROFILE", &home);
        let client = start.env("CLAUDE_CONFIG_DIR", home.join(".claude")).initialize(params);
        table.took("start and initialize", begin);
        client
    }

    /// Opens the file and asks for its lenses until there are some.
    fn open(&self, client: &mut Client, table: &mut Table) {
        let begin = Instant::now();
        let document = json!({ "uri": self.uri, "languageId": "rust", "version": 0, "text": self.text });
        client.notify("textDocument/didOpen", json!({ "textDocument": document }));
        while is_empty(&self.lenses(client)) {
            assert!(begin.elapsed() < HANG, "no lens came");
            thread::sleep(Duration::from_millis(1));
        }
        table.took("first lens", begin);
    }

    fn ask(&self, client: &mut Client, round: usize, table: &mut Table) {
        let line = self.written[round * 31 % self.written.len()];
        let at = json!({ "textDocument": { "uri": self.uri }, "position": { "line": line, "character": 0 } });

        // A notification has no answer: that of a question behind it tells when it was taken.
        let begin = Instant::now();
        client.call("turnlens/test/counts", Value::Null);
        table.took("a question and its answer", begin);

        let begin = Instant::now();
        self.type_blank_line(client, round);
        client.call("turnlens/test/counts", Value::Null);
        table.took("didChange", begin);

        let begin = Instant::now();
        self.lenses(client);
        table.took("codeLens after didChange", begin);

        let begin = Instant::now();
        let hover = client.call("textDocument/hover", at.clone());
        table.took("hover", begin);
        assert!(!hover.is_null(), "nothing is known of line {line}");

        let begin = Instant::now();
        let target = client.call("turnlens/line", at.clone());
        table.took("turnlens/line", begin);

        let begin = Instant::now();
        let place = client.call("textDocument/definition", at);
        table.took("definition", begin);

        let turn =
            place["uri"].as_str().or(target["origin"]["document"]["uri"].as_str()).expect("the turn of the line");
        let begin = Instant::now();
        let content = client.call("turnlens/textDocumentContent", json!({ "uri": turn }));
        table.took("turn document", begin);
        assert!(content["text"].as_str().is_some_and(|text| !text.is_empty()), "the turn has no text");

        let lenses = client.call("textDocument/codeLens", json!({ "textDocument": { "uri": turn } }));
        if let Some(lens) = lenses.get(0) {
            let begin = Instant::now();
            client.call("codeLens/resolve", lens.clone());
            table.took("codeLens/resolve in the turn", begin);
        }
    }

    fn lenses(&self, client: &mut Client) -> Value {
        client.call("textDocument/codeLens", json!({ "textDocument": { "uri": self.uri } }))
    }

    /// A blank line at the file's end, so that all others keep their places.
    fn type_blank_line(&self, client: &mut Client, round: usize) {
        let end = json!({ "line": self.text.lines().count(), "character": 0 });
        let change = json!({ "range": { "start": end, "end": end }, "text": "\n" });
        let document = json!({ "uri": self.uri, "version": round + 1 });
        client.notify("textDocument/didChange", json!({ "textDocument": document, "contentChanges": [change] }));
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_none_or(Vec::is_empty)
}

/// Temporary folders have no characters that need to be escaped, but for separators.
fn uri(path: &str) -> String {
    let path = path.trim_start_matches(r"\\?\").replace('\\', "/");
    format!("file:///{}", path.trim_start_matches('/'))
}

/// Durations by what took them, in the order of appearance.
#[derive(Default)]
struct Table(Vec<(&'static str, Vec<Duration>)>);

impl Table {
    fn took(&mut self, what: &'static str, begin: Instant) {
        let took = begin.elapsed();
        match self.0.iter_mut().find(|(known, _)| *known == what) {
            Some((_, all)) => all.push(took),
            None => self.0.push((what, vec![took])),
        }
    }

    #[expect(clippy::print_stdout, reason = "the report of a bench")]
    fn show(&mut self) {
        println!("{:32} {:>6} {:>12} {:>12}", "", "times", "p50", "p99");
        for (what, all) in &mut self.0 {
            all.sort();
            let of = |percent: usize| all[(all.len() * percent / 100).min(all.len() - 1)].as_secs_f64() * 1e3;
            println!("{what:32} {:>6} {:>9.2} ms {:>9.2} ms", all.len(), of(50), of(99));
        }
    }
}
