//! The client's own records in words: one line each, or nothing.

use trace::What;

use super::record::{Attachment, Block, Model, Rare, Record};
use super::said::head;
use crate::json::{self, Obj, Str};

/// Attachments that say something to the model and little to a reader: they are told by their type in words.
const ATTACHMENTS: &[&str] = &[
    "agent_listing_delta",
    "agent_mention",
    "auto_mode",
    "auto_mode_exit",
    "batching_reminder_sent",
    "budget_usd",
    "command_permissions",
    "compact_file_reference",
    "compaction_reminder",
    "context_efficiency",
    "critical_system_reminder",
    "current_session_memory",
    "date_change",
    "deferred_tools_delta",
    "diagnostics",
    "directory",
    "dynamic_skill",
    "file",
    "invoked_skills",
    "already_read_file",
    "mcp_instructions_delta",
    "mcp_resource",
    "nested_memory",
    "opened_file_in_ide",
    "output_style",
    "output_token_usage",
    "pdf_reference",
    "plan_file_reference",
    "plan_mode",
    "plan_mode_exit",
    "plan_mode_reentry",
    "read_truncation_notice",
    "relevant_memories",
    "selected_lines_in_ide",
    "silent_turn_reminder",
    "skill_listing",
    "task_reminder",
    "task_status",
    "team_context",
    "teammate_mailbox",
    "todo_reminder",
    "token_usage",
    "total_tokens_reminder",
    "ultra_effort_enter",
    "ultra_effort_exit",
    "ultrathink_effort",
    "verify_plan_reminder",
];

/// Record types that carry settings and bookkeeping of the client; nothing of them is shown.
const HOUSEKEEPING: &[&str] = &[
    "agent-name",
    "agent-color",
    "agent-setting",
    "atis-latch",
    "bridge-session",
    "last-prompt",
    "mode",
    "permission-mode",
    "queue-operation",
    "result",
    "started",
    "tag",
];

pub(super) fn is_housekeeping(kind: &str) -> bool {
    HOUSEKEEPING.contains(&kind)
}

pub(super) fn attachment(attachment: &Attachment<'_>) -> What {
    let kind = attachment.kind.or_empty();
    if kind.starts_with("hook_") || kind == "async_hook_response" {
        return What::System(hook(kind, attachment).into());
    }
    if !ATTACHMENTS.contains(&kind) {
        return What::Unknown(format!("attachment {kind}").into());
    }
    let of = [&attachment.display_path, &attachment.filename, &attachment.path];
    let words = kind.replace('_', " ");
    What::System(match of.into_iter().find_map(Str::filled) {
        Some(path) => format!("{words}: {}", head(path)).into(),
        None => words.into(),
    })
}

/// `hook PostToolUse: rustfmt, exit 0`.
fn hook(kind: &str, attachment: &Attachment<'_>) -> String {
    let event = attachment.hook_event.filled().or(attachment.hook_name.filled()).unwrap_or("?");
    let blocking = attachment.blocking_error.0.as_ref();
    let command = attachment.command.filled().or_else(|| blocking.and_then(|error| error.command.filled()));
    let name = head(command.or(attachment.hook_name.filled()).unwrap_or("?"));
    match kind {
        "hook_success" => match attachment.exit_code.0 {
            Some(status) => format!("hook {event}: {name}, exit {status}"),
            None => format!("hook {event}: {name}"),
        },
        "hook_non_blocking_error" => match attachment.exit_code.0 {
            Some(status) => format!("hook {event}: {name}, failed, exit {status}"),
            None => format!("hook {event}: {name}, failed"),
        },
        "hook_blocking_error" => {
            let reason = blocking.map_or("", |error| error.blocking_error.or_empty());
            format!("hook {event}: {name}, blocked: {}", head(reason))
        }
        "hook_system_message" => format!("hook {event}: {}", head(attachment.content.or_empty())),
        _ => {
            let words = kind.trim_start_matches("hook_").trim_start_matches("async_hook_").replace('_', " ");
            format!("hook {event}: {words}")
        }
    }
}

/// A system record, but for those that tell of a compaction or of a local command. `text` is the whole record.
pub(super) fn system(record: &Record<'_>, text: &str) -> What {
    let rare = || json::from_str::<Rare<'_>>(text).unwrap_or_default();
    let content = head(record.content.or_empty());
    let words = match record.subtype.or_empty() {
        "turn_duration" | "session_start" => return What::Silent,
        "stop_hook_summary" => return stop_hooks(&rare()),
        "away_summary" => format!("recap: {}", record.content.or_empty().trim()),
        "microcompact_boundary" => "old tool results left out of the context".into(),
        "api_error" | "error" => api_error(&rare()),
        "api_refusal" => with("the model refused", &content),
        "model_refusal_fallback" => with("another model took over", &content),
        "informational"
        | "bridge_status"
        | "permission_retry"
        | "scheduled_task_fire"
        | "agents_killed"
        | "memory_saved"
        | "thinking" => with(&record.subtype.or_empty().replace('_', " "), &content),
        // Versions before 1.0.100 or so name no subtype.
        "" => content,
        other => return What::Unknown(format!("system {other}").into()),
    };
    What::System(words.into())
}

pub(super) fn with(words: &str, content: &str) -> String {
    if content.is_empty() { words.to_owned() } else { format!("{words}: {content}") }
}

fn stop_hooks(rare: &Rare<'_>) -> What {
    // `callback` is the client calling itself.
    let commands = rare.hook_infos.objects().filter_map(|hook| hook.command.filled());
    let commands: Vec<String> = commands.filter(|command| *command != "callback").map(head).collect();
    if commands.is_empty() { What::Silent } else { What::System(format!("hook Stop: {}", commands.join("; ")).into()) }
}

/// `API error 529, retry 1 of 10: Overloaded`.
fn api_error(rare: &Rare<'_>) -> String {
    let error = rare.error.0.as_ref();
    let status = error.and_then(|error| error.status.0).map_or(String::new(), |status| format!(" {status}"));
    let retry = match (rare.retry_attempt.0, rare.max_retries.0) {
        (Some(attempt), Some(most)) => format!(", retry {attempt} of {most}"),
        _ => String::new(),
    };
    let message = error.and_then(|error| error.formatted.filled().or(error.message.filled())).unwrap_or_default();
    with(&format!("API error{status}{retry}"), &head(message))
}

/// `another model took over: a → b`.
pub(super) fn fallback(block: &Block<'_>) -> String {
    let model = |of: &Obj<Model<'_>>| of.0.as_ref().and_then(|of| of.model.filled()).unwrap_or("?").to_owned();
    format!("another model took over: {} → {}", model(&block.from), model(&block.to))
}

/// Records outside of the tree that have a line of their own. `None`: not one of these.
pub(super) fn outside_of_the_tree(kind: &str, text: &str) -> Option<String> {
    let rare: Rare<'_> = match kind {
        "pr-link" | "relocated" | "frame-link" | "worktree-state" => json::from_str(text).unwrap_or_default(),
        _ => return None,
    };
    Some(match kind {
        "pr-link" => {
            let number = rare.pr_number.0.map_or(String::new(), |number| format!(" #{number}"));
            format!("pull request{number} {}", rare.pr_url.or_empty()).trim_end().to_owned()
        }
        "worktree-state" => match &rare.worktree_session.0 {
            Some(worktree) => {
                let branch = worktree.worktree_branch.filled().map_or(String::new(), |name| format!(", branch {name}"));
                with("worktree", &format!("{}{branch}", worktree.worktree_path.or_empty()))
            }
            None => "left the worktree".to_owned(),
        },
        "relocated" => with("moved", rare.relocated_cwd.or_empty()),
        _ => with("preview", rare.title.filled().or(rare.path.filled()).unwrap_or_default()),
    })
}

/// What a record of the client's says in full.
pub(super) fn text_of_attachment(attachment: &Attachment<'_>) -> String {
    let texts = [&attachment.content, &attachment.stdout, &attachment.stderr, &attachment.snippet];
    let blocking = attachment.blocking_error.0.as_ref().and_then(|error| error.blocking_error.filled());
    texts.into_iter().find_map(Str::filled).or(blocking).unwrap_or_default().to_owned()
}

pub(super) fn read_attachment<'a>(record: &Record<'a>) -> Attachment<'a> {
    json::read(record.attachment)
}
