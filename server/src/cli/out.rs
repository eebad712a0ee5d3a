//! What goes to the terminal.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::process::{Command, Stdio};

use anstyle::{AnsiColor, Effects, Style};
use anyhow::Context;

use super::{Color, Globals};

/// Says on stderr why a command failed. A stderr that is closed is nobody's problem.
pub(crate) fn complain(message: fmt::Arguments<'_>) {
    _ = writeln!(io::stderr().lock(), "turnlens: {}", cleaned(&message.to_string()));
}

/// Words of ours with names from elsewhere in them.
fn cleaned(message: &str) -> String {
    let lines: Vec<_> = message.split('\n').map(lens::clean).collect();
    lines.join("\n")
}

/// Prints one JSON value on a line.
pub(crate) fn json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    // Of thousands of sessions it is megabytes, and memory that is new takes longer than what is written into it.
    const BUFFER: usize = 64 << 10;
    let mut out = io::BufWriter::with_capacity(BUFFER, io::stdout().lock());
    let written = serde_json::to_writer(&mut out, value).map_err(io::Error::from);
    is_read(written.and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush())).map(|_| ())
}

/// Prints a text as it is. A reader that has left ends it quietly.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    print_bytes(text.as_bytes())
}

pub(crate) fn print_bytes(bytes: &[u8]) -> anyhow::Result<()> {
    print_while_read(bytes).map(|_| ())
}

/// The same; gives whether the reader is still there.
pub(super) fn print_while_read(bytes: &[u8]) -> anyhow::Result<bool> {
    let mut out = io::stdout().lock();
    is_read(out.write_all(bytes).and_then(|()| out.flush()))
}

/// Whether the reader of what was written is still there.
fn is_read(written: io::Result<()>) -> anyhow::Result<bool> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error).context("cannot write to standard output"),
    }
}

/// How a person is shown something.
pub(super) struct Out {
    pub(super) paint: Paint,
    pages: bool,
    quiet: bool,
    /// Columns of the terminal. `None`: the reader is none.
    pub(super) width: Option<usize>,
}

impl Out {
    pub(super) fn new(globals: &Globals) -> Out {
        let is_terminal = io::stdout().is_terminal();
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let is_off = |name: &str| set(name).is_some_and(|value| value == "0");
        let colors = match globals.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto if set("NO_COLOR").is_some() => false,
            Color::Auto if set("CLICOLOR_FORCE").is_some() && !is_off("CLICOLOR_FORCE") => true,
            Color::Auto => is_terminal && !is_off("CLICOLOR") && set("TERM").is_none_or(|term| term != "dumb"),
        };
        let width = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)).filter(|_| is_terminal);
        Out { paint: Paint(colors), pages: is_terminal && !globals.no_pager, quiet: globals.quiet, width }
    }

    /// Shows a text of any length: in a pager, where a person looks on.
    pub(super) fn show(&self, text: &str) -> anyhow::Result<()> {
        if self.pages && page(text).is_some() {
            return Ok(());
        }
        print(text)
    }

    /// Says something beside the answer.
    pub(super) fn note(&self, message: &str) {
        if !self.quiet {
            _ = writeln!(io::stderr().lock(), "{}", cleaned(message));
        }
    }

    /// A text cut to what is left of the terminal's width beside `used` columns.
    pub(super) fn fit(&self, text: &str, used: usize) -> String {
        const LEAST: usize = 12;
        match self.width {
            Some(width) if lens::columns(text) > width.saturating_sub(used).max(LEAST) => {
                lens::cut(text, width.saturating_sub(used).max(LEAST)).into_owned()
            }
            _ => text.to_owned(),
        }
    }
}

/// Hands a text to the pager that the person chose, as git does. `None`: there is none.
fn page(text: &str) -> Option<()> {
    let chosen = ["TURNLENS_PAGER", "PAGER"].into_iter().find_map(|name| std::env::var(name).ok());
    let pager = chosen.unwrap_or_else(|| "less".into());
    if pager.trim().is_empty() || pager.trim() == "cat" {
        return None;
    }
    let mut command = if cfg!(windows) { Command::new("cmd") } else { Command::new("sh") };
    command.args([if cfg!(windows) { "/C" } else { "-c" }, &pager]).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        command.env("LESS", "FRX");
    }
    if std::env::var_os("LV").is_none() {
        command.env("LV", "-c");
    }
    let mut child = command.spawn().ok()?;
    if let Some(mut input) = child.stdin.take() {
        // A person who leaves before the end has seen enough.
        _ = input.write_all(text.as_bytes());
    }
    let ended = child.wait().ok()?;
    // The shell's word for a program that is not there.
    (ended.code() != Some(127)).then_some(())
}

/// Colours, where they are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paint(bool);

impl Paint {
    pub(crate) const NONE: Paint = Paint(false);

    fn with(self, style: Style, text: &str) -> String {
        if self.0 && !text.is_empty() { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    fn colored(self, color: AnsiColor, text: &str) -> String {
        self.with(color.on_default(), text)
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.with(Style::new().effects(Effects::BOLD), text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.with(Style::new().effects(Effects::DIMMED), text)
    }

    /// What can be typed behind a command.
    pub(crate) fn address(self, text: &str) -> String {
        self.colored(AnsiColor::Yellow, text)
    }

    pub(super) fn agent(self, text: &str) -> String {
        self.colored(AnsiColor::Cyan, text)
    }

    pub(super) fn added(self, text: &str) -> String {
        self.colored(AnsiColor::Green, text)
    }

    pub(super) fn removed(self, text: &str) -> String {
        self.colored(AnsiColor::Red, text)
    }

    pub(super) fn hunk(self, text: &str) -> String {
        self.colored(AnsiColor::Cyan, text)
    }

    pub(super) fn found(self, text: &str) -> String {
        self.with(AnsiColor::Red.on_default().effects(Effects::BOLD), text)
    }

    /// A diff as git colours it.
    pub(super) fn diff(self, text: &str) -> String {
        if !self.0 {
            return text.to_owned();
        }
        let line = |line: &str| match line.as_bytes() {
            [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] | [b'd', ..] | [b'n', ..] => self.bold(line),
            [b'+', ..] => self.added(line),
            [b'-', ..] => self.removed(line),
            [b'@', ..] => self.hunk(line),
            _ => line.to_owned(),
        };
        text.split_inclusive('\n')
            .map(|whole| match whole.strip_suffix('\n') {
                Some(text) => line(text) + "\n",
                None => line(whole),
            })
            .collect()
    }

    /// `+18 −1`
    pub(super) fn plus_minus(self, added: u64, removed: u64) -> String {
        format!("{} {}", self.added(&format!("+{added}")), self.removed(&format!("−{removed}")))
    }
}

/// Rows of cells in columns. Cells are measured without their colours.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Vec<(String, String)>>,
}

impl Table {
    /// Cells as they are read, and as they are printed.
    pub(crate) fn push(&mut self, cells: Vec<(String, String)>) {
        self.rows.push(cells);
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// `gap` blanks between columns, `indent` before the first.
    pub(crate) fn print(&self, indent: usize, gap: usize) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width =
            |at: usize| self.rows.iter().filter_map(|row| Some(lens::columns(&row.get(at)?.0))).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = " ".repeat(indent);
            let mut blanks = 0;
            for ((plain, printed), width) in row.iter().zip(&widths) {
                // A column in which nothing stands takes no room.
                if *width == 0 {
                    continue;
                }
                if !plain.is_empty() {
                    line.push_str(&" ".repeat(blanks));
                    line.push_str(printed);
                    blanks = 0;
                }
                blanks += width - lens::columns(plain) + gap;
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// A cell that is printed as it is read.
pub(crate) fn plain(text: impl Into<String>) -> (String, String) {
    let text = text.into();
    (text.clone(), text)
}

/// A cell in colour.
pub(crate) fn painted(text: impl Into<String>, paint: impl FnOnce(&str) -> String) -> (String, String) {
    let text = text.into();
    let printed = paint(&text);
    (text, printed)
}
