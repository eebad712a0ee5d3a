//! `turnlens lsp`: the language server on stdin and stdout.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use tokio::runtime::{Handle, Runtime};

use super::Exit;
use crate::client::Client;
use crate::dispatch::Dispatcher;
use crate::log;
use crate::state::State;
use crate::time::LocalZone;
use crate::transport::{self, Outgoing};

/// Serve an editor on stdin and stdout
#[derive(clap::Args)]
pub(super) struct Args {
    /// Taken for the sake of clients that pass it; there is no other way to talk
    #[arg(long)]
    stdio: bool,

    /// Leave when this process is gone
    #[arg(long = "clientProcessId", alias = "client-process-id", value_name = "PID")]
    client_process_id: Option<u32>,

    /// Write the log to a file instead of stderr; TURNLENS_LOG sets how loud it is
    #[arg(long, value_name = "FILE")]
    log_file: Option<PathBuf>,
}

/// Threads that only pass things on; work is done by the pools.
const TASK_THREADS: usize = 2;

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    log::start(args.log_file.as_deref())?;
    log::info!("turnlens {} serves, stdio {}", env!("CARGO_PKG_VERSION"), args.stdio);
    LocalZone::look_ahead();
    let runtime = runtime()?;
    let _inside = runtime.enter();
    let tasks = runtime.handle().clone();
    let code =
        transport::serve(io::stdin(), io::stdout(), args.client_process_id, |outgoing| server(outgoing, &tasks).1)
            .context("cannot start the threads of the server")?;
    log::info!("the server leaves with {code}");
    // Dropping the runtime would wait for what is still running.
    drop(_inside);
    runtime.shutdown_background();
    Ok(Exit(code))
}

/// The threads that pass messages on.
pub(super) fn runtime() -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(TASK_THREADS)
        .thread_name("turnlens-task")
        .enable_time()
        .build()
        .context("cannot start the threads of the server")
}

/// A server that answers to `outgoing`. To be called inside the runtime of `tasks`.
pub(super) fn server(outgoing: Outgoing, tasks: &Handle) -> (Arc<State>, Dispatcher) {
    let state = Arc::new(State::new(Client::new(outgoing.clone()), tasks.clone()));
    (state.clone(), Dispatcher::new(state, outgoing, tasks.clone()))
}
