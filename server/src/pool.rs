//! Our own threads for work: some for requests, some at low priority for what nobody waits for.
//!
//! Not tokio's `spawn_blocking`: its hundreds of threads starve a small machine, and nothing in it knows what a person
//! waits for.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crossbeam_channel::{Receiver, Sender, select, unbounded};
use futures::channel::oneshot;
use futures::future::BoxFuture;
use tower_lsp::jsonrpc::{Error, ErrorCode};

use crate::message::error;

tokio::task_local! {
    static CURRENT: Cancel;
}

/// Says that nobody wants the result any more. Long work looks at it now and then.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// The flag of the request that is being polled; outside of one, a flag that nobody sets.
    pub(crate) fn current() -> Cancel {
        CURRENT.try_with(Cancel::clone).unwrap_or_default()
    }

    /// Makes this flag the current one of `future`.
    pub(crate) fn scope<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        CURRENT.scope(self.clone(), future)
    }

    pub(crate) fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// A person waits with the cursor there: hover, lens, definition. One thread does nothing else.
    Quick,
    /// A person waits, but asked for much: search, the changes of a turn, history.
    Slow,
    /// Nobody waits: reading logs.
    Background,
}

/// Why a job has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoResult {
    Cancelled,
    Panicked,
}

impl From<NoResult> for Error {
    fn from(why: NoResult) -> Error {
        match why {
            NoResult::Cancelled => Error::request_cancelled(),
            NoResult::Panicked => error(ErrorCode::InternalError, "A defect in Turnlens: the log names the place."),
        }
    }
}

type Job = Box<dyn FnOnce() + Send>;

pub(crate) struct Pools {
    quick: Sender<Job>,
    slow: Sender<Job>,
    background: Sender<Job>,
}

/// Threads that take quick and slow jobs, beside the one for quick jobs alone.
const MIXED_THREADS: usize = 2;

impl Pools {
    pub(crate) fn start() -> Pools {
        let (quick, quick_jobs) = unbounded();
        let (slow, slow_jobs) = unbounded();
        let (background, background_jobs) = unbounded();
        spawn_worker("quick", serve_one(quick_jobs.clone()));
        for _ in 0..MIXED_THREADS {
            spawn_worker("request", serve_both(quick_jobs.clone(), slow_jobs.clone()));
        }
        // One core stays free for the person.
        let background_threads = thread::available_parallelism().map_or(1, |n| n.get() - 1).clamp(1, 4);
        for _ in 0..background_threads {
            let serve = serve_one(background_jobs.clone());
            spawn_worker("background", move || {
                lower_priority();
                serve();
            });
        }
        Pools { quick, slow, background }
    }

    /// Queues a job that nobody waits for.
    pub(crate) fn start_job(&self, lane: Lane, job: impl FnOnce() + Send + 'static) {
        drop(self.run(lane, &Cancel::default(), |_| job()));
    }

    /// Queues `job`. The future resolves when it is done, and the work goes on if the future is dropped, unless `cancel`
    /// is set too. A job whose `cancel` is set before its turn is not begun.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        lane: Lane,
        cancel: &Cancel,
        job: impl FnOnce(&Cancel) -> T + Send + 'static,
    ) -> BoxFuture<'static, Result<T, NoResult>> {
        let (done, result) = oneshot::channel();
        let cancel = cancel.clone();
        let job: Job = Box::new(move || {
            if cancel.is_cancelled() {
                return;
            }
            // A panic was already told by the hook; dropping `done` tells the caller.
            if let Ok(value) = catch_unwind(AssertUnwindSafe(|| job(&cancel))) {
                _ = done.send(Some(value));
            } else {
                _ = done.send(None);
            }
        });
        let queue = match lane {
            Lane::Quick => &self.quick,
            Lane::Slow => &self.slow,
            Lane::Background => &self.background,
        };
        // Fails only if every worker is gone; then `done` is dropped with the job.
        _ = queue.send(job);
        Box::pin(async move {
            match result.await {
                Ok(Some(value)) => Ok(value),
                Ok(None) => Err(NoResult::Panicked),
                Err(oneshot::Canceled) => Err(NoResult::Cancelled),
            }
        })
    }
}

fn serve_one(jobs: Receiver<Job>) -> impl FnOnce() {
    move || jobs.iter().for_each(|job| job())
}

fn serve_both(quick: Receiver<Job>, slow: Receiver<Job>) -> impl FnOnce() {
    move || {
        loop {
            // `select!` picks at random where both are ready, so quick jobs are asked for first.
            let job = quick.try_recv().or_else(|_| {
                select! {
                    recv(quick) -> job => job,
                    recv(slow) -> job => job,
                }
            });
            match job {
                Ok(job) => job(),
                Err(_) => return,
            }
        }
    }
}

fn spawn_worker(name: &str, serve: impl FnOnce() + Send + 'static) {
    // Without a thread its jobs wait for the others; without any they are answered as cancelled.
    if let Err(error) = thread::Builder::new().name(format!("turnlens-{name}")).spawn(serve) {
        crate::log::error!("cannot start a thread: {error}");
    }
}

/// Lowers the calling thread's priority, where the system can do that for one thread.
pub(crate) fn lower_priority() {
    // On Linux `nice` concerns the calling thread; on macOS and Windows the whole process.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(10) {
        crate::log::info!("background work runs at normal priority: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
    }

    #[test]
    fn a_job_gives_its_result() {
        let pools = Pools::start();
        for lane in [Lane::Quick, Lane::Slow, Lane::Background] {
            assert_eq!(block_on(pools.run(lane, &Cancel::default(), |_| 42)), Ok(42));
        }
    }

    #[test]
    fn a_panic_is_an_error_and_the_thread_lives() {
        let pools = Pools::start();
        for _ in 0..20 {
            let job = |_: &Cancel| -> u8 { std::panic::resume_unwind(Box::new("on purpose")) };
            assert_eq!(block_on(pools.run(Lane::Quick, &Cancel::default(), job)), Err(NoResult::Panicked));
        }
        assert_eq!(block_on(pools.run(Lane::Quick, &Cancel::default(), |_| 1)), Ok(1));
    }

    #[test]
    fn a_cancelled_job_is_not_begun() {
        let pools = Pools::start();
        let cancel = Cancel::default();
        cancel.cancel();
        assert_eq!(block_on(pools.run(Lane::Quick, &cancel, |_| 1)), Err(NoResult::Cancelled));
    }

    #[test]
    fn a_running_job_sees_the_flag() {
        let pools = Pools::start();
        let cancel = Cancel::default();
        let (started, wait) = mpsc::channel();
        let job = pools.run(Lane::Slow, &cancel, move |cancel| {
            _ = started.send(());
            while !cancel.is_cancelled() {
                thread::yield_now();
            }
            "stopped"
        });
        wait.recv().expect("started");
        cancel.cancel();
        assert_eq!(block_on(job), Ok("stopped"));
    }

    #[test]
    fn slow_jobs_leave_a_thread_for_quick_ones() {
        let pools = Pools::start();
        let cancel = Cancel::default();
        for _ in 0..50 {
            drop(pools.run(Lane::Slow, &cancel, |cancel| {
                while !cancel.is_cancelled() {
                    thread::park_timeout(std::time::Duration::from_millis(1));
                }
            }));
        }
        assert_eq!(block_on(pools.run(Lane::Quick, &Cancel::default(), |_| 1)), Ok(1));
        cancel.cancel();
    }
}
