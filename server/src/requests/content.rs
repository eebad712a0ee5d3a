//! `workspace/textDocumentContent`, and the same under our name: the text of a document of ours.

use serde::Deserialize;
use serde_json::{Value, json};
use tower_lsp::jsonrpc::{Error, Result};
use url::Url;

use super::target::Target;
use crate::lsp::Server;
use crate::pool::Lane;
use crate::uri::DocumentKey;

#[derive(Deserialize)]
pub(crate) struct ContentParams {
    uri: Url,
}

impl Server {
    pub(super) async fn content(&self, params: ContentParams) -> Result<Value> {
        let Target::Ours(id) = self.state.target(&params.uri) else {
            return Err(Error::invalid_params(format!("{} is no document of Turnlens.", params.uri)));
        };
        let page = self.state.answer(Lane::Quick, move |asked| asked.page(&id)).await?;
        let Some(page) = page else {
            return Err(Error::invalid_params(format!("{}: there is no such document, or no longer.", params.uri)));
        };
        self.state.news.has(DocumentKey::from_url(&params.uri), page.hash);
        Ok(json!({ "text": page.rendered.text }))
    }
}
