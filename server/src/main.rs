//! `turnlens`: the language server and the command line.

mod answers;
mod cli;
mod client;
mod dispatch;
mod door;
mod engine;
mod frame;
#[cfg(test)]
mod fuzz;
mod log;
mod lsp;
mod message;
mod news;
mod parent;
mod pool;
mod profile;
mod requests;
mod settings;
mod state;
mod text;
mod time;
mod timings;
mod tolerate;
mod transport;
mod uri;

/// Reading on two threads takes a fifth longer with glibc's own.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// And 2.5 times as long with musl's own.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ! {
    let code = cli::run();
    // Not a return: threads may be blocked in stdin.
    std::process::exit(code.into())
}
