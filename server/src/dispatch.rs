//! From messages to handlers and back, in order.
//!
//! The future of each message is polled once, here, before the next message is looked at: what a handler does before
//! its first `.await` happens in the order of arrival. What is still pending goes to a task. A panic ends the handler,
//! never the session.
//!
//! A request is answered by whoever takes its id out of the table of running requests, so it is answered once.

use std::collections::HashMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{AbortHandle, abortable};
use serde_json::Value;
use tower::Service;
use tower_lsp::LspService;
use tower_lsp::jsonrpc::{Error, ErrorCode, Request, Response};

use crate::client::Client;
use crate::log;
use crate::lsp::{self, Server};
use crate::message::{Incoming, RequestId, error, reply};
use crate::pool::Cancel;
use crate::state::State;
use crate::tolerate;
use crate::transport::Outgoing;

/// Handlers that hold up the loop for longer are named in the log.
const LONG_TURN: Duration = Duration::from_millis(100);

pub(crate) enum Next {
    Go,
    /// Go on, and leave when this process is gone.
    Watch(u32),
    Exit(u8),
}

pub(crate) struct Dispatcher {
    service: LspService<Server>,
    phase: Phase,
    running: Running,
    client: Client,
    state: Arc<State>,
    tasks: tokio::runtime::Handle,
    /// tower-lsp gets ids of our own: its table keeps the id of a handler that panicked for ever.
    last_id: i64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Uninitialized,
    Initialized,
    ShutDown,
}

impl Dispatcher {
    /// To be called, and used, inside the runtime of `tasks`.
    pub(crate) fn new(state: Arc<State>, outgoing: Outgoing, tasks: tokio::runtime::Handle) -> Dispatcher {
        Dispatcher {
            service: lsp::service(state.clone()),
            phase: Phase::Uninitialized,
            running: Running { outgoing, table: Arc::default() },
            client: state.client.clone(),
            state,
            tasks,
            last_id: 0,
        }
    }

    pub(crate) fn dispatch(&mut self, message: Incoming) -> Next {
        match message {
            Incoming::Reply { id, answer } => self.client.answer(&id, answer),
            Incoming::Bad { id, error } => {
                log::warning!("a message was refused: {}", error.message);
                self.running.refuse(&id, error);
            }
            Incoming::Notification { method, params } => match method.as_str() {
                "exit" => return Next::Exit(if self.phase == Phase::ShutDown { 0 } else { 1 }),
                "$/cancelRequest" => self.cancel(params.as_ref()),
                _ if self.phase != Phase::Initialized => log::debug!("{method} dropped: not initialized or shut down"),
                _ => self.notify(method, params),
            },
            Incoming::Request { id, method, params } => {
                if let Err(error) = self.may_run(&id, &method) {
                    self.running.refuse(&id, error);
                } else if method == "initialize" {
                    return self.initialize(id, params.unwrap_or_default());
                } else {
                    if method == "shutdown" {
                        self.phase = Phase::ShutDown;
                    }
                    self.request(id, method, params);
                }
            }
        }
        Next::Go
    }

    /// Answers everything that still runs, at the end of the session.
    pub(crate) fn abandon_all(&self) {
        let ids: Vec<RequestId> = self.running.table().keys().cloned().collect();
        for id in ids {
            self.running.cancel(&id);
        }
    }

    fn may_run(&self, id: &RequestId, method: &str) -> Result<(), Error> {
        match self.phase {
            _ if self.running.table().contains_key(id) => {
                Err(error(ErrorCode::InvalidRequest, "A request with this id is still running."))
            }
            Phase::Uninitialized if method != "initialize" => {
                Err(error(ErrorCode::ServerError(-32002), "The server is not initialized."))
            }
            Phase::Initialized if method == "initialize" => {
                Err(error(ErrorCode::InvalidRequest, "The server is initialized already."))
            }
            Phase::ShutDown => Err(error(ErrorCode::InvalidRequest, "The server is shut down.")),
            _ => Ok(()),
        }
    }

    fn initialize(&mut self, id: RequestId, params: Value) -> Next {
        self.state.initialize(&params);
        self.phase = Phase::Initialized;
        self.request(id, "initialize".into(), None);
        self.state.profile().process_id.map_or(Next::Go, Next::Watch)
    }

    fn cancel(&self, params: Option<&Value>) {
        if let Some(id) = params.and_then(|params| params.get("id")).and_then(RequestId::from_json) {
            self.running.cancel(&id);
        }
    }

    fn notify(&mut self, method: String, params: Option<Value>) {
        let request = Request::build(method.clone());
        let started = Instant::now();
        let Some(handler) = self.call(&method, params, request) else { return };
        let mut handler = Box::pin(handler);
        if poll_once(&method, handler.as_mut()).is_none() {
            self.tasks.spawn(handler);
        }
        self.state.timings.record(&method, started.elapsed());
    }

    fn request(&mut self, id: RequestId, method: String, params: Option<Value>) {
        self.last_id += 1;
        let request = Request::build(method.clone()).id(self.last_id);
        let started = Instant::now();
        let cancel = Cancel::default();
        let Some(handler) = self.call(&method, params, request) else {
            return self.running.refuse(&id, panicked(&method));
        };
        let (handler, abort) = abortable(cancel.scope(handler));
        let name = method.clone();
        self.running.table().insert(id.clone(), Entry { cancel, abort });
        let running = self.running.clone();
        let profile = self.state.profile();
        let timings = self.state.timings.clone();
        let mut handler = Box::pin(async move {
            // Who aborted it has answered.
            let Ok(outcome) = handler.await else { return };
            let answer = match outcome {
                Ok(Some(response)) => lsp::finish_result(&method, response.into_parts().1, &profile),
                // tower-lsp has no answer to requests it does not know if their name begins with `$/`.
                Ok(None) => Err(Error::method_not_found()),
                Err(()) => Err(panicked(&method)),
            };
            running.answer(&id, answer);
            timings.record(&method, started.elapsed());
            log::debug!("{method} answered after {:?}", started.elapsed());
        });
        if poll_once(&name, handler.as_mut()).is_none() {
            self.tasks.spawn(handler);
        }
    }

    /// The handler's future; its outcome is an error if it panicked. `None` if it panicked before there was a future.
    fn call(
        &mut self,
        method: &str,
        mut params: Option<Value>,
        request: tower_lsp::jsonrpc::RequestBuilder,
    ) -> Option<impl Future<Output = Result<Option<Response>, ()>> + Send + use<>> {
        tolerate::params(method, &mut params);
        let request = match params {
            Some(params) => request.params(params),
            None => request,
        };
        let future = catch_unwind(AssertUnwindSafe(|| self.service.call(request.finish()))).ok()?;
        Some(AssertUnwindSafe(future).catch_unwind().map(|outcome| match outcome {
            // `ExitedError`: after `exit`, which tower-lsp never sees.
            Ok(response) => Ok(response.unwrap_or_default()),
            Err(_) => Err(()),
        }))
    }
}

/// Polls a handler for the first time and tells if that took long.
fn poll_once<T>(method: &str, handler: std::pin::Pin<&mut (dyn Future<Output = T> + Send)>) -> Option<T> {
    let started = Instant::now();
    let outcome = handler.now_or_never();
    let elapsed = started.elapsed();
    if elapsed > LONG_TURN {
        log::warning!("{method} held up the loop for {elapsed:?}");
    }
    outcome
}

fn panicked(method: &str) -> Error {
    error(ErrorCode::InternalError, format!("{method} failed: a defect in Turnlens. Its log names the place."))
}

/// The requests that have no answer yet.
#[derive(Clone)]
struct Running {
    outgoing: Outgoing,
    table: Arc<Mutex<HashMap<RequestId, Entry>>>,
}

struct Entry {
    cancel: Cancel,
    abort: AbortHandle,
}

impl Running {
    fn answer(&self, id: &RequestId, answer: Result<Value, Error>) {
        if self.take(id).is_some() {
            self.outgoing.message(reply(id, &answer));
        }
    }

    /// Answers at once that the request was cancelled, and tells its work. Unknown ids are answered already.
    fn cancel(&self, id: &RequestId) {
        if let Some(entry) = self.take(id) {
            entry.cancel.cancel();
            entry.abort.abort();
            self.outgoing.message(reply(id, &Err(Error::request_cancelled())));
        }
    }

    /// Answers what never ran.
    fn refuse(&self, id: &RequestId, error: Error) {
        self.outgoing.message(reply(id, &Err(error)));
    }

    fn take(&self, id: &RequestId) -> Option<Entry> {
        self.table().remove(id)
    }

    fn table(&self) -> MutexGuard<'_, HashMap<RequestId, Entry>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
