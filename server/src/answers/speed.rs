//! How fast this server answers, what it takes of the machine, and how much of the open code it can tell of.

use std::time::Duration;

use serde_json::{Value, json};
use trace::Evidence;

use crate::cli::out::{Paint, Table, plain};
use crate::engine::Engine;
use crate::text::Documents;
use crate::timings::{Timing, Timings};

const ALL_EVIDENCE: [Evidence; 6] = [
    Evidence::Recorded,
    Evidence::Carried,
    Evidence::Reformatted,
    Evidence::Moved,
    Evidence::Inferred,
    Evidence::Imported,
];
const UNKNOWN: &str = "unknown";

pub(crate) struct Speed {
    /// Until every log had been read once. `None`: they are being read.
    reading: Option<Duration>,
    /// Read so far, in bytes, and the records in all logs.
    bytes: u64,
    records: u64,
    /// Bytes of this process in memory. `None`: this system does not tell.
    memory: Option<u64>,
    requests: Vec<Timing>,
    /// Open files, and how many of their lines are told on which evidence.
    files: usize,
    lines: Vec<(&'static str, u64)>,
}

impl Speed {
    pub(crate) fn of(engine: &Engine, documents: &Documents, timings: &Timings) -> Speed {
        let counted = engine.workspace.index().counted();
        let (files, lines) = lines_by_evidence(engine, documents);
        Speed {
            reading: timings.reading(),
            bytes: counted.bytes,
            records: engine.workspace.moment().logs().summaries().map(|log| u64::from(log.tally.records)).sum(),
            memory: memory_stats::memory_stats().map(|memory| memory.physical_mem as u64),
            requests: timings.all(),
            files,
            lines,
        }
    }

    pub(crate) fn text(&self, paint: Paint) -> String {
        let mut table = Table::default();
        table.push(vec![plain("logs"), plain(self.reading_in_words())]);
        let memory = self.memory.map_or("this system does not tell".to_owned(), |bytes| format!("{} MB", bytes >> 20));
        table.push(vec![plain("memory"), plain(memory)]);
        let mut text = format!("{}\n{}", paint.bold("Reading"), table.print(2, 2));
        if !self.requests.is_empty() {
            text.push_str(&format!("\n{}\n{}", paint.bold("Answers, in milliseconds"), self.requests_in_a_table()));
        }
        let total: u64 = self.lines.iter().map(|(_, lines)| lines).sum();
        if total > 0 {
            let files = lens::count(self.files as u64, "open file");
            let head = format!("Lines of {files}, {} in all", lens::thousands(total));
            let mut table = Table::default();
            for (evidence, lines) in self.lines.iter().filter(|(_, lines)| *lines > 0) {
                let share = format!("{:.1} %", *lines as f64 * 100.0 / total as f64);
                table.push(vec![plain(*evidence), plain(right(&share, 7)), plain(right(&lens::thousands(*lines), 9))]);
            }
            text.push_str(&format!("\n{}\n{}", paint.bold(&head), table.print(2, 2)));
        }
        text
    }

    fn reading_in_words(&self) -> String {
        let (bytes, records) = (self.bytes as f64 / 1e6, lens::thousands(self.records));
        let Some(took) = self.reading.map(|took| took.as_secs_f64()) else {
            return format!("still being read: {bytes:.1} MB, {records} records so far");
        };
        let a_second = lens::thousands((self.records as f64 / took.max(1e-6)) as u64);
        format!("{bytes:.1} MB, {records} records in {took:.3} s: {a_second} records a second")
    }

    fn requests_in_a_table(&self) -> String {
        const WIDTH: usize = 9;
        let row = |cells: [String; 4]| cells.map(|cell| plain(right(&cell, WIDTH)));
        let mut table = Table::default();
        let head = row(["asked".into(), "half".into(), "99 in 100".into(), "longest".into()]);
        table.push([plain(" ")].into_iter().chain(head).collect());
        for timing in &self.requests {
            let [half, most, longest] = [timing.half, timing.most, timing.longest].map(milliseconds);
            let name = plain(lens::one_line(&timing.kind));
            table.push([name].into_iter().chain(row([lens::thousands(timing.count), half, most, longest])).collect());
        }
        table.print(2, 2)
    }

    /// The fields that `turnlens/status` has for who asks for timings.
    pub(crate) fn json(&self) -> Value {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let request = |timing: &Timing| {
            json!({
                "method": &*timing.kind, "count": timing.count,
                "p50": ms(timing.half), "p99": ms(timing.most), "max": ms(timing.longest),
            })
        };
        let lines: serde_json::Map<String, Value> =
            self.lines.iter().map(|(evidence, lines)| ((*evidence).to_owned(), json!(lines))).collect();
        json!({
            "read": { "bytes": self.bytes, "records": self.records, "seconds": self.reading.map(|took| took.as_secs_f64()) },
            "memory": self.memory,
            "requests": self.requests.iter().map(request).collect::<Vec<_>>(),
            "files": self.files,
            "lines": lines,
        })
    }
}

fn lines_by_evidence(engine: &Engine, documents: &Documents) -> (usize, Vec<(&'static str, u64)>) {
    let moment = engine.workspace.moment();
    let mut counts = [0; ALL_EVIDENCE.len()];
    let (mut files, mut unknown) = (0, 0);
    for (key, document) in documents.all() {
        let Some(path) = key.file_path() else { continue };
        files += 1;
        for line in &engine.view_of(&moment, &key, &path, &document).blame.lines {
            let evidence = line.and_then(|line| ALL_EVIDENCE.iter().position(|known| *known == line.evidence));
            match evidence.and_then(|at| counts.get_mut(at)) {
                Some(count) => *count += 1,
                None => unknown += 1,
            }
        }
    }
    let told = ALL_EVIDENCE.iter().map(|evidence| evidence.id()).zip(counts);
    (files, told.chain([(UNKNOWN, unknown)]).collect())
}

fn right(text: &str, width: usize) -> String {
    format!("{text:>width$}")
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e3)
}
