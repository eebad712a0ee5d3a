//! The shapes of Claude Code's records, as far as they are read. Everything is borrowed from the line.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use trace::{RecordId, Timestamp};

pub(super) use crate::ids::{hashed, record_id, time};
use crate::json::{Flag, LITERAL, List, Num, Obj, Raw, Str, Text, Told, nothing};

/// One record of any type.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Record<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Str<'a>,
    #[serde(borrow)]
    pub(super) subtype: Str<'a>,
    #[serde(borrow)]
    pub(super) uuid: Str<'a>,
    #[serde(borrow)]
    pub(super) parent_uuid: Str<'a>,
    #[serde(borrow)]
    pub(super) logical_parent_uuid: Str<'a>,
    #[serde(borrow)]
    pub(super) session_id: Str<'a>,
    #[serde(borrow)]
    pub(super) agent_id: Str<'a>,
    #[serde(borrow)]
    pub(super) timestamp: Str<'a>,
    #[serde(borrow)]
    pub(super) cwd: Str<'a>,
    #[serde(borrow)]
    pub(super) git_branch: Str<'a>,
    #[serde(borrow)]
    pub(super) version: Str<'a>,
    #[serde(borrow)]
    pub(super) entrypoint: Str<'a>,
    #[serde(borrow)]
    pub(super) request_id: Str<'a>,
    #[serde(borrow)]
    pub(super) prompt_source: Str<'a>,
    #[serde(borrow)]
    pub(super) origin: Obj<Origin<'a>>,
    pub(super) is_sidechain: Flag,
    pub(super) is_meta: Flag,
    pub(super) is_compact_summary: Flag,
    pub(super) is_visible_in_transcript_only: Flag,
    pub(super) is_api_error_message: Flag,
    /// On its own, so that a record is moved cheaply.
    #[serde(borrow)]
    pub(super) message: Obj<Box<Message<'a>>>,
    #[serde(borrow)]
    pub(super) tool_use_result: Kept<'a>,
    #[serde(borrow, rename = "parentToolUseID")]
    pub(super) parent_tool_use_id: Str<'a>,
    #[serde(borrow)]
    pub(super) attachment: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) data: Option<Raw<'a>>,
    /// Of `system` and `queue-operation` records.
    #[serde(borrow)]
    pub(super) content: Str<'a>,
    /// Of `summary`, `last-prompt`.
    #[serde(borrow)]
    pub(super) leaf_uuid: Str<'a>,
    /// Of `file-history-…`: the prompt's uuid.
    #[serde(borrow)]
    pub(super) message_id: Str<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Origin<'a> {
    #[serde(borrow)]
    pub(super) kind: Str<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) id: Str<'a>,
    #[serde(borrow)]
    pub(super) model: Str<'a>,
    #[serde(borrow)]
    pub(super) content: Blocks<'a>,
    pub(super) usage: Obj<TokenCounts>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct TokenCounts {
    pub(super) input_tokens: Num,
    pub(super) cache_creation_input_tokens: Num,
    pub(super) cache_read_input_tokens: Num,
    pub(super) output_tokens: Num,
    pub(super) cache_creation: Obj<CacheCreation>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct CacheCreation {
    pub(super) ephemeral_5m_input_tokens: Num,
    pub(super) ephemeral_1h_input_tokens: Num,
}

/// Content: a plain string (then one block of text), or blocks.
#[derive(Default)]
pub(super) struct Blocks<'a>(pub(super) Vec<Block<'a>>);

/// A content block of any type.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Block<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Str<'a>,
    #[serde(borrow)]
    pub(super) text: Told<'a>,
    #[serde(borrow)]
    pub(super) thinking: Told<'a>,
    #[serde(borrow)]
    pub(super) id: Str<'a>,
    #[serde(borrow)]
    pub(super) name: Str<'a>,
    #[serde(borrow)]
    pub(super) input: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) tool_use_id: Str<'a>,
    /// What a tool gave back.
    #[serde(borrow)]
    pub(super) content: Blocks<'a>,
    pub(super) is_error: Flag,
    /// Of `fallback`: the models between which the client changed.
    #[serde(borrow)]
    pub(super) from: Obj<Model<'a>>,
    #[serde(borrow)]
    pub(super) to: Obj<Model<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Model<'a> {
    #[serde(borrow)]
    pub(super) model: Str<'a>,
}

impl<'a> Blocks<'a> {
    /// All text, the blocks' on lines of their own.
    pub(super) fn text(&self) -> Cow<'a, str> {
        let mut texts = self.0.iter().filter(|block| block.kind.is("text")).filter_map(|block| block.text.text.get());
        let first = texts.next().unwrap_or_default();
        texts.fold(first, |all, text| Cow::Owned(format!("{all}\n{text}")))
    }

    /// The text, where a single block holds all of it.
    pub(super) fn single_text(&self) -> Option<&Told<'a>> {
        match self.0.as_slice() {
            [block] if block.kind.is("text") => Some(&block.text),
            _ => None,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Blocks<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Blocks<'a>, D::Error> {
        struct Read<'a>(PhantomData<&'a ()>);

        impl<'de: 'a, 'a> Visitor<'de> for Read<'a> {
            type Value = Blocks<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or content blocks")
            }
            fn visit_borrowed_str<E>(self, inside: &'de str) -> Result<Blocks<'a>, E> {
                let (kind, text) = (Str::from("text"), Text::of(inside).into());
                Ok(Blocks(vec![Block { kind, text, ..Block::default() }]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Blocks<'a>, A::Error> {
                let mut blocks = Vec::new();
                while let Some(block) = seq.next_element::<Obj<Block<'a>>>()? {
                    blocks.push(block.0.unwrap_or_default());
                }
                Ok(Blocks(blocks))
            }
            nothing!(Blocks::default(); bool numbers unit map);
        }
        deserializer.deserialize_newtype_struct(LITERAL, Read(PhantomData))
    }
}

/// `toolUseResult`: what the client keeps of a result for itself.
#[derive(Default)]
pub(super) enum Kept<'a> {
    /// Absent, or the array that results of MCP tools are.
    #[default]
    Nothing,
    /// The words of an error.
    Text,
    Outcome(Box<Outcome<'a>>),
}

impl<'a> Kept<'a> {
    pub(super) fn outcome(&self) -> Option<&Outcome<'a>> {
        match self {
            Kept::Outcome(outcome) => Some(outcome),
            Kept::Nothing | Kept::Text => None,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Kept<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Kept<'a>, D::Error> {
        struct Read<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Read<'a> {
            type Value = Kept<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a tool's outcome")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Kept<'a>, A::Error> {
                Outcome::deserialize(MapAccessDeserializer::new(map)).map(|outcome| Kept::Outcome(Box::new(outcome)))
            }
            nothing!(Kept::Text; str);
            nothing!(Kept::Nothing; bool numbers unit seq);
        }
        deserializer.deserialize_any(Read(PhantomData))
    }
}

/// `toolUseResult`, where it is an object. Texts of files and outputs stay raw: a scan only counts their lines.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Outcome<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Str<'a>,
    // Commands.
    #[serde(borrow)]
    pub(super) stdout: Option<Raw<'a>>,
    pub(super) interrupted: Flag,
    #[serde(borrow)]
    pub(super) background_task_id: Str<'a>,
    #[serde(borrow)]
    pub(super) return_code_interpretation: Str<'a>,
    pub(super) exit_code: Num,
    #[serde(borrow)]
    pub(super) git_operation: Obj<GitOperation<'a>>,
    // Sub-agents.
    #[serde(borrow)]
    pub(super) agent_id: Str<'a>,
    // Reading and searching.
    #[serde(borrow)]
    pub(super) file: Obj<FileRead<'a>>,
    #[serde(borrow)]
    pub(super) mode: Str<'a>,
    pub(super) num_files: Num,
    pub(super) num_lines: Num,
    pub(super) num_matches: Num,
    // Edits.
    #[serde(borrow)]
    pub(super) file_path: Str<'a>,
    #[serde(borrow)]
    pub(super) old_string: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) new_string: Option<Raw<'a>>,
    pub(super) replace_all: Flag,
    #[serde(borrow)]
    pub(super) edits: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) content: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) original_file: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) original_file_contents: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) structured_patch: Option<Raw<'a>>,
    pub(super) user_modified: Flag,
    // Notebooks.
    #[serde(borrow, rename = "notebook_path")]
    pub(super) notebook_path: Str<'a>,
    #[serde(borrow, rename = "original_file")]
    pub(super) original_notebook: Option<Raw<'a>>,
    #[serde(borrow, rename = "updated_file")]
    pub(super) updated_notebook: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) error: Str<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct GitOperation<'a> {
    #[serde(borrow)]
    pub(super) commit: Obj<GitCommit<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct GitCommit<'a> {
    #[serde(borrow)]
    pub(super) sha: Str<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct FileRead<'a> {
    #[serde(borrow)]
    pub(super) file_path: Str<'a>,
    #[serde(borrow)]
    pub(super) content: Option<Raw<'a>>,
    pub(super) start_line: Num,
    pub(super) num_lines: Num,
    pub(super) total_lines: Num,
}

/// One hunk of `structuredPatch`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PatchHunk<L> {
    pub(super) old_start: Num,
    pub(super) new_start: Num,
    pub(super) lines: L,
}

/// The signs of a hunk's lines: all that a scan wants of them.
#[derive(Default)]
pub(super) struct Signs(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for Signs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Signs, D::Error> {
        let lines: Vec<Raw<'_>> = Vec::deserialize(deserializer)?;
        // No sign is written as an escape but the one of `\ No newline at end of file`, which begins with its own.
        let sign = |line: Raw<'_>| line.get().strip_prefix('"').and_then(|line| line.bytes().next()).unwrap_or(b' ');
        Ok(Signs(lines.into_iter().map(sign).collect()))
    }
}

/// What a tool is asked to do. Unknown fields are passed over but for the first string.
#[derive(Default)]
pub(super) struct Input<'a> {
    pub(super) command: Str<'a>,
    pub(super) description: Str<'a>,
    pub(super) file_path: Str<'a>,
    pub(super) notebook_path: Str<'a>,
    pub(super) path: Str<'a>,
    pub(super) pattern: Str<'a>,
    pub(super) query: Str<'a>,
    pub(super) prompt: Str<'a>,
    pub(super) subagent_type: Str<'a>,
    pub(super) old_string: Str<'a>,
    pub(super) new_string: Str<'a>,
    pub(super) content: Option<Raw<'a>>,
    pub(super) replace_all: Flag,
    pub(super) offset: Num,
    pub(super) limit: Num,
    pub(super) edits: List<OneEdit<'a>>,
    /// The first string of a field that is none of the above.
    pub(super) other: Str<'a>,
}

/// One of the edits of a MultiEdit.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct OneEdit<'a> {
    #[serde(borrow)]
    pub(super) old_string: Str<'a>,
    #[serde(borrow)]
    pub(super) new_string: Str<'a>,
    pub(super) replace_all: Flag,
}

impl<'de: 'a, 'a> Deserialize<'de> for Input<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Input<'a>, D::Error> {
        struct Read<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Read<'a> {
            type Value = Input<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a tool's input")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Input<'a>, A::Error> {
                let mut input = Input::default();
                while let Some(key) = map.next_key::<Str<'a>>()? {
                    match key.or_empty() {
                        "command" => input.command = map.next_value()?,
                        "description" => input.description = map.next_value()?,
                        "file_path" => input.file_path = map.next_value()?,
                        "notebook_path" => input.notebook_path = map.next_value()?,
                        "path" => input.path = map.next_value()?,
                        "pattern" => input.pattern = map.next_value()?,
                        "query" => input.query = map.next_value()?,
                        "prompt" => input.prompt = map.next_value()?,
                        "subagent_type" => input.subagent_type = map.next_value()?,
                        "old_string" => input.old_string = map.next_value()?,
                        "new_string" => input.new_string = map.next_value()?,
                        "content" => input.content = map.next_value()?,
                        // A notebook's text is told by the result.
                        "new_source" => _ = map.next_value::<IgnoredAny>()?,
                        "replace_all" => input.replace_all = map.next_value()?,
                        "offset" => input.offset = map.next_value()?,
                        "limit" => input.limit = map.next_value()?,
                        "edits" => input.edits = map.next_value()?,
                        _ => {
                            let value: Str<'a> = map.next_value()?;
                            if input.other.filled().is_none() {
                                input.other = value;
                            }
                        }
                    }
                }
                Ok(input)
            }
            nothing!(Input::default(); bool numbers str unit seq);
        }
        deserializer.deserialize_any(Read(PhantomData))
    }
}

/// `attachment` of an attachment record.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Attachment<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Str<'a>,
    #[serde(borrow)]
    pub(super) hook_event: Str<'a>,
    #[serde(borrow)]
    pub(super) hook_name: Str<'a>,
    #[serde(borrow)]
    pub(super) command: Str<'a>,
    #[serde(borrow)]
    pub(super) content: Str<'a>,
    #[serde(borrow)]
    pub(super) stdout: Str<'a>,
    #[serde(borrow)]
    pub(super) stderr: Str<'a>,
    #[serde(borrow)]
    pub(super) snippet: Str<'a>,
    pub(super) exit_code: Num,
    #[serde(borrow)]
    pub(super) blocking_error: Obj<BlockingError<'a>>,
    #[serde(borrow)]
    pub(super) filename: Str<'a>,
    #[serde(borrow)]
    pub(super) path: Str<'a>,
    #[serde(borrow)]
    pub(super) display_path: Str<'a>,
    #[serde(borrow)]
    pub(super) prompt: Blocks<'a>,
    #[serde(borrow)]
    pub(super) command_mode: Str<'a>,
    #[serde(borrow)]
    pub(super) origin: Obj<Origin<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct BlockingError<'a> {
    #[serde(borrow)]
    pub(super) blocking_error: Str<'a>,
    #[serde(borrow)]
    pub(super) command: Str<'a>,
}

/// `data` of a progress record.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Progress<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Str<'a>,
    #[serde(borrow)]
    pub(super) agent_id: Str<'a>,
    #[serde(borrow)]
    pub(super) prompt: Str<'a>,
    #[serde(borrow)]
    pub(super) message: Obj<Box<Record<'a>>>,
    #[serde(borrow)]
    pub(super) hook_event: Str<'a>,
    #[serde(borrow)]
    pub(super) command: Str<'a>,
}

impl Progress<'_> {
    /// The task of the sub-agent; old versions tell it only as its first message.
    pub(super) fn task(&self) -> String {
        let told = self.prompt.filled().map(Cow::Borrowed);
        let first = || self.message.0.as_ref().filter(|inner| inner.kind.is("user"))?.message.0.as_ref();
        let task = told.or_else(|| first().map(|message| message.content.text())).unwrap_or_default();
        task.trim().to_owned()
    }
}

/// Fields of records that are rare or short, read once more from the whole record.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Rare<'a> {
    #[serde(borrow)]
    pub(super) summary: Str<'a>,
    #[serde(borrow)]
    pub(super) ai_title: Str<'a>,
    #[serde(borrow)]
    pub(super) custom_title: Str<'a>,
    pub(super) pr_number: Num,
    #[serde(borrow)]
    pub(super) pr_url: Str<'a>,
    #[serde(borrow)]
    pub(super) relocated_cwd: Str<'a>,
    #[serde(borrow)]
    pub(super) worktree_session: Obj<Worktree<'a>>,
    #[serde(borrow)]
    pub(super) title: Str<'a>,
    #[serde(borrow)]
    pub(super) path: Str<'a>,
    pub(super) compact_metadata: Obj<CompactMetadata>,
    #[serde(borrow)]
    pub(super) error: Obj<ApiError<'a>>,
    pub(super) retry_attempt: Num,
    pub(super) max_retries: Num,
    #[serde(borrow)]
    pub(super) hook_infos: List<HookInfo<'a>>,
    #[serde(borrow)]
    pub(super) snapshot: Obj<Snapshot<'a>>,
    #[serde(borrow)]
    pub(super) tracking_path: Str<'a>,
    #[serde(borrow)]
    pub(super) backup: Obj<Backup<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Worktree<'a> {
    #[serde(borrow)]
    pub(super) worktree_path: Str<'a>,
    #[serde(borrow)]
    pub(super) worktree_branch: Str<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct CompactMetadata {
    pub(super) trigger: Trigger,
    pub(super) pre_tokens: Num,
}

/// What began a compaction. `None`: not told.
#[derive(Default)]
pub(super) struct Trigger(pub(super) Option<bool>);

impl<'de> Deserialize<'de> for Trigger {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Trigger, D::Error> {
        let word = Str::deserialize(deserializer)?;
        Ok(Trigger(word.get().and_then(|word| match word {
            "auto" => Some(true),
            "manual" => Some(false),
            _ => None,
        })))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ApiError<'a> {
    #[serde(borrow)]
    pub(super) formatted: Str<'a>,
    #[serde(borrow)]
    pub(super) message: Str<'a>,
    pub(super) status: Num,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct HookInfo<'a> {
    #[serde(borrow)]
    pub(super) command: Str<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Snapshot<'a> {
    #[serde(borrow)]
    pub(super) tracked_file_backups: Backups<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Backup<'a> {
    #[serde(borrow)]
    pub(super) backup_file_name: Str<'a>,
    #[serde(borrow)]
    pub(super) backup_time: Str<'a>,
}

/// Backups by path, in the order of the record.
#[derive(Default)]
pub(super) struct Backups<'a>(pub(super) Vec<(Str<'a>, Obj<Backup<'a>>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Backups<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Backups<'a>, D::Error> {
        struct Read<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Read<'a> {
            type Value = Backups<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("backups by path")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Backups<'a>, A::Error> {
                let mut backups = Vec::new();
                while let Some(backup) = map.next_entry()? {
                    backups.push(backup);
                }
                Ok(Backups(backups))
            }
            nothing!(Backups::default(); bool numbers str unit seq);
        }
        deserializer.deserialize_any(Read(PhantomData))
    }
}

impl Record<'_> {
    pub(super) fn id(&self) -> Option<RecordId> {
        self.uuid.filled().map(record_id)
    }

    /// After a compaction the parent proper is `null` and the logical one stands in for it.
    pub(super) fn parent(&self) -> Option<RecordId> {
        self.parent_uuid.filled().or(self.logical_parent_uuid.filled()).map(record_id)
    }

    pub(super) fn time(&self) -> Option<Timestamp> {
        time(self.timestamp.filled()?)
    }

    pub(super) fn blocks(&self) -> &[Block<'_>] {
        self.message.0.as_ref().map_or(&[], |message| &message.content.0)
    }

    /// Whether it stands for itself, and is not the inside of a record that was cut off.
    pub(super) fn stands_alone(&self) -> bool {
        let envelope = [&self.session_id, &self.leaf_uuid, &self.message_id];
        self.kind.filled().is_some() && envelope.iter().any(|field| field.filled().is_some())
    }
}
