//! The records of lines, each read by itself: nothing here depends on the records before.

use memchr::memchr;
use trace::Place;

use super::check;
use crate::json;

/// Objects that are looked for behind garbage in one line: each failed try may read the rest of the line.
const TRIES: usize = 64;

/// What makes something of a log's records. Each is read by itself, on whatever thread; what depends on those before it
/// is done where it is taken, in the order of the log.
pub(crate) trait Records: Send {
    type Record<'a>;

    /// Reads the object at the beginning of `text`, which may go on behind it, and gives its length. `None`: there is
    /// none, or none that can be understood. One that is `salvaged` stands behind garbage, so it may well be a part of a
    /// broken record.
    fn read(text: &str, salvaged: bool) -> Option<(Self::Record<'_>, usize)>;

    fn take<'a>(&mut self, read: &Read<'a, Self::Record<'a>>);
}

/// A record that was read.
pub(crate) struct Read<'a, T> {
    pub(crate) record: T,
    /// The whole of it.
    pub(crate) text: &'a str,
    pub(crate) place: Place,
}

/// What stands in a line.
pub(super) enum Seen<'a, R: Records> {
    Record(Read<'a, R::Record<'a>>),
    /// A record whose bytes are no valid text: the repaired text.
    Repaired(String, Place),
    /// Bytes that are no record, by their offset in the file.
    Broken(u64),
}

impl<R: Records> Seen<'_, R> {
    /// Gives the offset of what is no record.
    pub(super) fn hand_to(self, records: &mut R) -> Option<u64> {
        match self {
            Seen::Record(read) => records.take(&read),
            Seen::Repaired(text, place) => {
                if let Some((record, used)) = R::read(&text, false) {
                    records.take(&Read { record, text: text.get(..used).unwrap_or_default(), place });
                }
            }
            Seen::Broken(at) => return Some(at),
        }
        None
    }
}

/// Reads each record of these lines, of which the first begins at `at`.
pub(super) fn each_record<'a, R: Records>(bytes: &'a [u8], at: u64, mut seen: impl FnMut(Seen<'a, R>)) {
    let mut begin = 0;
    for end in memchr::memchr_iter(b'\n', bytes).chain([bytes.len()]) {
        records_of_line(&bytes[begin..end], at + begin as u64, &mut seen);
        begin = (end + 1).min(bytes.len());
    }
}

/// The length of the objects at a line's beginning.
pub(super) fn whole_objects(line: &[u8]) -> usize {
    let mut end = 0;
    let mut at = skip_space(line, 0);
    while let Some(len) = line.get(at..).and_then(json::extent) {
        end = at + len;
        at = skip_space(line, end);
    }
    end
}

/// Each object of a line. Each run of bytes between that is no object counts once as broken.
fn records_of_line<'a, R: Records>(line: &'a [u8], line_at: u64, seen: &mut impl FnMut(Seen<'a, R>)) {
    let mut at = skip_space(line, 0);
    let mut in_garbage = false;
    let mut tries = 0;
    while at < line.len() {
        let (found, len) = object::<R>(&line[at..], line_at + at as u64, in_garbage);
        match found {
            Some(found) => {
                seen(found);
                in_garbage = false;
                at = skip_space(line, at + len);
                continue;
            }
            None if len > 0 && !in_garbage => {
                seen(Seen::Broken(line_at + at as u64));
                at = skip_space(line, at + len);
                continue;
            }
            None if len > 0 => at += len,
            None => {
                if !in_garbage {
                    seen(Seen::Broken(line_at + at as u64));
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

/// The object at the beginning, and its length: 0 where there is none. An object that the reader does not take is
/// `None` with its length.
fn object<'a, R: Records>(bytes: &'a [u8], at: u64, salvaged: bool) -> (Option<Seen<'a, R>>, usize) {
    if bytes.first() != Some(&b'{') {
        return (None, 0);
    }
    let place = |object: &[u8]| {
        let len = u32::try_from(object.len()).ok()?;
        Some(Place { at, len, part: 0, check: check(object) })
    };
    let plain = || {
        let line = simdutf8::basic::from_utf8(bytes).ok()?;
        let (record, used) = R::read(line, salvaged)?;
        let text = line.get(..used)?;
        Some((Seen::Record(Read { record, text, place: place(text.as_bytes())? }), used))
    };
    if let Some((seen, used)) = plain() {
        return (Some(seen), used);
    }
    let Some(len) = json::extent(bytes) else { return (None, 0) };
    let raw = &bytes[..len];
    let text = String::from_utf8_lossy(raw).into_owned();
    let is_record = R::read(&text, salvaged).is_some();
    (place(raw).filter(|_| is_record).map(|place| Seen::Repaired(text, place)), len)
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
