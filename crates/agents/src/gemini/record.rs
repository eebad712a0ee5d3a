//! The shapes of Gemini CLI's logs, as far as they are read.
//!
//! A log is one document with all messages, written anew each time, or (newer) lines: the head, messages that are
//! repeated as they grow, and `$set` lines that change the head or replace the list of messages.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use trace::Timestamp;

use crate::ids;
use crate::json::{self, Flag, List, Num, Obj, Raw, Str, nothing};

/// What the log says of the whole session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) session: Option<String>,
    pub(super) project_hash: Option<String>,
    pub(super) started: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) folder: Option<String>,
}

/// A message as it stands in the log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot<'a> {
    pub(super) raw: &'a str,
    /// Offset of its first byte in the log.
    pub(super) at: usize,
    /// The message on which it was written, if that is not the one before it: the person went back.
    pub(super) after: After,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    TheOneBefore,
    Beginning,
    Message(usize),
}

/// A log as a whole, as far as it can be understood.
#[derive(Debug, Default)]
pub(super) struct Log<'a> {
    pub(super) head: Head,
    /// In the order in which they appeared, each in its last form.
    pub(super) messages: Vec<Slot<'a>>,
    /// Offsets of what is no record.
    pub(super) broken: Vec<u64>,
    by_id: HashMap<String, usize>,
    /// Messages that the person did not go back from.
    living: Vec<usize>,
}

impl<'a> Log<'a> {
    pub(super) fn of_document(text: &'a str) -> Log<'a> {
        let mut log = Log::default();
        let mut raws: Vec<Raw<'a>> = Vec::new();
        let mut reader = json::Parser::new(text);
        let document = Document { head: &mut log.head, messages: &mut raws };
        if reader.deserialize_any(document).is_err() && !text.trim().is_empty() {
            // Cut off, as a log is that is being written: its whole messages count.
            log.broken.push(raws.last().map_or(0, |raw| (offset(text, raw.get()) + raw.get().len()) as u64));
        }
        for raw in raws {
            log.message(text, raw.get());
        }
        log.broken.sort_unstable();
        log
    }

    pub(super) fn of_lines(text: &'a str) -> Log<'a> {
        let mut log = Log::default();
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            log.line(text, at, line);
            at += line.len();
        }
        log
    }

    fn line(&mut self, text: &'a str, at: usize, line: &'a str) {
        let is_whole = line.ends_with('\n');
        let mut rest = line;
        while !rest.trim().is_empty() {
            let Some((raw, len)) = json::first::<Raw<'a>>(rest) else {
                // A last line without an end may be half a line.
                if is_whole {
                    self.broken.push((at + line.len() - rest.len()) as u64);
                }
                return;
            };
            rest = &rest[len..];
            self.object(text, raw.get());
        }
    }

    fn object(&mut self, text: &'a str, raw: &'a str) {
        let Ok(line) = json::from_str::<Line<'_>>(raw) else {
            // Keys that are told twice: a message may be understood nevertheless.
            match with_message(raw, |message| message.id.filled().is_some()) {
                Some(true) => self.message(text, raw),
                _ => self.broken.push(offset(text, raw) as u64),
            }
            return;
        };
        if let Some(set) = line.set {
            let mut raws: Vec<Raw<'a>> = Vec::new();
            let mut reader = json::Parser::new(set.get());
            let is_list = set.get().contains("\"messages\"");
            // What cannot be understood of it changes nothing.
            let _ = reader.deserialize_any(Document { head: &mut self.head, messages: &mut raws });
            if is_list && !raws.is_empty() {
                self.living.clear();
                raws.iter().for_each(|raw| self.message(text, raw.get()));
            }
        } else if let Some(id) = line.rewind_to.filled() {
            let at = self.by_id.get(id).and_then(|index| self.living.iter().position(|living| living == index));
            self.living.truncate(at.unwrap_or(self.living.len()));
        } else if line.id.filled().is_some() {
            self.message(text, raw);
        } else {
            let mut none = Vec::new();
            let mut reader = json::Parser::new(raw);
            let _ = reader.deserialize_any(Document { head: &mut self.head, messages: &mut none });
            none.iter().for_each(|raw| self.message(text, raw.get()));
        }
    }

    /// Takes a message, or a later form of one. What cannot be understood is none.
    fn message(&mut self, text: &'a str, raw: &'a str) {
        let at = offset(text, raw);
        let Some(id) = with_message(raw, |message| message.id.filled().map(str::to_owned)) else {
            self.broken.push(at as u64);
            return;
        };
        let index = match id.as_ref().and_then(|id| self.by_id.get(id)).copied() {
            Some(known) => {
                (self.messages[known].raw, self.messages[known].at) = (raw, at);
                known
            }
            None => {
                let index = self.messages.len();
                let after = match self.living.last() {
                    Some(last) if *last + 1 == index => After::TheOneBefore,
                    Some(last) => After::Message(*last),
                    None if index == 0 => After::TheOneBefore,
                    None => After::Beginning,
                };
                self.messages.push(Slot { raw, at, after });
                if let Some(id) = id {
                    self.by_id.insert(id, index);
                }
                index
            }
        };
        if !self.living.contains(&index) {
            self.living.push(index);
        }
    }
}

/// Where a part of a text begins in it.
fn offset(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

/// Hands a message to `read`; of keys that are told twice the last one counts. `None`: it cannot be understood.
pub(super) fn with_message<T>(raw: &str, read: impl FnOnce(&Message<'_>) -> T) -> Option<T> {
    // A list of fields without their names would fit as well.
    if !raw.starts_with('{') {
        return None;
    }
    if let Ok(message) = json::from_str::<Message<'_>>(raw) {
        return Some(read(&message));
    }
    let object = json::from_str::<serde_json::Value>(raw).ok()?;
    json::from_str::<Message<'_>>(&object.to_string()).ok().map(|message| read(&message))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Line<'a> {
    #[serde(borrow, rename = "$set")]
    set: Option<Raw<'a>>,
    #[serde(borrow, rename = "$rewindTo")]
    rewind_to: Str<'a>,
    #[serde(borrow)]
    id: Str<'a>,
}

/// Fills the head and the list of messages; what was read before an error stays.
struct Document<'h, 'a> {
    head: &'h mut Head,
    messages: &'h mut Vec<Raw<'a>>,
}

impl<'de: 'a, 'a> Visitor<'de> for Document<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a session")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            let field = match &*key {
                "sessionId" => &mut self.head.session,
                "projectHash" => &mut self.head.project_hash,
                "startTime" => &mut self.head.started,
                "summary" => &mut self.head.summary,
                "directories" => {
                    let raw: Raw<'_> = map.next_value()?;
                    let folders: Vec<Str<'_>> = json::read(Some(raw));
                    self.head.folder = folders.first().and_then(Str::filled).map(str::to_owned);
                    continue;
                }
                "messages" => {
                    map.next_value_seed(Messages(self.messages))?;
                    continue;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            let told = map.next_value::<Str<'_>>()?;
            *field = told.filled().map(str::to_owned).or(field.take());
        }
        Ok(())
    }
}

struct Messages<'h, 'a>(&'h mut Vec<Raw<'a>>);

impl<'de: 'a, 'a> DeserializeSeed<'de> for Messages<'_, 'a> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Messages<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("messages")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(raw) = seq.next_element::<Raw<'de>>()? {
            self.0.push(raw);
        }
        Ok(())
    }

    nothing!((); bool numbers str unit map);
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) id: Str<'a>,
    #[serde(borrow)]
    timestamp: Str<'a>,
    #[serde(borrow, rename = "type")]
    pub(super) kind: Str<'a>,
    #[serde(borrow)]
    content: Option<Raw<'a>>,
    /// What the person typed, where `content` holds more.
    #[serde(borrow)]
    display_content: Option<Raw<'a>>,
    #[serde(borrow)]
    parts: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) model: Str<'a>,
    pub(super) tokens: Obj<TokenCounts>,
    #[serde(borrow)]
    pub(super) thoughts: List<Thought<'a>>,
    #[serde(borrow)]
    pub(super) tool_calls: List<ToolCall<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct TokenCounts {
    pub(super) input: Num,
    pub(super) output: Num,
    pub(super) cached: Num,
    pub(super) thoughts: Num,
    pub(super) tool: Num,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Thought<'a> {
    #[serde(borrow)]
    subject: Str<'a>,
    #[serde(borrow)]
    description: Str<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ToolCall<'a> {
    #[serde(borrow)]
    pub(super) id: Str<'a>,
    #[serde(borrow)]
    pub(super) name: Str<'a>,
    #[serde(borrow)]
    pub(super) args: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) result: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) status: Str<'a>,
    #[serde(borrow)]
    timestamp: Str<'a>,
    #[serde(borrow)]
    pub(super) result_display: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) description: Str<'a>,
    #[serde(borrow)]
    pub(super) agent_id: Str<'a>,
}

/// The arguments of any tool that is looked into.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Args<'a> {
    #[serde(borrow)]
    pub(super) file_path: Str<'a>,
    #[serde(borrow)]
    pub(super) absolute_path: Str<'a>,
    #[serde(borrow)]
    pub(super) dir_path: Str<'a>,
    #[serde(borrow)]
    pub(super) path: Str<'a>,
    /// Of commands in old versions.
    #[serde(borrow)]
    pub(super) directory: Str<'a>,
    #[serde(borrow)]
    pub(super) command: Str<'a>,
    #[serde(borrow)]
    pub(super) description: Str<'a>,
    #[serde(borrow)]
    pub(super) pattern: Str<'a>,
    #[serde(borrow)]
    pub(super) query: Str<'a>,
    #[serde(borrow)]
    pub(super) prompt: Str<'a>,
    #[serde(borrow)]
    pub(super) question: Str<'a>,
    #[serde(borrow)]
    pub(super) objective: Str<'a>,
    #[serde(borrow)]
    pub(super) agent_name: Str<'a>,
    #[serde(borrow)]
    pub(super) title: Str<'a>,
    #[serde(borrow)]
    pub(super) content: Str<'a>,
    #[serde(borrow)]
    pub(super) old_string: Str<'a>,
    #[serde(borrow)]
    pub(super) new_string: Str<'a>,
    pub(super) allow_multiple: Flag,
    pub(super) expected_replacements: Num,
    pub(super) offset: Num,
    pub(super) limit: Num,
    pub(super) start_line: Num,
    pub(super) end_line: Num,
}

/// What an edit's result shows: the whole file before and after.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Shown<'a> {
    #[serde(borrow)]
    pub(super) file_diff: Str<'a>,
    #[serde(borrow)]
    pub(super) file_path: Str<'a>,
    #[serde(borrow)]
    pub(super) original_content: Str<'a>,
    #[serde(borrow)]
    pub(super) new_content: Str<'a>,
    pub(super) is_new_file: Flag,
    pub(super) diff_stat: Obj<DiffStat>,
    pub(super) is_subagent_progress: Flag,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct DiffStat {
    pub(super) user_added_lines: Num,
    pub(super) user_removed_lines: Num,
}

impl Message<'_> {
    pub(super) fn time(&self) -> Option<Timestamp> {
        ids::time(self.timestamp.filled()?)
    }

    /// What is said, and how many images stand in it.
    pub(super) fn said(&self) -> (String, u32) {
        let (shown, _) = texts(self.display_content);
        let (told, images) = texts(self.content.or(self.parts));
        (if shown.trim().is_empty() { told } else { shown }, images)
    }
}

impl Thought<'_> {
    pub(super) fn text(&self) -> String {
        let parts = [&self.subject, &self.description].into_iter().filter_map(Str::filled);
        parts.collect::<Vec<_>>().join("\n\n")
    }
}

impl<'a> ToolCall<'a> {
    pub(super) fn time(&self) -> Option<Timestamp> {
        ids::time(self.timestamp.filled()?)
    }

    pub(super) fn args(&self) -> Args<'a> {
        json::read(self.args)
    }

    /// Of results that are told as an object.
    pub(super) fn shown(&self) -> Option<Shown<'a>> {
        json::read::<Obj<Shown<'_>>>(self.result_display).0
    }

    /// What the tool gave back to the model, and whether as an error.
    pub(super) fn response(&self) -> (String, bool) {
        #[derive(Default, Deserialize)]
        #[serde(default, rename_all = "camelCase")]
        struct Part<'a> {
            #[serde(borrow)]
            function_response: Obj<FunctionResponse<'a>>,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct FunctionResponse<'a> {
            #[serde(borrow)]
            response: Obj<Response<'a>>,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Response<'a> {
            #[serde(borrow)]
            output: Str<'a>,
            #[serde(borrow)]
            error: Str<'a>,
        }
        let parts: List<Part<'_>> = json::read(self.result);
        let mut told = String::new();
        let mut failed = false;
        for part in parts.0.into_iter().filter_map(|part| part.0?.function_response.0?.response.0) {
            failed |= part.error.get().is_some();
            told.push_str(part.output.get().or(part.error.get()).unwrap_or_default());
        }
        (told, failed)
    }
}

/// The texts of a string, or of a list of parts.
fn texts(raw: Option<Raw<'_>>) -> (String, u32) {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Part<'a> {
        #[serde(borrow)]
        text: Str<'a>,
        inline_data: Option<IgnoredAny>,
    }
    if let Some(text) = json::read::<Str<'_>>(raw).take() {
        return (text.into_owned(), 0);
    }
    let parts: List<Part<'_>> = json::read(raw);
    let images = parts.objects().filter(|part| part.inline_data.is_some()).count();
    let text: Vec<&str> = parts.objects().filter_map(|part| part.text.get()).collect();
    (text.join("\n"), u32::try_from(images).unwrap_or(u32::MAX))
}
