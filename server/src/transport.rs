//! The loop between stdin and stdout.
//!
//! A thread reads, a thread writes, and the loop in between hands messages to the dispatcher in the order of their
//! arrival. Nothing a client sends ends the session but `exit` and the end of its side.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};
use tower_lsp::jsonrpc::ErrorCode;

use crate::dispatch::{Dispatcher, Next};
use crate::frame::{Frame, FrameParser};
use crate::log;
use crate::message::Incoming;
use crate::parent;

/// Messages read ahead of the loop. Enough for a burst of typing; beyond it the pipe holds the client back.
const READ_AHEAD: usize = 256;

/// How long the writer may take to empty its queue at the end.
const FLUSH_TIME: Duration = Duration::from_secs(1);

/// Progress and log messages that wait for a client that does not read. Older ones give way to newer ones.
const MAX_IDLE_TALK: usize = 500;

/// What the loop is told by the threads around it.
pub(crate) enum Event {
    Message(Incoming),
    /// stdin ended.
    End,
    /// stdout is closed, or the process that started us is gone.
    ClientGone,
}

/// Serves until the client leaves; gives the exit code. The threads that are left end with the process.
pub(crate) fn serve(
    input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
    client_process: Option<u32>,
    start: impl FnOnce(Outgoing) -> Dispatcher,
) -> io::Result<u8> {
    let (events, inbox) = bounded(READ_AHEAD);
    let outgoing = Outgoing::default();
    spawn("reader", reader(input, events.clone()))?;
    spawn("writer", writer(output, outgoing.clone(), events.clone()))?;
    if let Some(process) = client_process {
        parent::watch(process, events.clone());
    }
    let mut dispatcher = start(outgoing.clone());
    let code = loop {
        match inbox.recv() {
            // Handlers catch their own panics; this is for whatever lies around them.
            Ok(Event::Message(message)) => match catch_unwind(AssertUnwindSafe(|| dispatcher.dispatch(message))) {
                Ok(Next::Go) | Err(_) => {}
                Ok(Next::Watch(process)) if client_process == Some(process) => {}
                Ok(Next::Watch(process)) => parent::watch(process, events.clone()),
                Ok(Next::Exit(code)) => break code,
            },
            Ok(Event::End) => {
                log::info!("the client closed its side without exit");
                break 1;
            }
            Ok(Event::ClientGone) | Err(_) => {
                log::info!("the client is gone");
                break 1;
            }
        }
    };
    dispatcher.abandon_all();
    outgoing.finish(FLUSH_TIME);
    Ok(code)
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(format!("turnlens-{name}")).spawn(body).map(drop)
}

fn reader(mut input: impl Read, events: Sender<Event>) -> impl FnOnce() {
    move || {
        let events = TellsTheEnd(events);
        let mut parser = FrameParser::new();
        let mut buffer = vec![0; 64 << 10];
        loop {
            match input.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => parser.feed(&buffer[..n]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    log::warning!("cannot read stdin: {error}");
                    break;
                }
            }
            while let Some(frame) = parser.next_frame() {
                let message = match frame {
                    Frame::Body(body) => Incoming::parse(&body),
                    Frame::Bad(why) => Incoming::bad(ErrorCode::InvalidRequest, why),
                };
                if events.0.send(Event::Message(message)).is_err() {
                    return;
                }
            }
        }
    }
}

/// However the reader ends, the loop learns of it.
struct TellsTheEnd(Sender<Event>);

impl Drop for TellsTheEnd {
    fn drop(&mut self) {
        // Fails only if the loop has ended already.
        _ = self.0.send(Event::End);
    }
}

fn writer(mut output: impl Write, outgoing: Outgoing, events: Sender<Event>) -> impl FnOnce() {
    move || {
        while let Some(frames) = outgoing.take() {
            if let Err(error) = output.write_all(&frames).and_then(|()| output.flush()) {
                log::info!("cannot write stdout: {error}");
                outgoing.close();
                _ = events.send(Event::ClientGone);
                break;
            }
        }
        outgoing.set_drained();
    }
}

/// The way to the client. Pushing never blocks; the writer thread alone touches stdout.
#[derive(Clone, Default)]
pub(crate) struct Outgoing(Arc<Shared>);

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    messages: VecDeque<Message>,
    /// How many of them are idle talk.
    idle_talk: usize,
    /// Nothing is taken in any more.
    closed: bool,
    /// The writer has written all it ever will.
    drained: bool,
}

struct Message {
    body: Vec<u8>,
    idle_talk: bool,
}

impl Outgoing {
    /// A reply or a request.
    pub(crate) fn message(&self, body: Vec<u8>) {
        self.push(Message { body, idle_talk: false });
    }

    pub(crate) fn notification(&self, method: &str, body: Vec<u8>) {
        self.push(Message { body, idle_talk: method == "window/logMessage" });
    }

    fn push(&self, message: Message) {
        let mut queue = self.queue();
        if queue.closed {
            return;
        }
        if message.idle_talk {
            queue.idle_talk += 1;
            if queue.idle_talk > MAX_IDLE_TALK
                && let Some(oldest) = queue.messages.iter().position(|message| message.idle_talk)
            {
                queue.messages.remove(oldest);
                queue.idle_talk -= 1;
            }
        }
        queue.messages.push_back(message);
        self.0.changed.notify_all();
    }

    /// Waits for messages and gives all there are as frames; `None` once closed and empty.
    fn take(&self) -> Option<Vec<u8>> {
        let mut queue = self.queue();
        while queue.messages.is_empty() {
            if queue.closed {
                return None;
            }
            queue = self.0.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue.idle_talk = 0;
        let messages = std::mem::take(&mut queue.messages);
        drop(queue);
        let mut frames = Vec::with_capacity(messages.iter().map(|message| message.body.len() + 32).sum());
        for Message { body, .. } in messages {
            frames.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
            frames.extend_from_slice(&body);
        }
        Some(frames)
    }

    fn close(&self) {
        let mut queue = self.queue();
        queue.closed = true;
        self.0.changed.notify_all();
    }

    fn set_drained(&self) {
        self.queue().drained = true;
        self.0.changed.notify_all();
    }

    /// Takes no more, and waits until all is written, but not for longer than `limit`.
    fn finish(&self, limit: Duration) {
        self.close();
        let deadline = Instant::now() + limit;
        let mut queue = self.queue();
        while !queue.drained {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                log::warning!("the client did not read all of our answers");
                return;
            }
            queue = self.0.changed.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_talk_gives_way_and_answers_do_not() {
        let outgoing = Outgoing::default();
        outgoing.message(b"answer".to_vec());
        for n in 0..MAX_IDLE_TALK + 10 {
            outgoing.notification("window/logMessage", format!("talk {n}.").into_bytes());
        }
        outgoing.notification("window/showMessage", b"shown".to_vec());
        let frames = String::from_utf8(outgoing.take().expect("frames")).expect("text");
        assert!(frames.contains("answer") && frames.contains("shown"));
        assert!(!frames.contains("talk 9.") && frames.contains("talk 10."));
        assert_eq!(frames.matches("talk").count(), MAX_IDLE_TALK);
    }

    #[test]
    fn finishing_does_not_wait_for_a_client_that_does_not_read() {
        let outgoing = Outgoing::default();
        outgoing.message(b"{}".to_vec());
        outgoing.finish(Duration::from_millis(1));
    }

    #[test]
    fn finishing_waits_for_the_writer_alone() {
        let outgoing = Outgoing::default();
        outgoing.message(b"{}".to_vec());
        let (events, _inbox) = bounded(1);
        let (mut read_end, write_end) = io::pipe().expect("a pipe");
        spawn("writer", writer(write_end, outgoing.clone(), events)).expect("a thread");
        outgoing.finish(Duration::from_secs(60));
        let mut written = String::new();
        read_end.read_to_string(&mut written).expect("text");
        assert_eq!(written, "Content-Length: 2\r\n\r\n{}");
        outgoing.message(b"too late".to_vec());
        assert!(outgoing.take().is_none());
    }
}
