//! Hovers, as Markdown and as plain text.

mod after;
mod code;
mod in_trace;

pub use code::{CodeHover, Doubt, HoverForm, code_hover};
pub use in_trace::trace_hover;

use crate::rendered::StepRef;
use crate::text::{code_span, escape_markdown, escape_markdown_line};

/// What a client shows of a hover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Markup {
    Markdown,
    Plain,
}

/// Where a link of a hover leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoverLink {
    Turn,
    /// The step's diff.
    Diff,
    /// The history of the line.
    History,
    /// Undo the turn.
    Undo,
    /// The code of a step as it is now.
    Code,
    /// before ↔ after
    BeforeAfter,
    /// before ↔ now
    BeforeNow,
}

/// Makes the addresses of links: `command:` links where the client runs them, files or documents elsewhere.
pub trait Links {
    /// `None`: this client has no such link; what it would lead to is left out.
    fn url(&self, link: HoverLink, session: &str, step: &StepRef) -> Option<String>;
}

/// For clients that cannot follow a link in a hover.
pub struct NoLinks;

impl Links for NoLinks {
    fn url(&self, _: HoverLink, _: &str, _: &StepRef) -> Option<String> {
        None
    }
}

impl Markup {
    fn bold(self, text: &str) -> String {
        match self {
            Markup::Markdown => format!("**{}**", escape_markdown(text)),
            Markup::Plain => text.to_owned(),
        }
    }

    fn text(self, text: &str) -> String {
        match self {
            Markup::Markdown => escape_markdown(text),
            Markup::Plain => text.to_owned(),
        }
    }

    /// As [`Markup::text`], at the start of a line.
    fn line(self, text: &str) -> String {
        match self {
            Markup::Markdown => escape_markdown_line(text),
            Markup::Plain => text.to_owned(),
        }
    }

    fn code(self, text: &str) -> String {
        match self {
            Markup::Markdown => code_span(text),
            Markup::Plain => text.to_owned(),
        }
    }

    /// A link; in plain text there is none.
    fn link(self, text: &str, url: Option<String>) -> Option<String> {
        let url = url.filter(|_| self == Markup::Markdown)?;
        Some(format!("[{}]({})", escape_markdown(text), address(&url)))
    }
}

/// An address that cannot end its link.
fn address(url: &str) -> String {
    let mut address = String::with_capacity(url.len());
    for c in url.chars() {
        match c {
            '(' => address.push_str("%28"),
            ')' => address.push_str("%29"),
            '<' => address.push_str("%3C"),
            '>' => address.push_str("%3E"),
            c if c.is_whitespace() => address.push_str("%20"),
            c => address.push(c),
        }
    }
    address
}
