//! What stands over documents of ours: outline, folds, colours, references. For all other documents the answer is
//! `null`, never an empty list: that would take the place of what the editor does itself.

use std::path::Path;

use lens::{FoldKind, SymbolKind as Kind, TokenKind};
use tower_lsp::jsonrpc::Result;
use tower_lsp::lsp_types::{
    DocumentSymbol, DocumentSymbolParams, DocumentSymbolResponse, FoldingRange, FoldingRangeKind, FoldingRangeParams,
    Location, Position, Range, ReferenceParams, SemanticToken, SemanticTokenType, SemanticTokens, SemanticTokensLegend,
    SemanticTokensParams, SemanticTokensRangeParams, SemanticTokensRangeResult, SemanticTokensResult,
    SymbolInformation, SymbolKind,
};
use url::Url;

use super::target::Target;
use crate::answers::Answers;
use crate::answers::documents::Page;
use crate::lsp::Server;
use crate::pool::Lane;
use crate::state::Snapshot;
use crate::text::column_of;

pub(crate) async fn symbols(server: &Server, params: DocumentSymbolParams) -> Result<Option<DocumentSymbolResponse>> {
    let uri = params.text_document.uri;
    let Target::Ours(id) = server.state.target(&uri) else { return Ok(None) };
    let answer = move |asked: &Snapshot| {
        let page = asked.page(&id)?;
        if asked.profile.hierarchical_symbols {
            let nested = page.rendered.symbols.iter().map(|symbol| nested(asked, &page, symbol)).collect();
            return Some(DocumentSymbolResponse::Nested(nested));
        }
        let mut flat = Vec::new();
        flatten(asked, &page, &uri, None, &page.rendered.symbols, &mut flat);
        Some(DocumentSymbolResponse::Flat(flat))
    };
    server.state.answer(Lane::Quick, answer).await
}

#[expect(deprecated, reason = "the field is there and has to be given")]
fn nested(asked: &Snapshot, page: &Page, symbol: &lens::Symbol) -> DocumentSymbol {
    DocumentSymbol {
        name: symbol.name.clone(),
        detail: Some(symbol.detail.clone()).filter(|detail| !detail.is_empty()),
        kind: kind(symbol.kind, asked.profile.event_in_outline),
        tags: None,
        deprecated: None,
        range: whole_range(asked, page, symbol),
        selection_range: asked.range_in(page, symbol.line),
        children: Some(symbol.children.iter().map(|child| nested(asked, page, child)).collect()),
    }
}

#[expect(deprecated, reason = "the field is there and has to be given")]
fn flatten(
    asked: &Snapshot,
    page: &Page,
    uri: &Url,
    container: Option<&str>,
    symbols: &[lens::Symbol],
    all: &mut Vec<SymbolInformation>,
) {
    for symbol in symbols {
        all.push(SymbolInformation {
            name: symbol.name.clone(),
            kind: kind(symbol.kind, asked.profile.event_in_outline),
            tags: None,
            deprecated: None,
            location: Location { uri: uri.clone(), range: whole_range(asked, page, symbol) },
            container_name: container.map(str::to_owned),
        });
        flatten(asked, page, uri, Some(&symbol.name), &symbol.children, all);
    }
}

fn whole_range(asked: &Snapshot, page: &Page, symbol: &lens::Symbol) -> Range {
    let end = asked.range_in(page, symbol.end.max(symbol.line)).end;
    Range { start: Position { line: symbol.line, character: 0 }, end }
}

fn kind(kind: Kind, knows_event: bool) -> SymbolKind {
    match kind {
        Kind::Turn => SymbolKind::CLASS,
        Kind::Edit => SymbolKind::METHOD,
        Kind::Failed if knows_event => SymbolKind::EVENT,
        Kind::Failed => SymbolKind::METHOD,
        Kind::Agent => SymbolKind::MODULE,
        Kind::Compaction => SymbolKind::NAMESPACE,
        Kind::Group => SymbolKind::PACKAGE,
    }
}

pub(crate) async fn folds(server: &Server, params: FoldingRangeParams) -> Result<Option<Vec<FoldingRange>>> {
    let Target::Ours(id) = server.state.target(&params.text_document.uri) else { return Ok(None) };
    let answer = move |asked: &Snapshot| {
        let page = asked.page(&id)?;
        // Whole lines fit clients that fold lines only, and all others too.
        let fold = |fold: &lens::Fold| FoldingRange {
            start_line: fold.start,
            end_line: fold.end,
            kind: match fold.kind {
                FoldKind::Section => None,
                FoldKind::Comment => Some(FoldingRangeKind::Comment),
                FoldKind::Region => Some(FoldingRangeKind::Region),
            },
            ..FoldingRange::default()
        };
        Some(page.rendered.folds.iter().map(fold).collect())
    };
    server.state.answer(Lane::Quick, answer).await
}

/// Standard types, in the order of [`token_type`].
pub(crate) fn legend() -> SemanticTokensLegend {
    let token_types = vec![
        SemanticTokenType::CLASS,
        SemanticTokenType::STRING,
        SemanticTokenType::KEYWORD,
        SemanticTokenType::MACRO,
        SemanticTokenType::COMMENT,
    ];
    SemanticTokensLegend { token_types, token_modifiers: Vec::new() }
}

fn token_type(kind: TokenKind) -> u32 {
    match kind {
        TokenKind::Heading => 0,
        TokenKind::Inserted => 1,
        TokenKind::Deleted => 2,
        TokenKind::Hunk => 3,
        TokenKind::Comment => 4,
    }
}

pub(crate) async fn tokens(server: &Server, params: SemanticTokensParams) -> Result<Option<SemanticTokensResult>> {
    let tokens = tokens_of_lines(server, &params.text_document.uri, None).await?;
    Ok(tokens.map(SemanticTokensResult::Tokens))
}

pub(crate) async fn tokens_in_range(
    server: &Server,
    params: SemanticTokensRangeParams,
) -> Result<Option<SemanticTokensRangeResult>> {
    let lines = (params.range.start.line, params.range.end.line);
    let tokens = tokens_of_lines(server, &params.text_document.uri, Some(lines)).await?;
    Ok(tokens.map(SemanticTokensRangeResult::Tokens))
}

async fn tokens_of_lines(server: &Server, uri: &Url, lines: Option<(u32, u32)>) -> Result<Option<SemanticTokens>> {
    let Target::Ours(id) = server.state.target(uri) else { return Ok(None) };
    let answer = move |asked: &Snapshot| {
        let page = asked.page(&id)?;
        let (first, last) = lines.unwrap_or((0, u32::MAX));
        let tokens = page.rendered.tokens.iter().filter(|token| (first..=last).contains(&token.line));
        let mut data = Vec::new();
        let mut before = (0, 0);
        for token in tokens {
            let column = |byte: u32| column_of(page.line(token.line), byte as usize, asked.profile.encoding);
            let (start, end) = (column(token.start), column(token.end));
            if end <= start {
                continue;
            }
            let delta_line = token.line - before.0;
            let delta_start = if delta_line == 0 { start - before.1 } else { start };
            before = (token.line, start);
            let token_type = token_type(token.kind);
            data.push(SemanticToken {
                delta_line,
                delta_start,
                length: end - start,
                token_type,
                token_modifiers_bitset: 0,
            });
        }
        Some(SemanticTokens { result_id: None, data })
    };
    server.state.answer(Lane::Quick, answer).await
}

/// Every living line of what a line of a trace tells of.
pub(crate) async fn references(server: &Server, params: ReferenceParams) -> Result<Option<Vec<Location>>> {
    let at = params.text_document_position;
    let Target::Ours(id) = server.state.target(&at.text_document.uri) else { return Ok(None) };
    let answer = move |asked: &Snapshot| {
        let page = asked.page(&id)?;
        let anchor = lens::spot(&page.rendered, at.position.line)?;
        let frame = asked.frame_of(&id);
        let answers = Answers::new(&asked.engine.workspace, &frame);
        let view = match &anchor.session {
            Some(session) => answers.moment.session_view(session)?,
            None => page.session.clone()?,
        };
        let location = |span: &lens::Span| asked.lines_in_file(Path::new(&*span.path), span.from, span.to);
        Some(lens::references(&view.session, anchor, &answers).iter().filter_map(location).collect())
    };
    server.state.answer(Lane::Slow, answer).await
}
