//! Frames of the base protocol: `Content-Length: N`, a blank line, N bytes.
//!
//! The parser reads no stream; it is fed bytes and hands out frames. It never gives up: whatever lies between two
//! good frames costs at most one [`Frame::Bad`], and the next good frame is found again. That rests on one fact: a
//! line `Content-Length: N` with a raw line end behind it cannot stand inside valid JSON, so wherever such a line
//! turns up a new frame begins, even if the frame before it promised more bytes.

use memchr::memchr;
use memchr::memrchr;

/// Bodies above this are skipped. The largest honest message is a `didOpen` of a whole file.
const MAX_BODY: u64 = 256 << 20;

/// Lines of noise above this are cut; only their end can still hold a header.
const MAX_LINE: usize = 64 << 10;

/// Longer than any real `Content-Length` line.
const MAX_LENGTH_LINE: usize = 64;

const LENGTH: &[u8] = b"content-length:";

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Body(Vec<u8>),
    /// What was wrong, as a sentence for the client.
    Bad(&'static str),
}

pub(crate) struct FrameParser {
    unread: Vec<u8>,
    /// Bytes of `unread` that are done with.
    start: usize,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    /// Between frames, or in the lines before a body. `length` is what the last `Content-Length` line said.
    Headers { length: Option<Length> },
    /// `seen` bytes of the body hold no frame start.
    Body { length: usize, seen: usize },
    /// In a body that is too large to keep.
    Skip { left: u64 },
}

#[derive(Clone, Copy)]
enum Length {
    Bytes(u64),
    NoNumber,
}

impl FrameParser {
    pub(crate) fn new() -> FrameParser {
        FrameParser { unread: Vec::new(), start: 0, state: State::Headers { length: None } }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.unread.drain(..self.start);
            self.start = 0;
        }
        self.unread.extend_from_slice(bytes);
    }

    /// The next frame that lies wholly in what was fed, else `None`.
    pub(crate) fn next_frame(&mut self) -> Option<Frame> {
        loop {
            match self.state {
                State::Headers { length } => {
                    let line = self.take_line()?;
                    if let Some(frame) = self.header_line(&line, length) {
                        return Some(frame);
                    }
                }
                State::Body { length, seen } => return self.body(length, seen),
                State::Skip { left } => self.skip(left)?,
            }
        }
    }

    /// Takes a line without its end; `None` if none is complete.
    fn take_line(&mut self) -> Option<Vec<u8>> {
        let rest = &self.unread[self.start..];
        let Some(end) = memchr(b'\n', rest) else {
            if rest.len() > MAX_LINE {
                self.start = self.unread.len() - MAX_LENGTH_LINE;
            }
            return None;
        };
        let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]).to_vec();
        self.start += end + 1;
        Some(line)
    }

    fn header_line(&mut self, line: &[u8], length: Option<Length>) -> Option<Frame> {
        let headers = State::Headers { length: None };
        if !line.is_empty() {
            self.state = State::Headers { length: length_in(line).map(|(_, length)| length).or(length) };
            return None;
        }
        match length {
            // A blank line that ends no header.
            None => None,
            Some(Length::NoNumber) => {
                self.state = headers;
                Some(Frame::Bad("Content-Length is not a number of bytes."))
            }
            Some(Length::Bytes(0)) => {
                self.state = headers;
                Some(Frame::Body(Vec::new()))
            }
            Some(Length::Bytes(n)) if n > MAX_BODY => {
                self.state = State::Skip { left: n };
                Some(Frame::Bad("The message is larger than 256 MB and was skipped."))
            }
            Some(Length::Bytes(n)) => {
                self.state = State::Body { length: n as usize, seen: 0 };
                None
            }
        }
    }

    fn body(&mut self, length: usize, seen: usize) -> Option<Frame> {
        let rest = &self.unread[self.start..];
        let body = &rest[..rest.len().min(length)];
        if let Some(frame_start) = frame_start_in(body, seen) {
            self.start += frame_start;
            self.state = State::Headers { length: None };
            return Some(Frame::Bad("The message ended before its Content-Length."));
        }
        if body.len() < length {
            self.state = State::Body { length, seen: body.len() };
            return None;
        }
        if let Some(frame_start) = cut_frame_start(body) {
            self.start += frame_start;
            self.state = State::Headers { length: None };
            return Some(Frame::Bad("The message ended before its Content-Length."));
        }
        let body = body.to_vec();
        self.start += length;
        self.state = State::Headers { length: None };
        Some(Frame::Body(body))
    }

    /// Skips what is there of a body too large; `None` if more bytes are needed.
    fn skip(&mut self, left: u64) -> Option<()> {
        let rest = &self.unread[self.start..];
        let here = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
        if let Some(frame_start) = frame_start_in(&rest[..here], 0) {
            self.start += frame_start;
            self.state = State::Headers { length: None };
            return Some(());
        }
        if here as u64 == left {
            self.start += here;
            self.state = State::Headers { length: None };
            return Some(());
        }
        // The last bytes stay: a frame start may lie across what was fed and what comes.
        let done = here.saturating_sub(MAX_LENGTH_LINE);
        self.start += done;
        self.state = State::Skip { left: left - done as u64 };
        None
    }
}

/// Where a new frame starts in `body`, of which the first `seen` bytes were looked through before.
fn frame_start_in(body: &[u8], seen: usize) -> Option<usize> {
    let mut from = seen;
    while let Some(end) = memchr(b'\n', body.get(from..)?) {
        let end = from + end;
        let line_start = memrchr(b'\n', &body[..end]).map_or(0, |i| i + 1).max(end.saturating_sub(MAX_LENGTH_LINE));
        let line = &body[line_start..end];
        if let Some((at, Length::Bytes(_))) = length_in(line.strip_suffix(b"\r").unwrap_or(line)) {
            return Some(line_start + at);
        }
        from = end + 1;
    }
    None
}

/// Where a `Content-Length: …` starts that the body's end cuts off. No JSON ends in any beginning of one.
fn cut_frame_start(body: &[u8]) -> Option<usize> {
    let from = body.len().saturating_sub(MAX_LENGTH_LINE);
    (from..body.len()).find(|at| {
        let (name, value) = body[*at..].split_at(LENGTH.len().min(body.len() - at));
        let is_value = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b' ' | b'\r');
        LENGTH[..name.len()].eq_ignore_ascii_case(name) && value.iter().all(is_value)
    })
}

/// The last `Content-Length: …` of a line, and where in the line it starts. Before it may stand a byte order mark, or
/// the end of a body that was longer than its header said.
fn length_in(line: &[u8]) -> Option<(usize, Length)> {
    let at = line.windows(LENGTH.len()).rposition(|window| window.eq_ignore_ascii_case(LENGTH))?;
    let value = line[at + LENGTH.len()..].trim_ascii();
    let length = std::str::from_utf8(value).ok().and_then(|value| value.parse().ok());
    Some((at, length.map_or(Length::NoNumber, Length::Bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    /// All frames of `input`, fed in chunks of `chunk` bytes.
    fn frames(input: &[u8], chunk: usize) -> Vec<Frame> {
        let mut parser = FrameParser::new();
        let mut frames = Vec::new();
        for chunk in input.chunks(chunk.max(1)) {
            parser.feed(chunk);
            frames.extend(std::iter::from_fn(|| parser.next_frame()));
        }
        frames
    }

    fn check(input: &str, expect: Expect) {
        let show = |frames: Vec<Frame>| {
            let show = |frame: &Frame| match frame {
                Frame::Body(body) => format!("body {:?}\n", String::from_utf8_lossy(body)),
                Frame::Bad(why) => format!("bad: {why}\n"),
            };
            frames.iter().map(show).collect::<String>()
        };
        let whole = show(frames(input.as_bytes(), usize::MAX));
        for chunk in 1..20 {
            assert_eq!(show(frames(input.as_bytes(), chunk)), whole, "in chunks of {chunk}");
        }
        expect.assert_eq(&whole);
    }

    #[test]
    fn plain() {
        check(
            "Content-Length: 2\r\n\r\n{}Content-Length: 4\r\n\r\nnull",
            expect![[r#"
            body "{}"
            body "null"
        "#]],
        );
    }

    #[test]
    fn tolerated_headers() {
        for input in [
            "content-length:2\n\n{}CONTENT-LENGTH:   2 \r\n\n[]",
            "A: 1\r\nContent-Length: 2\r\nContent-Type: x; charset=utf8\r\nB: 2\r\n\r\n{}Content-Length: 2\r\n\r\n[]",
            "\u{feff}Content-Length: 2\r\n\r\n{}\r\n\r\nContent-Length: 2\r\n\r\n[]",
            "hello\nthere: you\n\nContent-Length: 2\r\n\r\n{}noise\r\nContent-Length: 2\r\n\r\n[]",
            "Content-Length: 9\r\nContent-Length: 2\r\n\r\n{}Content-Length: 2\r\n\r\n[]",
        ] {
            check(
                input,
                expect![[r#"
                    body "{}"
                    body "[]"
                "#]],
            );
        }
    }

    #[test]
    fn bad_lengths() {
        for length in ["-5", "x", "", "1.5", "99999999999999999999999999"] {
            check(
                &format!("Content-Length: {length}\r\n\r\nContent-Length: 2\r\n\r\n{{}}"),
                expect![[r#"
                    bad: Content-Length is not a number of bytes.
                    body "{}"
                "#]],
            );
        }
        check(
            "Content-Length: 0\r\n\r\nContent-Length: 2\r\n\r\n{}",
            expect![[r#"
                body ""
                body "{}"
            "#]],
        );
    }

    #[test]
    fn length_and_body_disagree() {
        check(
            "Content-Length: 5000\r\n\r\n{\"a\":Content-Length: 2\r\n\r\n{}",
            expect![[r#"
                bad: The message ended before its Content-Length.
                body "{}"
            "#]],
        );
        check(
            "Content-Length: 3\r\n\r\n{\"a\":1}Content-Length: 2\r\n\r\n{}",
            expect![[r#"
                body "{\"a"
                body "{}"
            "#]],
        );
    }

    #[test]
    fn a_body_that_ends_inside_the_next_header() {
        let next = "{}\r\n\r\nContent-Length: 8\r\n\r\n\"mark 1\"Content-Length: 8\r\n\r\n\"mark 2\"";
        for length in 7..28 {
            let input = format!("Content-Length: {length}\r\n\r\n{next}");
            let frames = frames(input.as_bytes(), 5);
            let marks = [b"\"mark 1\"".to_vec(), b"\"mark 2\"".to_vec()].map(Frame::Body);
            assert_eq!(frames[1..], marks, "{length}: {frames:?}");
        }
    }

    #[test]
    fn a_header_in_a_string_is_text() {
        let body = r#"{"text":"Content-Length: 2\r\n\r\n{}"}"#;
        assert_eq!(
            frames(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes(), 7),
            [Frame::Body(body.into())]
        );
    }

    #[test]
    fn too_large() {
        let skipped = "The message is larger than 256 MB and was skipped.";
        let mut input = format!("Content-Length: {}\r\n\r\n", MAX_BODY + 1).into_bytes();
        input.resize(input.len() + MAX_BODY as usize + 1, b' ');
        input.extend_from_slice(b"Content-Length: 2\r\n\r\n{}");
        assert_eq!(frames(&input, 1 << 20), [Frame::Bad(skipped), Frame::Body(b"{}".to_vec())]);

        // The body that was promised never comes.
        check(
            "Content-Length: 999999999999\r\n\r\n{}\r\nContent-Length: 2\r\n\r\n{}",
            expect![[r#"
                bad: The message is larger than 256 MB and was skipped.
                body "{}"
            "#]],
        );
    }

    #[test]
    fn endless_noise_is_not_kept() {
        let mut parser = FrameParser::new();
        for _ in 0..100 {
            parser.feed(&[b'x'; 10_000]);
            assert_eq!(parser.next_frame(), None);
            assert!(parser.unread.len() - parser.start <= MAX_LINE + 10_000);
        }
        parser.feed(b"\nContent-Length: 2\r\n\r\n{}");
        assert_eq!(parser.next_frame(), Some(Frame::Body(b"{}".to_vec())));
    }

    proptest! {
        /// Whatever lies before it, a good frame after a line end is found.
        #[test]
        fn recovers(noise in proptest::collection::vec(any::<u8>(), 0..200), chunk in 1usize..64) {
            let mut input = noise;
            input.extend_from_slice(b"\r\n\r\nContent-Length: 8\r\n\r\n\"mark 1\"Content-Length: 8\r\n\r\n\"mark 2\"");
            let frames = frames(&input, chunk);
            prop_assert_eq!(frames.last(), Some(&Frame::Body(b"\"mark 2\"".to_vec())));
        }

        /// Bodies come out as they went in, however they are cut. They end as JSON ends.
        #[test]
        fn chunks_do_not_matter(bodies in proptest::collection::vec("[a-z{}\" \\\\é😀]{0,40}(true|\"|\\}|7)", 0..10), chunk in 1usize..64) {
            let input: String = bodies.iter().map(|body| format!("Content-Length: {}\r\n\r\n{body}", body.len())).collect();
            let expected: Vec<Frame> = bodies.into_iter().map(|body| Frame::Body(body.into_bytes())).collect();
            prop_assert_eq!(frames(input.as_bytes(), chunk), expected);
        }
    }
}
