//! `textDocument/definition`: from code to its turn where no language server answers, and back.

use tower_lsp::jsonrpc::Result;
use tower_lsp::lsp_types::{GotoDefinitionParams, GotoDefinitionResponse, Location};

use super::line::{code_of, turn_of};
use super::target::{CodeTarget, Target};
use crate::answers::Answers;
use crate::lsp::Server;
use crate::pool::Lane;
use crate::settings::Definition;
use crate::state::Snapshot;

pub(crate) async fn definition(
    server: &Server,
    params: GotoDefinitionParams,
) -> Result<Option<GotoDefinitionResponse>> {
    let at = params.text_document_position_params;
    let target = server.state.target(&at.text_document.uri);
    let answer = move |asked: &Snapshot| match target {
        Target::Code(target) => in_code(asked, &target, at.position),
        Target::Ours(id) => {
            code_of(asked, &id, at.position.line)?.0.or_else(|| super::links::linked(asked, &id, at.position))
        }
        Target::Other => None,
    };
    let place = server.state.answer(Lane::Quick, answer).await?;
    Ok(place.map(GotoDefinitionResponse::Scalar))
}

fn in_code(asked: &Snapshot, target: &CodeTarget, position: tower_lsp::lsp_types::Position) -> Option<Location> {
    if asked.settings.definition == Definition::Off {
        return None;
    }
    let frame = asked.frame(Some(&target.path));
    let answers = Answers::new(&asked.engine.workspace, &frame);
    let code = asked.code(&answers, target)?;
    if asked.settings.definition == Definition::Margin {
        let text = code.document.line_text(position);
        let before = text.get(..crate::text::byte_at(&text, position.character, asked.profile.encoding))?;
        // In the white space before the line's text; on the text's first character a language server answers.
        if text.trim_start().len() + before.len() >= text.len() && !text.trim().is_empty() {
            return None;
        }
    }
    turn_of(asked, &answers, &code, code.line_at(asked, position))
}
