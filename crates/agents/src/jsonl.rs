//! What logs of JSON lines share: reading on from a cursor, finding the objects in a line, noticing that a file is no
//! longer the one that was read.
//!
//! Logs are written by processes that crash: a line can hold two objects, half an object and a whole one, or no JSON
//! at all. Nothing of that ends a scan.

use std::any::Any;
use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use memchr::memchr;

use crate::json;

/// Lines longer than this are skipped without being held in memory.
const LONGEST_LINE: usize = 64 << 20;
const CHUNK: usize = 512 << 10;
/// Bytes at a file's beginning and before the cursor by which the file is known again.
const KNOWN_BY: u64 = 1024;
/// Objects that are looked for behind garbage in one line: each failed try may read the rest of the line.
const TRIES: usize = 64;

/// How far a log was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Bytes read: the next record begins here or behind.
    pub offset: u64,
    /// Records before it.
    pub records: u32,
    /// `None`: nothing was read yet.
    pub identity: Option<Identity>,
    pub memory: Memory,
}

impl Cursor {
    /// The most bytes before a cursor that a scan from it reads again where the cursor has its memory: the file's
    /// beginning and those before the cursor, once to know the file and once to know it the next time.
    pub const PROOF: u64 = 4 * KNOWN_BY;
}

/// What a reader remembers of the records before a cursor, so that it need not read them again: calls that wait for
/// their results and the like. It is bounded, and cloning it costs a pointer. Without it (a cursor that outlived its
/// process) a scan looks back. It follows from the log, so cursors are equal whether they have it or not.
#[derive(Clone, Default)]
pub struct Memory(Option<Arc<dyn Any + Send + Sync>>);

impl Memory {
    pub(crate) fn of<T: Any + Send + Sync>(known: T) -> Memory {
        Memory(Some(Arc::new(known)))
    }

    /// `None` also where another reader made it.
    pub(crate) fn recall<T: Any + Clone>(&self) -> Option<T> {
        self.0.as_ref()?.downcast_ref().cloned()
    }
}

impl PartialEq for Memory {
    fn eq(&self, _: &Memory) -> bool {
        true
    }
}

impl Eq for Memory {}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Memory(..)" } else { "Memory(none)" })
    }
}

/// By what a file is known to be the one that was read, only longer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Device and inode; where there are none, the time of creation and 0.
    pub file: (u64, u64),
    /// A hash of the first `head_len` bytes.
    pub head: u32,
    pub head_len: u32,
    /// A hash of the last bytes before the cursor.
    pub tail: u32,
}

/// What a scan read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    pub cursor: Cursor,
    /// The file was truncated or replaced: all entries of this scan are from the file's beginning.
    pub restarted: bool,
    /// Offsets of lines, or parts of lines, that are no record.
    pub broken: Vec<u64>,
    /// Bytes behind the old cursor, those of a half-written last line included.
    pub bytes_read: u64,
    /// Bytes before the old cursor that were read again: at most [`Cursor::PROOF`] where the cursor had its memory.
    pub bytes_again: u64,
}

/// Bytes of a line at which an object may begin.
pub(crate) struct Candidate<'a> {
    /// Offset of its first byte in the file.
    pub(crate) at: u64,
    /// The object, and the rest of its line behind it.
    pub(crate) text: &'a str,
    /// Where the bytes are no valid text: the object's bytes as they are; `text` is then the repaired object alone.
    pub(crate) raw: Option<&'a [u8]>,
    /// It stands behind garbage, so it may well be a part of a broken record.
    pub(crate) salvaged: bool,
}

impl<'a> Candidate<'a> {
    /// The object's bytes in the file, where its text is `used` bytes long.
    pub(crate) fn bytes(&self, used: usize) -> &'a [u8] {
        self.raw.unwrap_or_else(|| self.text.as_bytes().get(..used).unwrap_or_default())
    }
}

/// Takes the objects of a log in their order.
pub(crate) trait Objects {
    /// Takes the object at the beginning of the candidate's text and gives its length. `None`: there is none, or none
    /// that can be understood, and nothing was done.
    fn object(&mut self, candidate: &Candidate<'_>) -> Option<usize>;
}

/// A log opened at a cursor.
pub(crate) struct Log {
    file: File,
    meta: Metadata,
    pub(crate) start: Cursor,
    pub(crate) restarted: bool,
    /// See [`Scan::bytes_again`].
    again: u64,
}

impl Log {
    /// Opens the log where `from` left it, or at its beginning where it is not the same file any more.
    pub(crate) fn open(path: &Path, from: &Cursor) -> io::Result<Log> {
        let file = open_regular(path)?;
        let meta = file.metadata()?;
        let mut log = Log { file, meta, start: from.clone(), restarted: false, again: 0 };
        if from.offset > log.meta.len() || !log.is_same()? {
            log.start = Cursor::default();
            log.restarted = true;
        }
        Ok(log)
    }

    fn is_same(&mut self) -> io::Result<bool> {
        let Some(known) = self.start.identity.clone() else { return Ok(true) };
        if known.file != file_key(&self.meta) {
            return Ok(false);
        }
        let head = self.range(0, u64::from(known.head_len))?;
        Ok(check(&head) == known.head && check(&self.before(self.start.offset)?) == known.tail)
    }

    fn identity(&mut self, offset: u64) -> io::Result<Identity> {
        let head = self.range(0, offset.min(KNOWN_BY))?;
        let tail = check(&self.before(offset)?);
        Ok(Identity { file: file_key(&self.meta), head: check(&head), head_len: head.len() as u32, tail })
    }

    /// The bytes before `offset` by which the file is known.
    fn before(&mut self, offset: u64) -> io::Result<Vec<u8>> {
        self.range(offset.saturating_sub(KNOWN_BY), offset)
    }

    fn range(&mut self, from: u64, to: u64) -> io::Result<Vec<u8>> {
        self.again += to.min(self.start.offset).saturating_sub(from);
        read_range(&mut self.file, from, to)
    }

    /// Hands the objects of at most `window` bytes before the cursor to `objects` once more.
    pub(crate) fn replay(&mut self, window: u64, objects: &mut dyn Objects) -> io::Result<()> {
        let begin = self.start.offset.saturating_sub(window);
        let bytes = self.range(begin, self.start.offset)?;
        let whole = match begin {
            0 => 0,
            _ => memchr(b'\n', &bytes).map_or(bytes.len(), |at| at + 1),
        };
        each_line(&bytes[whole..], begin + whole as u64, &mut |line, at| each_object(line, at, objects, &mut |_| {}));
        Ok(())
    }

    /// Hands the objects of whole lines in the first `len` bytes to `objects` once more.
    pub(crate) fn replay_beginning(&mut self, len: u64, objects: &mut dyn Objects) -> io::Result<()> {
        let bytes = self.range(0, len.min(self.start.offset))?;
        let whole = memchr::memrchr(b'\n', &bytes).unwrap_or(0);
        each_line(&bytes[..whole], 0, &mut |line, at| each_object(line, at, objects, &mut |_| {}));
        Ok(())
    }

    /// The first `len` bytes, or fewer.
    pub(crate) fn head(&mut self, len: u64) -> io::Result<Vec<u8>> {
        self.range(0, len)
    }

    /// Hands every object behind the cursor to `objects`; the scan then lacks the number of records and the memory.
    pub(crate) fn read(mut self, objects: &mut dyn Objects) -> io::Result<Scan> {
        let from = self.start.offset;
        self.file.seek(SeekFrom::Start(from))?;
        let mut lines = Lines { at: from, ..Lines::default() };
        read_lines(&mut self.file, &mut lines, LONGEST_LINE, objects)?;
        let bytes_read = lines.at + lines.buffer.len() as u64 - from;
        lines.finish(objects);
        let identity = Some(self.identity(lines.at)?);
        let cursor = Cursor { offset: lines.at, records: self.start.records, identity, memory: Memory::default() };
        let Log { restarted, again, .. } = self;
        Ok(Scan { cursor, restarted, broken: lines.broken, bytes_read, bytes_again: again })
    }
}

/// The state of reading a file line by line.
#[derive(Default)]
struct Lines {
    /// What was read and not handed out yet; it begins at a line's beginning.
    buffer: Vec<u8>,
    /// Offset of the buffer's first byte in the file.
    at: u64,
    broken: Vec<u64>,
}

fn read_lines(file: &mut dyn Read, lines: &mut Lines, longest: usize, objects: &mut dyn Objects) -> io::Result<()> {
    // Bytes of the buffer that are known to hold no line end.
    let mut searched = 0;
    loop {
        let read = file.take(CHUNK as u64).read_to_end(&mut lines.buffer)?;
        let end = memchr::memrchr(b'\n', &lines.buffer[searched..]).map_or(0, |last| searched + last + 1);
        lines.hand_out(end, objects);
        if read == 0 {
            return Ok(());
        }
        searched = lines.buffer.len();
        if searched > longest {
            if !skip_line(file, lines)? {
                return Ok(());
            }
            searched = 0;
        }
    }
}

/// Reads on to the end of the line that the buffer holds the beginning of, and leaves what follows in the buffer.
/// False: the line has no end (yet); then only the place of its beginning is kept.
fn skip_line(file: &mut dyn Read, lines: &mut Lines) -> io::Result<bool> {
    let mut skipped = lines.buffer.len() as u64;
    loop {
        lines.buffer.clear();
        if file.take(CHUNK as u64).read_to_end(&mut lines.buffer)? == 0 {
            lines.buffer = Vec::new();
            return Ok(false);
        }
        if let Some(end) = memchr(b'\n', &lines.buffer) {
            lines.broken.push(lines.at);
            lines.buffer.drain(..=end);
            lines.at += skipped + end as u64 + 1;
            return Ok(true);
        }
        skipped += lines.buffer.len() as u64;
    }
}

impl Lines {
    /// Hands out the lines in the first `end` bytes of the buffer.
    fn hand_out(&mut self, end: usize, objects: &mut dyn Objects) {
        let broken = &mut self.broken;
        each_line(&self.buffer[..end], self.at, &mut |line, at| {
            each_object(line, at, objects, &mut |at| broken.push(at));
        });
        self.buffer.drain(..end);
        self.at += end as u64;
    }

    /// A last line without an end is held back from its first object on that is not whole: the writer may be in the
    /// middle of it. What is whole is taken, for the writer may have finished without a line end.
    fn finish(&mut self, objects: &mut dyn Objects) {
        self.hand_out(whole_objects(&self.buffer), objects);
    }
}

fn each_line(bytes: &[u8], at: u64, line: &mut dyn FnMut(&[u8], u64)) {
    let mut begin = 0;
    for end in memchr::memchr_iter(b'\n', bytes).chain([bytes.len()]) {
        line(&bytes[begin..end], at + begin as u64);
        begin = (end + 1).min(bytes.len());
    }
}

/// The length of the objects at a line's beginning.
fn whole_objects(line: &[u8]) -> usize {
    let mut end = 0;
    let mut at = skip_space(line, 0);
    while let Some(len) = line.get(at..).and_then(json::extent) {
        end = at + len;
        at = skip_space(line, end);
    }
    end
}

/// Hands out each object of a line. Each run of bytes between that is no object counts once as broken.
fn each_object(line: &[u8], line_at: u64, objects: &mut dyn Objects, broken: &mut dyn FnMut(u64)) {
    let mut at = skip_space(line, 0);
    let mut in_garbage = false;
    let mut tries = 0;
    while at < line.len() {
        match take_object(&line[at..], line_at + at as u64, in_garbage, objects) {
            Taken::Record(len) => {
                in_garbage = false;
                at = skip_space(line, at + len);
                continue;
            }
            Taken::NotUnderstood(len) if !in_garbage => {
                broken(line_at + at as u64);
                at = skip_space(line, at + len);
                continue;
            }
            Taken::NotUnderstood(len) => at += len,
            Taken::Nothing => {
                if !in_garbage {
                    broken(line_at + at as u64);
                }
                in_garbage = true;
                at += 1;
            }
        }
        tries += 1;
        match memchr(b'{', &line[at.min(line.len())..]) {
            Some(step) if tries < TRIES => at += step,
            _ => return,
        }
    }
}

enum Taken {
    Record(usize),
    /// An object, but none that the reader takes.
    NotUnderstood(usize),
    Nothing,
}

fn take_object(bytes: &[u8], at: u64, salvaged: bool, objects: &mut dyn Objects) -> Taken {
    if bytes.first() != Some(&b'{') {
        return Taken::Nothing;
    }
    let whole = std::str::from_utf8(bytes).ok();
    let plain = whole.and_then(|text| objects.object(&Candidate { at, text, raw: None, salvaged }));
    if let Some(len) = plain {
        return Taken::Record(len);
    }
    let Some(len) = json::extent(bytes) else { return Taken::Nothing };
    let raw = &bytes[..len];
    let text = json::repair(raw);
    match objects.object(&Candidate { at, text: &text, raw: Some(raw), salvaged }) {
        Some(_) => Taken::Record(len),
        None => Taken::NotUnderstood(len),
    }
}

/// The first place from `at` on that is no white space, nor the mark that some editors put before a text.
fn skip_space(line: &[u8], mut at: usize) -> usize {
    const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
    if at == 0 && line.starts_with(BYTE_ORDER_MARK) {
        at = BYTE_ORDER_MARK.len();
    }
    while line.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

#[cfg(unix)]
fn file_key(meta: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (meta.dev(), meta.ino())
}

#[cfg(not(unix))]
fn file_key(meta: &Metadata) -> (u64, u64) {
    let created = meta.created().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    (created.map_or(0, |since| since.as_nanos() as u64), 0)
}

/// Opening a pipe would wait for a writer, and a device may never end.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is no regular file"));
    }
    File::open(path)
}

fn read_range(file: &mut File, from: u64, to: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(to.saturating_sub(from)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Files longer than this are not read as a whole.
const LONGEST_FILE: u64 = 1 << 30;

/// All bytes of a file that is written anew each time, and by what it is known to be unchanged.
pub(crate) fn whole(path: &Path) -> io::Result<(Vec<u8>, Identity)> {
    let mut file = open_regular(path)?;
    let meta = file.metadata()?;
    if meta.len() > LONGEST_FILE {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "this log is longer than 1 GB: it is left out"));
    }
    let bytes = read_range(&mut file, 0, LONGEST_FILE)?;
    let head_len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let identity = Identity { file: file_key(&meta), head: check(&bytes), head_len, tail: 0 };
    Ok((bytes, identity))
}

/// The bytes at a place, whatever they are now. `None`: the file is gone or shorter.
pub(crate) fn bytes_at(path: &Path, place: trace::Place) -> io::Result<Option<Vec<u8>>> {
    let mut file = match open_regular(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let bytes = read_range(&mut file, place.at, place.at.saturating_add(u64::from(place.len)))?;
    Ok((bytes.len() == place.len as usize).then_some(bytes))
}

/// The bytes of the object at a place, if they are still the ones that were read there.
pub(crate) fn object_at(path: &Path, place: trace::Place) -> io::Result<Option<Vec<u8>>> {
    Ok(bytes_at(path, place)?.filter(|bytes| check(bytes) == place.check))
}

/// A hash of a record's bytes, eight at a time. It is written into caches, so it must never change.
pub(crate) fn check(bytes: &[u8]) -> u32 {
    const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut lanes = [MIX, !MIX];
    let mut chunks = bytes.chunks_exact(16);
    for chunk in &mut chunks {
        for (lane, word) in lanes.iter_mut().zip(chunk.chunks_exact(8)) {
            *lane = (*lane ^ word_of(word)).wrapping_mul(MIX).rotate_left(29);
        }
    }
    let mut hash = lanes[0] ^ lanes[1].rotate_left(32) ^ bytes.len() as u64;
    for rest in chunks.remainder().chunks(8) {
        hash = (hash ^ word_of(rest)).wrapping_mul(MIX).rotate_left(29);
    }
    hash = (hash ^ (hash >> 32)).wrapping_mul(MIX);
    (hash >> 32) as u32
}

fn word_of(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    u64::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    /// Tells what it is given: `@offset text`, with `~` for repaired and `+` for salvaged ones. Objects without `t` are
    /// not understood.
    #[derive(Default)]
    struct Told(Vec<String>);

    impl Objects for Told {
        fn object(&mut self, candidate: &Candidate<'_>) -> Option<usize> {
            let (value, used) = json::first::<serde_json::Value>(candidate.text)?;
            value.get("t")?;
            let marks = [(candidate.raw.is_some(), "~"), (candidate.salvaged, "+")];
            let marks: String = marks.iter().filter(|(told, _)| *told).map(|(_, mark)| *mark).collect();
            self.0.push(format!("@{}{marks} {}", candidate.at, &candidate.text[..used]));
            Some(used)
        }
    }

    fn read(bytes: &[u8], longest: usize) -> String {
        let mut told = Told::default();
        let mut lines = Lines::default();
        read_lines(&mut &bytes[..], &mut lines, longest, &mut told).expect("reading from memory");
        lines.finish(&mut told);
        for broken in &lines.broken {
            told.0.push(format!("broken @{broken}"));
        }
        told.0.push(format!("cursor {} of {}", lines.at, bytes.len()));
        told.0.join("\n")
    }

    fn check(bytes: impl AsRef<[u8]>, expect: Expect) {
        expect.assert_eq(&read(bytes.as_ref(), LONGEST_LINE));
    }

    #[test]
    fn lines_and_objects() {
        check("", expect!["cursor 0 of 0"]);
        check(
            "{\"t\":1}\n\n  {\"t\":2}\r\n",
            expect![[r#"
                @0 {"t":1}
                @11 {"t":2}
                cursor 20 of 20"#]],
        );
        check(
            "\u{feff}{\"t\":1}{\"t\":2} {\"t\":3}\n",
            expect![[r#"
                @3 {"t":1}
                @10 {"t":2}
                @18 {"t":3}
                cursor 26 of 26"#]],
        );
    }

    #[test]
    fn garbage_is_counted_and_passed() {
        check(
            "garbage\n{\"t\":1}garb{age{\"t\":2}\n[1]\nnull\n\"{\"\n{\"t\":3}\n",
            expect![[r#"
                @8 {"t":1}
                @23+ {"t":2}
                @44 {"t":3}
                broken @0
                broken @15
                broken @31
                broken @35
                broken @40
                cursor 52 of 52"#]],
        );
        check(
            "{\"t\":\"cut {\"t\":1}\n{\"x\":1}{\"t\":2}\n\0\0\0{\"t\":3}\n",
            expect![[r#"
                @10+ {"t":1}
                @25 {"t":2}
                @36+ {"t":3}
                broken @0
                broken @18
                broken @33
                cursor 44 of 44"#]],
        );
    }

    #[test]
    fn what_is_no_text_is_repaired() {
        check(
            b"{\"t\":\"a\xffb\"}{\"t\":2}\n{\"t\":\"\\ud83d\"}\n".as_slice(),
            expect![[r#"
                @0~ {"t":"a�b"}
                @11 {"t":2}
                @19~ {"t":"\ufffd"}
                cursor 34 of 34"#]],
        );
    }

    #[test]
    fn half_a_line_is_held_back() {
        check(
            "{\"t\":1}\n{\"t\":",
            expect![[r#"
                @0 {"t":1}
                cursor 8 of 13"#]],
        );
        check(
            "{\"t\":1}\n{\"t\":2} {\"t\":3}",
            expect![[r#"
                @0 {"t":1}
                @8 {"t":2}
                @16 {"t":3}
                cursor 23 of 23"#]],
        );
        check(
            "{\"t\":2}{\"t\"",
            expect![[r#"
            @0 {"t":2}
            cursor 7 of 11"#]],
        );
        check("12", expect!["cursor 0 of 2"]);
    }

    #[test]
    fn overlong_lines_are_skipped() {
        let long =
            format!("{{\"t\":1}}\n{{\"t\":\"{}\"}}\n{{\"t\":2}}\ngarbage\n{{\"t\":3}}\n{{", "x".repeat(3 * CHUNK));
        expect![[r#"
            @0 {"t":1}
            @1572881 {"t":2}
            @1572897 {"t":3}
            broken @8
            broken @1572889
            cursor 1572905 of 1572906"#]]
        .assert_eq(&read(long.as_bytes(), 100));
        let endless = format!("{{\"t\":1}}\n{}", "x".repeat(3 * CHUNK));
        expect![[r#"
            @0 {"t":1}
            cursor 8 of 1572872"#]]
        .assert_eq(&read(endless.as_bytes(), 100));
    }

    #[test]
    fn the_check_sees_every_byte() {
        let bytes: Vec<u8> = (0..61).collect();
        let mut checks =
            vec![super::check(&bytes), super::check(&bytes[1..]), super::check(&[bytes.clone(), vec![0]].concat())];
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            checks.push(super::check(&other));
        }
        checks.sort_unstable();
        checks.dedup();
        assert_eq!(checks.len(), bytes.len() + 3);
        assert_eq!(
            [super::check(b""), super::check(b"the same in every version, on every machine")],
            [2063383759, 3286360757]
        );
    }
}
