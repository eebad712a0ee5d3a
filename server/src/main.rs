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

/// What was let go of goes back to the system a second later, also where nothing is asked for any more: a server that
/// read thousands of sessions would keep three times the memory that it needs.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "jemalloc reads its settings from this name")]
#[unsafe(export_name = "_rjem_malloc_conf")]
#[used]
static SETTINGS: &[u8; 60] = b"background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0\0";

/// And 2.5 times as long with musl's own.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ! {
    let code = cli::run();
    // Not a return: threads may be blocked in stdin.
    std::process::exit(code.into())
}
