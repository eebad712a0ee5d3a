//! A long log on several threads. Each takes the next piece of the file, reads its records, waits until those before
//! were taken, and then takes its own: what depends on order happens in order, and no more than a piece a thread is in
//! memory.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use super::feed::{Feed, PIECE};
use super::lines::{Records, each_record};
use super::{Taker, read_alone};

/// Bytes from which on a second thread is worth its making.
pub(super) const WORTH: u64 = 4 * PIECE as u64;
/// More would wait: reading a record takes about as long as all that happens in order.
const THREADS: usize = 2;

/// One of the threads that stand in a ring. What only one may hold goes round in it.
struct Member<F, T> {
    feeds: Receiver<F>,
    next_feed: Sender<F>,
    takers: Receiver<T>,
    next_taker: Sender<T>,
}

/// Takes all records of the feed. The other threads inherit this one's priority and end before it returns.
pub(super) fn read<R: Records>(feed: &mut Feed<'_>, taker: &mut Taker<'_, R>) -> io::Result<()> {
    match try_in_turns(feed, taker) {
        Some(result) => result,
        None => read_alone(feed, taker),
    }
}

/// `None`: the system gives no more threads; nothing was read.
fn try_in_turns<R: Records>(feed: &mut Feed<'_>, taker: &mut Taker<'_, R>) -> Option<io::Result<()>> {
    let (feed_in, feeds) = channel();
    let (taker_in, takers) = channel();
    // Nobody has left the ring yet.
    _ = feed_in.send(feed);
    _ = taker_in.send(taker);
    let mut ring = Vec::new();
    let mut own = Member { feeds, next_feed: feed_in, takers, next_taker: taker_in };
    for _ in 1..THREADS {
        let (feed_in, feeds) = channel();
        let (taker_in, takers) = channel();
        let next_feed = std::mem::replace(&mut own.next_feed, feed_in);
        let next_taker = std::mem::replace(&mut own.next_taker, taker_in);
        ring.push(Member { feeds, next_feed, takers, next_taker });
    }
    thread::scope(|scope| {
        let start = |member| thread::Builder::new().spawn_scoped(scope, move || read_in_turns(member));
        let Ok(others) = ring.into_iter().map(start).collect::<io::Result<Vec<_>>>() else {
            // Those that were started end with it.
            drop(own);
            return None;
        };
        let mut result = read_in_turns(own);
        for other in others {
            match other.join() {
                Ok(theirs) => result = result.and(theirs),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Some(result)
    })
}

/// A member's work. When one ends, for whatever reason, the next one waits for nothing that it held.
fn read_in_turns<R: Records>(member: Member<&mut Feed<'_>, &mut Taker<'_, R>>) -> io::Result<()> {
    let Member { feeds, next_feed, takers, next_taker } = member;
    let mut buffer = Vec::new();
    while let Ok(feed) = feeds.recv() {
        let Some(piece) = feed.next(&mut buffer)? else { break };
        _ = next_feed.send(feed);
        let mut seen = Vec::new();
        each_record::<R>(&buffer, piece.at, |record| seen.push(record));
        let Ok(taker) = takers.recv() else { break };
        taker.broken.extend(piece.skipped);
        seen.into_iter().for_each(|record| taker.take(record));
        _ = next_taker.send(taker);
    }
    Ok(())
}
