//! The shapes of Codex's records, as far as they are read. Everything is borrowed from the line.

use std::borrow::Cow;

use serde::Deserialize;
use trace::Timestamp;

use crate::ids;
use crate::json::{self, Flag, List, Num, Obj, Pairs, Raw, Str};

/// One line. The oldest logs have their items bare, without `payload`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Record<'a> {
    #[serde(borrow)]
    pub(super) timestamp: Str<'a>,
    #[serde(borrow, rename = "type")]
    pub(super) kind: Str<'a>,
    /// On its own, so that a record is moved cheaply.
    #[serde(borrow)]
    pub(super) payload: Obj<Box<Payload<'a>>>,
}

/// What a record says, of whatever type.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Str<'a>,
    #[serde(borrow)]
    pub(super) id: Str<'a>,
    /// Of `session_meta`: the session whose records this one begins with.
    #[serde(borrow)]
    pub(super) forked_from_id: Str<'a>,
    #[serde(borrow)]
    pub(super) role: Str<'a>,
    #[serde(borrow)]
    pub(super) name: Str<'a>,
    #[serde(borrow)]
    pub(super) call_id: Str<'a>,
    #[serde(borrow)]
    pub(super) turn_id: Str<'a>,
    /// Of messages: blocks. Of reasoning: blocks or nothing.
    #[serde(borrow)]
    content: Option<Raw<'a>>,
    /// Of reasoning: blocks.
    #[serde(borrow)]
    summary: Option<Raw<'a>>,
    /// Of `agent_reasoning`.
    #[serde(borrow)]
    pub(super) text: Str<'a>,
    /// Of `user_message`, `agent_message`, `error`, `compacted`.
    #[serde(borrow)]
    pub(super) message: Str<'a>,
    #[serde(borrow)]
    images: Option<Raw<'a>>,
    #[serde(borrow)]
    local_images: Option<Raw<'a>>,
    /// Of `user_message` in old logs: what put it in, `plain` for a person.
    #[serde(borrow, rename = "kind")]
    pub(super) manner: Str<'a>,
    /// Of calls: JSON in a string, or JSON.
    #[serde(borrow)]
    pub(super) arguments: Option<Raw<'a>>,
    /// Of custom calls: a text, or JSON in a string.
    #[serde(borrow)]
    pub(super) input: Option<Raw<'a>>,
    /// Of `local_shell_call` and `web_search_call`.
    #[serde(borrow)]
    pub(super) action: Obj<Action<'a>>,
    #[serde(borrow)]
    pub(super) query: Str<'a>,
    #[serde(borrow)]
    pub(super) path: Str<'a>,
    /// Of results: a text, JSON in a string, an object with `content`, or blocks.
    #[serde(borrow)]
    pub(super) output: Option<Raw<'a>>,
    pub(super) exit_code: Num,
    pub(super) success: Flag,
    #[serde(borrow)]
    pub(super) status: Str<'a>,
    #[serde(borrow)]
    pub(super) stdout: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) stderr: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) changes: Option<Raw<'a>>,
    pub(super) info: Obj<TokenInfo>,
    #[serde(borrow)]
    pub(super) reason: Str<'a>,
    pub(super) num_turns: Num,
    #[serde(borrow)]
    pub(super) thread_name: Str<'a>,
    #[serde(borrow)]
    pub(super) new_thread_id: Str<'a>,
    #[serde(borrow)]
    pub(super) agent_thread_id: Str<'a>,
    #[serde(borrow)]
    pub(super) event_id: Str<'a>,
    #[serde(borrow)]
    pub(super) user_facing_hint: Str<'a>,
    /// Of `item_completed`.
    #[serde(borrow)]
    pub(super) item: Option<Raw<'a>>,
    // Of `session_meta` and `turn_context`.
    #[serde(borrow)]
    pub(super) cwd: Str<'a>,
    #[serde(borrow)]
    pub(super) model: Str<'a>,
    #[serde(borrow)]
    pub(super) cli_version: Str<'a>,
    #[serde(borrow)]
    pub(super) source: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) git: Obj<Git<'a>>,
    #[serde(borrow)]
    pub(super) parent_thread_id: Str<'a>,
    #[serde(borrow)]
    pub(super) session_id: Str<'a>,
    #[serde(borrow)]
    pub(super) timestamp: Str<'a>,
    /// Of bare bookkeeping.
    #[serde(borrow)]
    record_type: Str<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Git<'a> {
    #[serde(borrow)]
    pub(super) commit_hash: Str<'a>,
    #[serde(borrow)]
    pub(super) branch: Str<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Action<'a> {
    #[serde(borrow)]
    pub(super) command: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) working_directory: Str<'a>,
    #[serde(borrow)]
    pub(super) query: Str<'a>,
    #[serde(borrow)]
    pub(super) url: Str<'a>,
}

/// The arguments of any tool that is looked into.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Arguments<'a> {
    /// A command line, or its words.
    #[serde(borrow)]
    pub(super) command: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) cmd: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) workdir: Str<'a>,
    /// The patch, in whatever field.
    #[serde(borrow)]
    pub(super) patch: Str<'a>,
    #[serde(borrow)]
    pub(super) input: Str<'a>,
    #[serde(borrow)]
    pub(super) chars: Str<'a>,
    pub(super) session_id: Num,
    #[serde(borrow)]
    pub(super) path: Str<'a>,
    #[serde(borrow)]
    pub(super) file_path: Str<'a>,
    #[serde(borrow)]
    pub(super) dir_path: Str<'a>,
    #[serde(borrow)]
    pub(super) pattern: Str<'a>,
    #[serde(borrow)]
    pub(super) query: Str<'a>,
    #[serde(borrow)]
    pub(super) message: Str<'a>,
    #[serde(borrow)]
    pub(super) prompt: Str<'a>,
    #[serde(borrow)]
    pub(super) task_name: Str<'a>,
    #[serde(borrow)]
    pub(super) agent_type: Str<'a>,
    #[serde(borrow)]
    pub(super) explanation: Str<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct TokenInfo {
    pub(super) total_token_usage: Obj<TokenCounts>,
    pub(super) last_token_usage: Obj<TokenCounts>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(super) struct TokenCounts {
    pub(super) input_tokens: Num,
    pub(super) cached_input_tokens: Num,
    pub(super) cache_write_input_tokens: Num,
    pub(super) output_tokens: Num,
}

/// One file in `changes`. Old logs name the type as the key of an object around it.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct FileChange<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Str<'a>,
    #[serde(borrow)]
    pub(super) content: Str<'a>,
    #[serde(borrow)]
    pub(super) unified_diff: Str<'a>,
    #[serde(borrow)]
    pub(super) move_path: Str<'a>,
    #[serde(borrow)]
    add: Option<Raw<'a>>,
    #[serde(borrow)]
    update: Option<Raw<'a>>,
    #[serde(borrow)]
    delete: Option<Raw<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Block<'a> {
    #[serde(borrow, rename = "type")]
    kind: Str<'a>,
    #[serde(borrow)]
    text: Str<'a>,
}

impl<'a> Record<'a> {
    /// The record at the beginning of `text`, and its length.
    pub(super) fn first(text: &'a str) -> Option<(Record<'a>, usize)> {
        let (mut record, used) = json::first::<Record<'_>>(text)?;
        if record.payload.0.is_none()
            && let Some((bare, _)) = json::first::<Box<Payload<'_>>>(text)
        {
            record.kind = match bare.kind.or_empty() {
                "" if bare.role.filled().is_some() => "response_item".into(),
                "" if bare.record_type.filled().is_some() => "state".into(),
                "" if bare.id.filled().is_some() && bare.timestamp.filled().is_some() => "session_meta".into(),
                "message"
                | "reasoning"
                | "function_call"
                | "function_call_output"
                | "local_shell_call"
                | "custom_tool_call"
                | "custom_tool_call_output"
                | "web_search_call" => "response_item".into(),
                _ => record.kind,
            };
            record.payload = Obj(Some(bare));
        }
        Some((record, used))
    }

    pub(super) fn time(&self) -> Option<Timestamp> {
        ids::time(self.timestamp.filled()?)
    }

    /// Whether it is a line, and not the inside of one that was cut off.
    pub(super) fn stands_alone(&self) -> bool {
        self.timestamp.filled().is_some() && self.payload.0.is_some()
    }
}

impl<'a> Payload<'a> {
    /// The texts of a message's blocks, with how many images stand among them. Plain text is one block.
    pub(super) fn blocks(&self) -> (Vec<Cow<'a, str>>, u32) {
        blocks(self.content)
    }

    /// A thought's text: its summary, else what it holds itself. Encrypted thoughts have none.
    pub(super) fn thought(&self) -> String {
        let (parts, _) = blocks(self.summary);
        let parts = if parts.is_empty() { blocks(self.content).0 } else { parts };
        parts.join("\n\n")
    }

    /// The parts of a thought's summary: an event tells of each.
    pub(super) fn thoughts(&self) -> Vec<Cow<'a, str>> {
        blocks(self.summary).0
    }

    pub(super) fn images(&self) -> u32 {
        let count = |raw: Option<Raw<'a>>| json::read::<Vec<Str<'_>>>(raw).len();
        u32::try_from(count(self.images) + count(self.local_images)).unwrap_or(u32::MAX)
    }

    pub(super) fn files_changed(&self) -> Vec<(Cow<'a, str>, FileChange<'a>)> {
        let pairs: Pairs<'_, FileChange<'_>> = json::read(self.changes);
        let named = |(path, change): (Str<'a>, Obj<FileChange<'a>>)| Some((path.take()?, change.0?.plain()));
        pairs.0.into_iter().filter_map(named).collect()
    }

    /// The session of which this log is a sub-agent's part.
    pub(super) fn parent_session(&self) -> Option<Cow<'a, str>> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Source<'a> {
            #[serde(borrow)]
            subagent: Option<Raw<'a>>,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Subagent<'a> {
            #[serde(borrow)]
            thread_spawn: Obj<Spawn<'a>>,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Spawn<'a> {
            #[serde(borrow)]
            parent_thread_id: Str<'a>,
        }
        let subagent = json::read::<Obj<Source<'_>>>(self.source).0?.subagent?;
        let spawn = json::read::<Obj<Subagent<'_>>>(Some(subagent)).0.and_then(|subagent| subagent.thread_spawn.0);
        let spawned_by = spawn.and_then(|spawn| spawn.parent_thread_id.take());
        // Newer logs name the session that all its threads belong to.
        let root = self.session_id.filled().filter(|root| *root != self.id.or_empty());
        let told = root.or(self.parent_thread_id.filled()).map(|id| Cow::Owned(id.to_owned()));
        told.or(spawned_by).filter(|parent| !parent.is_empty() && **parent != *self.id.or_empty())
    }

    /// `cli`, `vscode`, `exec`, …
    pub(super) fn entrypoint(&self) -> Option<Cow<'a, str>> {
        json::text(self.source)
    }
}

impl<'a> FileChange<'a> {
    fn plain(self) -> FileChange<'a> {
        let wrapped = [("add", self.add), ("update", self.update), ("delete", self.delete)];
        match wrapped.into_iter().find_map(|(kind, raw)| Some((kind, raw?))) {
            Some((kind, raw)) if self.kind.filled().is_none() => {
                FileChange { kind: kind.into(), ..json::read(Some(raw)) }
            }
            _ => self,
        }
    }
}

fn blocks(raw: Option<Raw<'_>>) -> (Vec<Cow<'_, str>>, u32) {
    if let Some(text) = json::text(raw) {
        return (vec![text], 0);
    }
    let list: List<Block<'_>> = json::read(raw);
    let is_image = |block: &&Block<'_>| block.kind.or_empty().ends_with("image");
    let images = list.objects().filter(is_image).count();
    let texts = list.0.into_iter().filter_map(|block| block.0?.text.take());
    (texts.collect(), u32::try_from(images).unwrap_or(u32::MAX))
}

/// JSON that stands in a string, or as it is.
pub(super) fn inner_json(raw: Option<Raw<'_>>) -> Cow<'_, str> {
    match json::text(raw) {
        Some(text) => text,
        None => raw.map_or(Cow::Borrowed(""), |raw| Cow::Borrowed(raw.get())),
    }
}

/// A command: its line, or its words. Of `bash -lc LINE` the line.
pub(super) fn command_line(raw: Option<Raw<'_>>) -> Option<String> {
    if let Some(line) = json::text(raw) {
        return Some(line.into_owned());
    }
    let words: Vec<Str<'_>> = json::read(raw);
    let words: Vec<&str> = words.iter().map(Str::or_empty).collect();
    match words.as_slice() {
        [] => None,
        [_, flag, line] if flag.starts_with('-') && flag.ends_with('c') => Some((*line).to_owned()),
        words => Some(words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")),
    }
}

/// A word as a shell would need it.
fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:=@%+,".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => Cow::Borrowed(word),
        false => Cow::Owned(format!("'{}'", word.replace('\'', r"'\''"))),
    }
}
