//! `turnlens/doctor`: what was found where, what could not be read, what to do next, and how fast this server is.

use serde_json::{Value, json};
use tower_lsp::jsonrpc::Result;

use crate::answers::Answers;
use crate::answers::doctor::{Asker, Report};
use crate::answers::speed::Speed;
use crate::cli::out::Paint;
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
            let report = Report::new(&answers, Some(here)).text(&frame, Asker::Editor, Some(client));
            let speed = Speed::of(&asked.engine, &asked.documents, &asked.timings).text(Paint::NONE);
            json!({ "text": format!("{report}\n{speed}") })
        };
        self.state.answer(Lane::Slow, answer).await
    }
}
