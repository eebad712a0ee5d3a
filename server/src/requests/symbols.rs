//! `workspace/symbol`: turns by their prompts, behind a question mark.

use tower_lsp::jsonrpc::Result;
use tower_lsp::lsp_types::{Location, Range, SymbolInformation, SymbolKind, WorkspaceSymbolParams};
use url::Url;

use lens::Part;

use crate::answers::Answers;
use crate::lsp::Server;
use crate::pool::Lane;
use crate::profile::VirtualDocs;
use crate::settings::WorkspaceSymbols;
use crate::state::Snapshot;

/// Where each symbol's document has to be written as a file, so many.
const MOST_FILES: usize = 32;

pub(crate) async fn symbols(server: &Server, params: WorkspaceSymbolParams) -> Result<Option<Vec<SymbolInformation>>> {
    let answer = move |asked: &Snapshot| {
        if asked.settings.workspace_symbols == WorkspaceSymbols::Off || !asked.settings.enable {
            return None;
        }
        let always = asked.settings.workspace_symbols == WorkspaceSymbols::Always;
        if !always && !params.query.trim_start().starts_with('?') {
            return None;
        }
        let frame = asked.frame(None);
        let answers = Answers::new(&asked.engine.workspace, &frame);
        let here = asked.sessions_here(&answers.moment);
        let paths = answers.moment.logs().sessions().filter(|path| here.contains(&path.session));
        let loaded =
            paths.take_while(|_| !asked.cancel.is_cancelled()).filter_map(|log| answers.moment.logs().load(log.log));
        let mut found = lens::turn_symbols(&params.query, always, loaded);
        if asked.profile.virtual_docs == VirtualDocs::Files {
            found.truncate(MOST_FILES);
        }
        let wanted = found.iter().take_while(|_| !asked.cancel.is_cancelled());
        Some(wanted.filter_map(|symbol| to_protocol(asked, &answers, symbol)).collect())
    };
    server.state.answer(Lane::Slow, answer).await
}

#[expect(deprecated, reason = "the field is there and has to be given")]
fn to_protocol(asked: &Snapshot, answers: &Answers<'_>, symbol: &lens::TurnSymbol) -> Option<SymbolInformation> {
    let view = answers.moment.session_view(&symbol.session)?;
    let uri = asked.uri_of_part(answers, &view, Part::Turn(symbol.turn))?;
    Some(SymbolInformation {
        name: symbol.name.clone(),
        kind: if asked.profile.event_in_workspace { SymbolKind::EVENT } else { SymbolKind::CLASS },
        tags: None,
        deprecated: None,
        location: Location { uri: Url::parse(&uri).ok()?, range: Range::default() },
        container_name: Some(symbol.container.clone()),
    })
}
