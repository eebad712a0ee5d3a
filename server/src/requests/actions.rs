//! `textDocument/codeAction`: what can be done on lines of code. Only of our own kind, so that no light bulb lights.

use lens::{Action, ActionKind, StepRef, TurnOfLine};
use serde_json::{Value, json};
use tower_lsp::jsonrpc::Result;
use tower_lsp::lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, CodeActionResponse, Command, Range,
};
use url::Url;

use super::commands;
use super::target::{Code, CodeTarget, Target, address};
use crate::answers::{Answers, place_of};
use crate::lsp::Server;
use crate::pool::Lane;
use crate::state::Snapshot;

pub(crate) const KIND: &str = "source.turnlens";
/// Lines of a selection whose turns are looked up.
const MOST_LINES: u32 = 2_000;

pub(crate) async fn actions(server: &Server, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
    if !params.context.only.as_deref().is_none_or(wants_ours) {
        return Ok(None);
    }
    let Target::Code(target) = server.state.target(&params.text_document.uri) else { return Ok(None) };
    let answer = move |asked: &Snapshot| on_lines(asked, &target, params.range);
    server.state.answer(Lane::Quick, answer).await
}

/// Whether one of the kinds is ours or holds it, as `source` does.
fn wants_ours(only: &[CodeActionKind]) -> bool {
    let holds = |kind: &str| {
        kind.is_empty() || kind == KIND || KIND.strip_prefix(kind).is_some_and(|rest| rest.starts_with('.'))
    };
    only.iter().any(|kind| holds(kind.as_str()))
}

fn on_lines(asked: &Snapshot, target: &CodeTarget, range: Range) -> Option<CodeActionResponse> {
    let frame = asked.frame(Some(&target.path));
    let answers = Answers::new(&asked.engine.workspace, &frame);
    let code = asked.code(&answers, target)?;
    let (first, last) = code.lines_of(asked, range);
    let last = last.min(first.saturating_add(MOST_LINES));
    let turns: Vec<TurnOfLine> = (first..=last).filter_map(|line| turn_of_line(&code, line)).collect();
    let actions = match turns.as_slice() {
        [] => return Some(vec![explain(asked, &code.uri, range)]),
        [line] if first == last => lens::line_actions(line),
        turns => lens::selection_actions(turns),
    };
    Some(actions.iter().filter_map(|action| to_protocol(asked, &code.uri, range, action)).collect())
}

fn turn_of_line(code: &Code, line: u32) -> Option<TurnOfLine> {
    let step = code.view.step(line as usize)?;
    let evidence = code.view.blame.lines.get(line as usize).copied().flatten()?.evidence;
    Some(TurnOfLine {
        agent: lens::agent_name(step.agent.short(), evidence).into(),
        session: step.session.as_ref().into(),
        title: step.title.clone(),
        step: place_of(step),
        at: Some(step.at),
    })
}

/// `None`: neither the client nor we can do it.
fn to_protocol(asked: &Snapshot, uri: &Url, range: Range, action: &Action) -> Option<CodeActionOrCommand> {
    let of_client = |id: &'static str| asked.profile.has_command(id).then_some(id);
    let turn = StepRef { turn: action.step.turn, steps: Vec::new() };
    let (command, address, what) = match action.kind {
        ActionKind::OpenTurn => (commands::own_or(asked, commands::OPEN_TURN, commands::SHOW), &action.step, None),
        ActionKind::StepDiff => (commands::own_or(asked, commands::STEP_DIFF, commands::DIFF), &action.step, None),
        ActionKind::TurnChanges => (commands::own_or(asked, commands::TURN_CHANGES, commands::DIFF), &turn, None),
        ActionKind::UndoTurn => (commands::undo_of(asked, &turn)?, &turn, None),
        ActionKind::LineHistory => match of_client(commands::LINE_HISTORY) {
            Some(command) => (command, &action.step, None),
            None => (commands::SHOW, &action.step, Some("history")),
        },
        ActionKind::Explain => return Some(explain(asked, uri, range)),
    };
    let mut argument = json!({ "uri": uri, "range": range });
    match what {
        Some(what) => argument["what"] = json!(what),
        None => argument["address"] = json!(address_of(&action.session, address)),
    }
    Some(with_command(asked, &action.title, command, argument))
}

fn address_of(session: &str, step: &StepRef) -> String {
    address(session, step)
}

fn explain(asked: &Snapshot, uri: &Url, range: Range) -> CodeActionOrCommand {
    let place = json!({ "uri": uri, "range": range });
    let title = "Explain this line";
    if asked.profile.has_command(commands::EXPLAIN) {
        return with_command(asked, title, commands::EXPLAIN, place);
    }
    let mut argument = place;
    argument["what"] = json!("explain");
    with_command(asked, title, commands::SHOW, argument)
}

fn with_command(asked: &Snapshot, title: &str, command: &str, argument: Value) -> CodeActionOrCommand {
    let command = Command::new(title.to_owned(), command.to_owned(), Some(vec![argument]));
    if !asked.profile.code_action_literals {
        return CodeActionOrCommand::Command(command);
    }
    CodeActionOrCommand::CodeAction(CodeAction {
        title: title.to_owned(),
        kind: Some(CodeActionKind::from(KIND)),
        command: Some(command),
        ..CodeAction::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        let wants = |only: &[&'static str]| {
            wants_ours(&only.iter().map(|kind| CodeActionKind::from(*kind)).collect::<Vec<_>>())
        };
        assert!(wants(&[""]) && wants(&["source"]) && wants(&["quickfix", "source.turnlens"]));
        assert!(!wants(&[]) && !wants(&["quickfix"]) && !wants(&["source.fixAll"]) && !wants(&["source.turn"]));
    }
}
