//! Leaving when the process that started us is gone. The end of stdin tells the same, mostly: not when another process
//! holds the pipe open.

use std::thread;
use std::time::Duration;

use crossbeam_channel::Sender;

use crate::log;
use crate::transport::Event;

const INTERVAL: Duration = Duration::from_secs(3);

/// Tells `events` when the process ends. Does nothing if it cannot be seen now: in a container its number means
/// another process or none.
pub(crate) fn watch(process: u32, events: Sender<Event>) {
    if !is_alive(process) {
        log::info!("the client's process {process} cannot be seen; it is not watched");
        return;
    }
    let body = move || {
        while is_alive(process) {
            thread::sleep(INTERVAL);
        }
        _ = events.send(Event::ClientGone);
    };
    if let Err(error) = thread::Builder::new().name("turnlens-parent".into()).spawn(body) {
        log::warning!("cannot start a thread: {error}");
    }
}

#[cfg(unix)]
fn is_alive(process: u32) -> bool {
    use rustix::io::Errno;
    use rustix::process::{Pid, test_kill_process};

    let Some(pid) = i32::try_from(process).ok().and_then(Pid::from_raw) else { return false };
    // Not allowed to signal it means that it is there.
    matches!(test_kill_process(pid), Ok(()) | Err(Errno::PERM))
}

/// On Windows a process number is used again at once and cannot be held without unsafe calls; stdin must do.
#[cfg(not(unix))]
fn is_alive(_process: u32) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn sees_living_and_dead_processes() {
        assert!(is_alive(std::process::id()));
        let mut child = std::process::Command::new("true").spawn().expect("a process");
        child.wait().expect("its end");
        assert!(!is_alive(child.id()));
        assert!(!is_alive(0) && !is_alive(u32::MAX));
    }
}
