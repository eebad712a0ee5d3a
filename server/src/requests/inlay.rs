//! `textDocument/inlayHint`: the words of the lenses at the ends of lines, for editors that have nothing else. Off
//! where it was not switched on.

use lens::{LensKind, Scope};
use tower_lsp::jsonrpc::Result;
use tower_lsp::lsp_types::{InlayHint, InlayHintLabel, InlayHintParams};

use super::target::{CodeTarget, Target};
use crate::answers::Answers;
use crate::lsp::Server;
use crate::pool::Lane;
use crate::settings::LensScope;
use crate::state::Snapshot;

pub(crate) async fn hints(server: &Server, params: InlayHintParams) -> Result<Option<Vec<InlayHint>>> {
    let Target::Code(target) = server.state.target(&params.text_document.uri) else { return Ok(None) };
    let answer = move |asked: &Snapshot| {
        let lines = params.range.start.line..=params.range.end.line;
        let hints = asked.settings.inlay_hints.then(|| in_code(asked, &target))??;
        Some(hints.into_iter().filter(|hint| lines.contains(&hint.position.line)).collect())
    };
    server.state.answer(Lane::Quick, answer).await
}

fn in_code(asked: &Snapshot, target: &CodeTarget) -> Option<Vec<InlayHint>> {
    let frame = asked.frame(Some(&target.path));
    let answers = Answers::new(&asked.engine.workspace, &frame);
    let code = asked.code(&answers, target).filter(|code| !code.is_excluded)?;
    let scope = match asked.settings.code_lens {
        LensScope::Recent => Scope::Recent,
        LensScope::All => Scope::All,
        _ => Scope::Auto,
    };
    let owners = answers.owners(&code.view);
    let lines: Vec<&str> = provenance::lines(&code.view.text).collect();
    let lenses = lens::code_lenses(&lines, &owners.of_line, &owners.table, false, scope, &frame.view());
    let hint = |lens: &lens::Lens| InlayHint {
        position: code.range_of(asked, lens.line).end,
        label: InlayHintLabel::String(lens.title.clone()),
        kind: None,
        text_edits: None,
        tooltip: None,
        padding_left: Some(true),
        padding_right: None,
        data: None,
    };
    Some(lenses.iter().filter(|lens| matches!(lens.kind, LensKind::Turn { .. })).map(hint).collect())
}
