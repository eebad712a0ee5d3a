//! `textDocument/documentLink`: the links of documents of ours.

use std::path::Path;

use lens::{DocumentId, LineNow, LinkTarget, Now, Part, Place, StepRef};
use serde_json::json;
use tower_lsp::jsonrpc::Result;
use tower_lsp::lsp_types::{DocumentLink, DocumentLinkParams, Location, Position, Range};
use url::Url;
use workspace::SessionView;

use super::target::Target;
use crate::answers::Answers;
use crate::answers::documents::Page;
use crate::lsp::Server;
use crate::pool::Lane;
use crate::state::Snapshot;
use crate::text::column_of;

pub(crate) async fn links(server: &Server, params: DocumentLinkParams) -> Result<Option<Vec<DocumentLink>>> {
    let uri = params.text_document.uri;
    let Target::Ours(id) = server.state.target(&uri) else { return Ok(None) };
    let answer = move |asked: &Snapshot| {
        let page = asked.page(&id)?;
        let frame = asked.frame_of(&page.id);
        let answers = Answers::new(&asked.engine.workspace, &frame);
        // A commit that no repository here has leads nowhere.
        let leads = |link: &lens::Link| match &link.target {
            LinkTarget::Commit { hash, folder } => answers.commit_document(hash, folder.as_deref()).is_some(),
            _ => true,
        };
        let link = |(at, link): (usize, &lens::Link)| {
            let data = Some(json!({ "uri": uri, "link": at }));
            DocumentLink { range: range_of(asked, &page, link), target: None, tooltip: None, data }
        };
        Some(page.rendered.links.iter().enumerate().filter(|(_, link)| leads(link)).map(link).collect())
    };
    server.state.answer(Lane::Quick, answer).await
}

pub(crate) async fn resolve(server: &Server, mut link: DocumentLink) -> Result<DocumentLink> {
    let Some(data) = link.data.take() else { return Ok(link) };
    let uri = data["uri"].as_str().and_then(|uri| Url::parse(uri).ok());
    let (Some(uri), Some(at)) = (uri, data["link"].as_u64()) else { return Ok(link) };
    let Target::Ours(id) = server.state.target(&uri) else { return Ok(link) };
    let answer = move |asked: &Snapshot| {
        let page = asked.page(&id)?;
        let wanted = page.rendered.links.get(usize::try_from(at).ok()?)?;
        let place = place_of(asked, &page, wanted)?;
        let mut uri = place.uri;
        if place.range.start.line > 0 {
            // As VS Code and Neovim read it.
            uri.set_fragment(Some(&format!("L{}", place.range.start.line + 1)));
        }
        Some(uri)
    };
    link.target = server.state.answer(Lane::Quick, answer).await?;
    Ok(link)
}

/// The link at a position.
pub(crate) fn linked(asked: &Snapshot, id: &DocumentId, position: Position) -> Option<Location> {
    let page = asked.page(id)?;
    let byte = u32::try_from(asked.byte_in(&page, position)).ok()?;
    let here = |link: &&lens::Link| link.line == position.line && link.start <= byte && byte < link.end;
    place_of(asked, &page, page.rendered.links.iter().find(here)?)
}

fn range_of(asked: &Snapshot, page: &Page, link: &lens::Link) -> Range {
    let text = page.line(link.line);
    let at =
        |byte: u32| Position { line: link.line, character: column_of(text, byte as usize, asked.profile.encoding) };
    Range { start: at(link.start), end: at(link.end) }
}

fn place_of(asked: &Snapshot, page: &Page, link: &lens::Link) -> Option<Location> {
    let frame = asked.frame_of(&page.id);
    let answers = Answers::new(&asked.engine.workspace, &frame);
    let start = |uri: String| Some(Location { uri: Url::parse(&uri).ok()?, range: Range::default() });
    match &link.target {
        LinkTarget::Document(id, name) => start(asked.uri_of(&answers, id, name)?),
        LinkTarget::Step(step) => step_place(asked, &answers, page.session.as_ref()?, step),
        LinkTarget::Session { session, step } => {
            let view = answers.moment.session_view(session)?;
            match step {
                Some(step) => step_place(asked, &answers, &view, step),
                None => start(asked.uri_of_part(&answers, &view, Part::Session)?),
            }
        }
        LinkTarget::Code { path, line, at } => {
            let view = page.session.as_ref();
            if let Some(place) = view.zip(*line).and_then(|(view, line)| line_now(&answers, view, path, line, at)) {
                return asked.location_in_file(Path::new(&*place.path), place.line);
            }
            let here = view.map(|view| answers.moment.local(&view.session, path));
            asked.location_in_file(&here.unwrap_or_else(|| Path::new(&**path).to_owned()), line.unwrap_or(1))
        }
        LinkTarget::Commit { hash, folder } => {
            start(asked.uri_of(&answers, &answers.commit_document(hash, folder.as_deref())?, hash)?)
        }
    }
}

/// Where a line that a step wrote, or the nearest to it, is now.
fn line_now(answers: &Answers<'_>, view: &SessionView, path: &str, line: u32, at: &StepRef) -> Option<Place> {
    let life = answers.step(&view.session.path.session, at.turn, &at.steps)?;
    let living = life.added.into_iter().filter(|added| *added.path == *path).filter_map(|added| match added.now {
        LineNow::At(place) => Some((added.line.abs_diff(line), place)),
        LineNow::Gone { .. } => None,
    });
    living.min_by_key(|(distance, _)| *distance).map(|(_, place)| place)
}

fn step_place(asked: &Snapshot, answers: &Answers<'_>, view: &SessionView, step: &StepRef) -> Option<Location> {
    let (page, range) = asked.place_of_step(answers, view, step, None)?;
    Some(Location { uri: Url::parse(&asked.uri_of_page(&page)?).ok()?, range })
}
