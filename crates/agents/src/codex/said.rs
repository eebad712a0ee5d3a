//! What stands in a message of the user: a person's prompt is only one of many things that Codex writes there.

use std::borrow::Cow;

/// Texts that the client put in, by their beginnings.
const INJECTED: &[&str] = &[
    "<permissions",
    "<environment_context",
    "<collaboration_mode",
    "<INSTRUCTIONS>",
    "<user_instructions>",
    "<apps_instructions>",
    "<skills_instructions>",
    "<plugins_instructions>",
    "# AGENTS.md",
    "# CLAUDE.md",
    "<cwd>",
    "<turn_aborted>",
    "<command_output>",
    "<skill>",
    "<goal_context>",
    "<codex_internal_context",
    "<subagent_notification>",
    "<user_action>",
    "<user_shell_command>",
    "You are Codex",
    "Filesystem sandboxing",
    "Warning: The maximum number of unified exec",
    "[Sub-agent results]",
    "[sub-agent result]",
];
/// Envelopes behind whose end a prompt may stand.
const ENVELOPES: &[&str] = &["recommended_plugins", "ide_selection", "ide_opened_file", "system-reminder"];
/// Behind this the editors' extensions put the prompt, and before it what is open there.
const REQUEST: &str = "## My request for Codex:";
const IDE_CONTEXT: &str = "# Context from my IDE setup:";
const STEERING: &str = "AUTOSTEERING:";
const STEERING_CHARS: usize = 400;

/// What a person typed of one text. `None`: nothing.
pub(super) fn typed(text: &str) -> Option<&str> {
    let mut text = text.trim();
    while let Some(behind) = ENVELOPES.iter().find_map(|name| behind_envelope(text, name)) {
        text = behind;
    }
    if text.starts_with(IDE_CONTEXT)
        && let Some((_, request)) = text.split_once(REQUEST)
    {
        text = request.trim();
    }
    let is_injected = INJECTED.iter().any(|begin| text.starts_with(begin))
        || (text.contains(STEERING) && text.chars().nth(STEERING_CHARS - 1).is_none());
    (!text.is_empty() && !is_injected).then_some(text)
}

/// What the blocks of a message say that a person typed, each judged by itself.
pub(super) fn typed_in_blocks(blocks: &[Cow<'_, str>]) -> String {
    let texts: Vec<&str> = blocks.iter().filter_map(|block| typed(block)).collect();
    texts.join("\n")
}

/// The text behind `<name>…</name>`, if it begins with that. An envelope without an end holds all the rest.
fn behind_envelope<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let inside = text.strip_prefix('<')?.strip_prefix(name)?;
    if !inside.starts_with(['>', ' ']) {
        return None;
    }
    Some(inside.split_once(&format!("</{name}>")).map_or("", |(_, behind)| behind.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::typed;

    #[test]
    fn prompts() {
        for (text, expected) in [
            (" fix it \n", Some("fix it")),
            ("<environment_context>\n<cwd>/w</cwd>", None),
            ("# AGENTS.md instructions for /w\n\n<INSTRUCTIONS>", None),
            ("<turn_aborted>\nThe user interrupted", None),
            ("<user_action>\n  <context>User initiated a review task.", None),
            ("AUTOSTEERING: continue", None),
            ("<recommended_plugins>\n- Box\n</recommended_plugins>\nfix it", Some("fix it")),
            ("<recommended_plugins>\n- Box\n</recommended_plugins>", None),
            ("<ide_selection>x", None),
            ("<recommended_pluginsX> is a tag", Some("<recommended_pluginsX> is a tag")),
            (
                "# Context from my IDE setup:\n\n## Open tabs:\n- a.rs\n\n## My request for Codex:\nfix it\n",
                Some("fix it"),
            ),
            ("<b>bold</b> words", Some("<b>bold</b> words")),
            ("", None),
        ] {
            assert_eq!(typed(text), expected, "{text}");
        }
        let long = format!("AUTOSTEERING: {}", "x".repeat(400));
        assert_eq!(typed(&long), Some(&*long));
    }
}
