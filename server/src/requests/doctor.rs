//! `turnlens/doctor`: what was found where, what could not be read, and what to do next.

use serde_json::{Value, json};
use tower_lsp::jsonrpc::Result;

use crate::answers::Answers;
use crate::answers::doctor::{Asker, Report};
use crate::lsp::Server;
use crate::pool::Lane;
use crate::state::Snapshot;

impl Server {
    pub(super) async fn doctor(&self, _: Value) -> Result<Value> {
        let answer = |asked: &Snapshot| {
            let frame = asked.frame(None);
            let answers = Answers::new(&asked.engine.workspace, &frame);
            let here = asked.sessions_here(&answers.moment).len();
            let client = if asked.profile.name.is_empty() { "unnamed client" } else { &asked.profile.name };
            json!({ "text": Report::new(&answers, Some(here)).text(&frame, Asker::Editor, Some(client)) })
        };
        self.state.answer(Lane::Slow, answer).await
    }
}
