//! Fuzz targets for what comes over the wire: frames, messages, URIs, edits. How long they run: see the driver.

#[expect(unreachable_pub, reason = "the end-to-end tests take it from their library")]
#[path = "../../tests/src/fuzz.rs"]
mod driver;

use driver::{fuzz, mutated};
use proptest::prelude::*;
use tower_lsp::lsp_types::{Position, Range, TextDocumentContentChangeEvent};

use crate::frame::{Frame, FrameParser};
use crate::message::Incoming;
use crate::text::{Document, Encoding};
use crate::uri::DocumentKey;

const FRAMES: &[&str] = &[
    "Content-Length: 2\r\n\r\n{}",
    "Content-Length: 33\r\nContent-Type: x; charset=utf8\r\n\r\n{\"jsonrpc\":\"2.0\",\"method\":\"exit\"}",
    "content-length:20\n\n{\"jsonrpc\":\"2.0\"}\n\n\n",
    "Content-Length: 300000000\r\n\r\n",
    "Content-Length: -1\r\n\r\n",
    "\u{feff}noise\r\n\r\n",
];

fn frames(input: &[u8], chunk: usize) -> Vec<Frame> {
    let mut parser = FrameParser::new();
    let mut frames = Vec::new();
    for chunk in input.chunks(chunk) {
        parser.feed(chunk);
        frames.extend(std::iter::from_fn(|| parser.next_frame()));
    }
    frames
}

/// Whatever was sent, in whatever pieces: behind a line end a good frame is found.
fn fuzz_frames(rubbish: &[u8], chunk: usize) {
    let good = |mark: &str| format!("\r\n\r\nContent-Length: {}\r\n\r\n{mark}", mark.len());
    let input = [rubbish, good("\"mark 1\"").as_bytes(), good("\"mark 2\"").as_bytes()].concat();
    let found = frames(&input, chunk);
    assert!(found.ends_with(&[b"\"mark 1\"".to_vec(), b"\"mark 2\"".to_vec()].map(Frame::Body)), "{found:?}");
    assert_eq!(found, frames(&input, usize::MAX), "in chunks of {chunk}");
}

#[test]
fn frames_are_found() {
    fuzz(400, &(mutated(FRAMES), 1..80_usize), |(bytes, chunk)| fuzz_frames(&bytes, chunk));
}

const MESSAGES: &[&str] = &[
    r#"{"jsonrpc":"2.0","id":1,"method":"textDocument/hover","params":{"textDocument":{"uri":"file:///a"},"position":{"line":0,"character":1}}}"#,
    r#"{"jsonrpc":"2.0","method":"textDocument/didChange","params":{"textDocument":{"uri":"file:///a","version":2},"contentChanges":[{"text":"\ud83d\ude00"}]}}"#,
    r#"{"jsonrpc":"2.0","id":"x","result":null}"#,
    r#"{"jsonrpc":"2.0","id":3,"error":{"code":-32601,"message":"no"}}"#,
];

#[test]
fn messages_are_read_or_refused() {
    fuzz(400, &mutated(MESSAGES), |bytes| {
        if let Incoming::Request { method, mut params, .. } | Incoming::Notification { method, mut params } =
            Incoming::parse(&bytes)
        {
            crate::tolerate::params(&method, &mut params);
        }
    });
}

const URIS: &[&str] = &[
    "file:///home/a/b.rs",
    "file:///c%3A/a%20b.rs",
    "turnlens://claude-code/9f3c1a2b/12/3.1/edit/after/0/a.rs",
    "turnlens://claude-code/9f3c1a2b/1/add-retry.trace.md",
    "turnlens://list/sessions/abc/sessions.trace.md",
    "untitled:Untitled-1",
    "turnlens://search/abc/x.trace.md",
    "turnlens://line/abc/history/a.rs.1.trace.md",
    "turnlens://blob/0123456789abcdef0123456789abcdef01234567/a.rs",
];

/// A URI gives a key, the key's text is its own, and a document's two names lead to the same document, inside its folder.
fn fuzz_uri(uri: &str) {
    let key = DocumentKey::parse(uri);
    _ = (key.scheme(), key.file_path());
    let Some(id) = lens::DocumentId::from_uri(uri) else { return };
    let path = id.path("a name ../of é mine");
    assert!(!path.starts_with('/') && path.split('/').all(|part| !matches!(part, "" | "." | "..")), "{uri}: {path}");
    assert!(!path.contains(['\\', '\0', '%', ':']), "{uri}: {path}");
    assert_eq!(lens::DocumentId::from_path(&path).as_ref(), Some(&id), "{uri}: {path}");
    assert_eq!(lens::DocumentId::from_uri(&id.uri("x")), Some(id), "{uri}");
}

#[test]
fn uris_name_documents() {
    fuzz(1_000, &mutated(URIS), |bytes| fuzz_uri(&String::from_utf8_lossy(&bytes)));
}

/// An edit at any positions, inside the text or not, in any encoding: the text around it stays, and the lines that it
/// says it changed are the ones that are others.
fn fuzz_edit(text: &str, edits: &[([u32; 4], String)], encoding: Encoding) {
    let mut document = Document::new("file:///a", "", 1, text);
    for ([from_line, from, to_line, to], new) in edits {
        let at = |line: u32, character: u32| Position { line, character };
        let range = Range { start: at(*from_line, *from), end: at(*to_line, *to) };
        let before = document.text();
        let (start, end) = document.bytes_of(range, encoding);
        assert!(start <= end && before.is_char_boundary(start) && before.is_char_boundary(end));
        let change = TextDocumentContentChangeEvent { range: Some(range), range_length: None, text: new.clone() };
        let splice = document.apply(&change, encoding);
        let after = document.text();
        assert_eq!(after, format!("{}{new}{}", &before[..start], &before[end..]));
        let (old, new) = (lines(&before), lines(&after));
        let Some(splice) = splice else {
            assert_eq!(old, new);
            continue;
        };
        assert_eq!(old[..splice.start_line], new[..splice.start_line]);
        assert_eq!(old[splice.start_line + splice.old_lines..], new[splice.start_line + splice.new_lines..]);
    }
}

/// As the engine counts them.
fn lines(text: &str) -> Vec<&str> {
    text.split_terminator('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect()
}

#[test]
fn edits_are_made() {
    let text = "[ab\n\r\té😀\u{2028}漢]{0,40}";
    let numbers = prop_oneof![6 => (0..8_u32).boxed(), 1 => any::<u32>().boxed()];
    let edit = (prop::array::uniform4(numbers), text.prop_map(|text| text));
    let encoding = prop::sample::select(&[Encoding::Utf8, Encoding::Utf16, Encoding::Utf32][..]);
    let inputs = (text, prop::collection::vec(edit, 1..6), encoding);
    fuzz(400, &inputs, |(text, edits, encoding)| fuzz_edit(&text, &edits, encoding));
}
