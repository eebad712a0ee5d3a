//! What we say to the client of our own accord: notifications, and questions with an answer.
//!
//! tower-lsp's `Client` is not used for this: it keeps a waiter for each question that was never answered and panics
//! when an answer comes to one that was given up.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::channel::oneshot;
use serde_json::{Value, json};
use tower_lsp::jsonrpc::Error;
use tower_lsp::lsp_types::notification::{Notification, ShowMessage};
use tower_lsp::lsp_types::request::Request;
use tower_lsp::lsp_types::{MessageType, ShowMessageParams};

use crate::log;
use crate::transport::Outgoing;

/// How long a program may take to answer; a question to a person has no end.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub(crate) struct Client {
    outgoing: Outgoing,
    questions: Arc<Mutex<Questions>>,
}

#[derive(Default)]
struct Questions {
    last_id: u64,
    open: HashMap<u64, oneshot::Sender<Result<Value, Error>>>,
}

#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// The client answered with an error, or with something that is no answer to this question.
    Refused(String),
    TimedOut,
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoAnswer::Refused(why) => write!(f, "refused: {why}"),
            NoAnswer::TimedOut => f.write_str("no answer in time"),
        }
    }
}

impl Client {
    pub(crate) fn new(outgoing: Outgoing) -> Client {
        Client { outgoing, questions: Arc::default() }
    }

    /// Sends a notification. Never waits; what is sent first arrives first.
    pub(crate) fn notify<N: Notification>(&self, params: N::Params) {
        let message = json!({ "jsonrpc": "2.0", "method": N::METHOD, "params": params });
        self.outgoing.notification(N::METHOD, message.to_string().into_bytes());
    }

    pub(crate) fn show_message(&self, kind: MessageType, message: impl Into<String>) {
        self.notify::<ShowMessage>(ShowMessageParams { typ: kind, message: message.into() });
    }

    /// Asks the client and waits for at most ten seconds. To be called from a detached task only: a handler that waits
    /// for the client can wait for ever.
    pub(crate) async fn ask<R: Request>(&self, params: R::Params) -> Result<R::Result, NoAnswer> {
        let answer = self.ask_a_person::<R>(params);
        tokio::time::timeout(PATIENCE, answer).await.unwrap_or(Err(NoAnswer::TimedOut))
    }

    /// Asks the client what a person answers, and waits for as long as that takes: in a detached task only.
    pub(crate) async fn ask_a_person<R: Request>(&self, params: R::Params) -> Result<R::Result, NoAnswer> {
        let (question, answer) = self.open_question();
        let mut message = json!({ "jsonrpc": "2.0", "id": question.id, "method": R::METHOD });
        // `null` params are left out: some clients reject them.
        if let (Ok(params @ (Value::Object(_) | Value::Array(_))), Value::Object(message)) =
            (serde_json::to_value(params), &mut message)
        {
            message.insert("params".into(), params);
        }
        self.outgoing.message(message.to_string().into_bytes());
        match answer.await {
            Err(oneshot::Canceled) => Err(NoAnswer::TimedOut),
            Ok(Err(error)) => Err(NoAnswer::Refused(error.message.into_owned())),
            Ok(Ok(result)) => serde_json::from_value(result).map_err(|error| NoAnswer::Refused(error.to_string())),
        }
    }

    /// Hands an answer to whoever asked. Late, repeated and foreign answers fall away.
    pub(crate) fn answer(&self, id: &Value, answer: Result<Value, Error>) {
        let waiting = id.as_u64().and_then(|id| self.questions().open.remove(&id));
        match waiting {
            Some(waiting) => _ = waiting.send(answer),
            None => log::debug!("an answer that nobody waits for: id {id}"),
        }
    }

    fn open_question(&self) -> (OpenQuestion<'_>, oneshot::Receiver<Result<Value, Error>>) {
        let (sender, answer) = oneshot::channel();
        let mut questions = self.questions();
        questions.last_id += 1;
        let id = questions.last_id;
        questions.open.insert(id, sender);
        (OpenQuestion { client: self, id }, answer)
    }

    fn questions(&self) -> MutexGuard<'_, Questions> {
        self.questions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets the question when whoever asked gives up.
struct OpenQuestion<'a> {
    client: &'a Client,
    id: u64,
}

impl Drop for OpenQuestion<'_> {
    fn drop(&mut self) {
        self.client.questions().open.remove(&self.id);
    }
}
