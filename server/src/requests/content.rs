//! `workspace/textDocumentContent`, and the same under our name: the text of a document of ours.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lens::DocumentId;
use serde::Deserialize;
use serde_json::{Value, json};
use tower_lsp::jsonrpc::{Error, Result};
use url::Url;

use super::target::Target;
use crate::answers::documents::Page;
use crate::lsp::Server;
use crate::pool::Lane;
use crate::state::State;
use crate::uri::DocumentKey;

/// A document that was opened before its log was read is waited for so long; then a text says that it will come.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks: short at first, for the page may be about to come; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(8);

#[derive(Deserialize)]
pub(crate) struct ContentParams {
    uri: Url,
}

/// What is known of a document.
enum Content {
    Page(Arc<Page>),
    /// Not there, with logs read so far and logs in all: it may be in one that follows.
    Reading(usize, usize),
    Missing,
}

impl Server {
    pub(super) async fn content(&self, params: ContentParams) -> Result<Value> {
        let Target::Ours(id) = self.state.target(&params.uri) else {
            return Err(Error::invalid_params(format!("{} is no document of Turnlens.", params.uri)));
        };
        let key = DocumentKey::from_url(&params.uri);
        match content_when_read(&self.state, id).await? {
            Content::Page(page) => {
                self.state.news.has(key, page.hash);
                Ok(json!({ "text": page.rendered.text }))
            }
            Content::Reading(done, total) => {
                self.state.news.awaits(key);
                let text = format!("Still reading: {done} of {total} sessions. This document is not known yet.\n");
                Ok(json!({ "text": text }))
            }
            Content::Missing => {
                Err(Error::invalid_params(format!("{}: there is no such document, or no longer.", params.uri)))
            }
        }
    }
}

/// A document; while logs are being read for the first time it is looked for again and again.
async fn content_when_read(state: &State, id: DocumentId) -> Result<Content> {
    let asked = state.snapshot();
    let ends = Instant::now() + PATIENCE;
    let mut pause = FIRST_PAUSE;
    loop {
        let (asked, id) = (asked.clone(), id.clone());
        let cancel = asked.cancel.clone();
        let look = move |_: &_| {
            // Taken first: what was read before it is on the page.
            let reading = asked.engine.workspace.moment().reading();
            if let (Some(_), DocumentId::Trace { session, .. }) = (reading, &id) {
                asked.engine.workspace.index().read_first(session);
            }
            match (asked.page(&id), reading) {
                (Some(page), _) => Content::Page(page),
                (None, Some((done, total))) => Content::Reading(done, total),
                (None, None) => Content::Missing,
            }
        };
        let found = state.pools.run(Lane::Quick, &cancel, look).await?;
        if !matches!(found, Content::Reading(..)) || Instant::now() >= ends {
            return Ok(found);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
