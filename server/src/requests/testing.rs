//! Requests that misbehave in every way a handler can, for the end-to-end tests. They exist only in a process started
//! with `TURNLENS_TEST_METHODS=1`.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use tower_lsp::LspServiceBuilder;
use tower_lsp::jsonrpc::Result;
use tower_lsp::lsp_types::request::WorkspaceConfiguration;
use tower_lsp::lsp_types::{ConfigurationParams, TextDocumentIdentifier};

use crate::lsp::Server;
use crate::pool::{Cancel, Lane};

pub(super) fn is_wanted() -> bool {
    std::env::var_os("TURNLENS_TEST_METHODS").is_some_and(|value| value == "1")
}

pub(super) fn register(service: LspServiceBuilder<Server>) -> LspServiceBuilder<Server> {
    service
        .custom_method("turnlens/test/hold", Server::test_hold)
        .custom_method("turnlens/test/release", Server::test_release)
        .custom_method("turnlens/test/counts", Server::test_counts)
        .custom_method("turnlens/test/panic", Server::test_panic)
        .custom_method("turnlens/test/panicNotification", Server::test_panic_notification)
        .custom_method("turnlens/test/askClient", Server::test_ask_client)
        .custom_method("turnlens/test/text", Server::test_text)
        .custom_method("turnlens/test/state", Server::test_state)
        .custom_method("turnlens/test/print", Server::test_print)
}

/// Keeps requests running until the test says otherwise, so that no test depends on time.
struct Gate {
    released: watch::Sender<bool>,
    held: AtomicUsize,
    cancelled: AtomicUsize,
}

static GATE: LazyLock<Gate> = LazyLock::new(|| Gate {
    released: watch::Sender::new(false),
    held: AtomicUsize::new(0),
    cancelled: AtomicUsize::new(0),
});

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum How {
    /// Waits without a thread.
    Await,
    /// Keeps a thread busy.
    Quick,
    Slow,
    Background,
}

#[derive(Deserialize)]
struct HoldParams {
    how: How,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum When {
    /// While the loop polls for the first time.
    Now,
    /// In a task.
    Later,
    /// In a thread of the pool.
    Job,
}

#[derive(Deserialize)]
struct PanicParams {
    when: When,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TextParams {
    text_document: TextDocumentIdentifier,
}

impl Server {
    async fn test_hold(&self, params: HoldParams) -> Result<&'static str> {
        let lane = match params.how {
            How::Quick => Lane::Quick,
            How::Slow => Lane::Slow,
            How::Background => Lane::Background,
            How::Await => {
                GATE.held.fetch_add(1, Ordering::SeqCst);
                // Fails only if the sender is gone, and it is static.
                _ = GATE.released.subscribe().wait_for(|released| *released).await;
                return Ok("released");
            }
        };
        let cancel = self.state.snapshot().cancel;
        Ok(self.state.pools.run(lane, &cancel, hold_thread).await?)
    }

    async fn test_release(&self) -> Result<()> {
        GATE.released.send_replace(true);
        Ok(())
    }

    async fn test_counts(&self) -> Result<Value> {
        let count = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
        Ok(json!({ "held": count(&GATE.held), "cancelled": count(&GATE.cancelled) }))
    }

    async fn test_panic(&self, params: PanicParams) -> Result<()> {
        match params.when {
            When::Now => panic!("on purpose, now"),
            When::Later => {
                tokio::time::sleep(Duration::from_millis(1)).await;
                panic!("on purpose, later");
            }
            When::Job => {
                let cancel = self.state.snapshot().cancel;
                Ok(self.state.pools.run(Lane::Quick, &cancel, |_| panic!("on purpose, in a job")).await?)
            }
        }
    }

    async fn test_panic_notification(&self) {
        panic!("on purpose, in a notification");
    }

    /// What no real handler does: it waits for the client.
    async fn test_ask_client(&self) -> Result<Value> {
        let answer = self.state.client.ask::<WorkspaceConfiguration>(ConfigurationParams { items: Vec::new() }).await;
        Ok(match answer {
            Ok(answer) => json!({ "answer": answer }),
            Err(error) => json!({ "error": error.to_string() }),
        })
    }

    async fn test_text(&self, params: TextParams) -> Result<Value> {
        let Some(document) = self.state.document(&params.text_document.uri) else { return Ok(Value::Null) };
        Ok(json!({ "text": document.text(), "version": document.version, "language": &*document.language }))
    }

    async fn test_state(&self) -> Result<Value> {
        let snapshot = self.state.snapshot();
        Ok(json!({
            "profile": format!("{:?}", snapshot.profile),
            "settings": format!("{:?}", snapshot.settings),
            "folders": &*snapshot.folders,
        }))
    }

    /// Writes to the log at every level.
    async fn test_print(&self) -> Result<()> {
        crate::log::error!("a test's line");
        crate::log::debug!("a test's line\nof two");
        Ok(())
    }
}

fn hold_thread(cancel: &Cancel) -> &'static str {
    GATE.held.fetch_add(1, Ordering::SeqCst);
    while !*GATE.released.borrow() {
        if cancel.is_cancelled() {
            GATE.cancelled.fetch_add(1, Ordering::SeqCst);
            return "cancelled";
        }
        thread::sleep(Duration::from_millis(1));
    }
    "released"
}
