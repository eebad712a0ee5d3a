//! The whole of a message, or of a part of it.

use trace::Content;

use super::record::{Message, with_message};
use super::scan::{Heard, heard};
use super::{PART_CALLS, PART_THOUGHTS, tools};
use crate::json;

/// What the message in `bytes` says at `part`. `None`: it cannot be understood.
pub(super) fn content(bytes: &[u8], part: u16) -> Option<Content> {
    with_message(&String::from_utf8_lossy(bytes), |message| of_message(message, part))
}

/// The same with the message itself.
pub(super) fn whole(bytes: &[u8], part: u16) -> Option<Content> {
    Some(Content { record: json::pretty(&String::from_utf8_lossy(bytes)), ..content(bytes, part)? })
}

fn of_message(message: &Message<'_>, part: u16) -> Content {
    match part {
        0 => text(&said(message)),
        part if part < PART_CALLS => {
            let index = usize::from(part - PART_THOUGHTS);
            text(&message.thoughts.objects().nth(index).map(|thought| thought.text()).unwrap_or_default())
        }
        part => {
            let (index, is_result) = (usize::from((part - PART_CALLS) / 2), (part - PART_CALLS) % 2 == 1);
            let Some(call) = message.tool_calls.objects().nth(index) else { return Content::default() };
            if is_result { tools::result_content(call) } else { tools::call_content(call) }
        }
    }
}

fn said(message: &Message<'_>) -> String {
    let (text, _) = message.said();
    match heard(&text) {
        Heard::Prompt(prompt) if message.kind.is("user") => prompt.to_owned(),
        _ => text,
    }
}

fn text(text: &str) -> Content {
    Content { text: text.to_owned(), ..Content::default() }
}
