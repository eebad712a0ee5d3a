//! What is written.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use agents::{Cursor, Identity, Memory};
use bitcode::{Decode, Encode};
use trace::Agent;

use crate::file::Stamp;
use crate::summary::{FileUse, LogSummary};

/// All that is known of the logs below some roots at one moment, but for their spines.
#[derive(Encode, Decode)]
pub(crate) struct Saved {
    /// In the order of their ids.
    pub(crate) logs: Vec<SavedLog>,
}

#[derive(Encode, Decode)]
pub(crate) struct SavedLog {
    pub(crate) path: String,
    stamp: SavedStamp,
    cursor: SavedCursor,
    pub(crate) summary: LogSummary,
    pub(crate) origin: Option<SavedOrigin>,
}

/// Of which other log this one is a copy.
#[derive(Encode, Decode)]
pub(crate) struct SavedOrigin {
    /// Its index among the saved logs.
    pub(crate) log: u32,
    pub(crate) turns: u32,
    pub(crate) own: Vec<FileUse>,
}

/// The first section of a spine's file: which log it is of, and how far it goes.
#[derive(Encode, Decode)]
pub(crate) struct SpineHead {
    pub(crate) path: String,
    pub(crate) agent: Agent,
    cursor: SavedCursor,
}

#[derive(Encode, Decode)]
struct SavedCursor {
    offset: u64,
    records: u32,
    identity: Option<SavedIdentity>,
}

#[derive(Encode, Decode)]
struct SavedIdentity {
    file: (u64, u64),
    head: u32,
    head_len: u32,
    tail: u32,
}

#[derive(Encode, Decode)]
struct SavedStamp {
    len: u64,
    /// Since 1970; earlier times are not told.
    modified: Option<(u64, u32)>,
    file: (u64, u64),
}

impl SavedLog {
    pub(crate) fn new(
        path: &str,
        stamp: Stamp,
        cursor: &Cursor,
        summary: &LogSummary,
        origin: Option<SavedOrigin>,
    ) -> SavedLog {
        let modified = stamp.modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified = modified.map(|since| (since.as_secs(), since.subsec_nanos()));
        SavedLog {
            path: path.to_owned(),
            stamp: SavedStamp { len: stamp.len, modified, file: stamp.file },
            cursor: SavedCursor::new(cursor),
            summary: summary.clone(),
            origin,
        }
    }

    pub(crate) fn stamp(&self) -> Stamp {
        let SavedStamp { len, modified, file } = self.stamp;
        let time = |(secs, nanos)| SystemTime::UNIX_EPOCH.checked_add(Duration::new(secs, nanos));
        Stamp { len, modified: modified.and_then(time), file }
    }

    pub(crate) fn cursor(&self) -> Cursor {
        self.cursor.cursor()
    }
}

impl SpineHead {
    pub(crate) fn new(path: &str, agent: Agent, cursor: &Cursor) -> SpineHead {
        SpineHead { path: path.to_owned(), agent, cursor: SavedCursor::new(cursor) }
    }

    pub(crate) fn cursor(&self) -> Cursor {
        self.cursor.cursor()
    }
}

impl SavedCursor {
    fn new(cursor: &Cursor) -> SavedCursor {
        let identity = cursor.identity.as_ref().map(|known| {
            let Identity { file, head, head_len, tail } = *known;
            SavedIdentity { file, head, head_len, tail }
        });
        SavedCursor { offset: cursor.offset, records: cursor.records, identity }
    }

    fn cursor(&self) -> Cursor {
        let identity = self.identity.as_ref().map(|known| {
            let SavedIdentity { file, head, head_len, tail } = *known;
            Identity { file, head, head_len, tail }
        });
        // What the reader remembered is gone: it looks back.
        Cursor { offset: self.offset, records: self.records, identity, memory: Memory::default() }
    }
}

/// A name for texts, of 128 bits: two of them do not meet by chance, and if they did, the file says whose it is.
pub(crate) fn log_key<'a>(texts: impl IntoIterator<Item = &'a str>) -> u128 {
    // FNV-1a. It names files, so it must never change.
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013B;
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    let end = [0xffu8];
    for byte in texts.into_iter().flat_map(|text| text.as_bytes().iter().chain(&end)) {
        hash = (hash ^ u128::from(*byte)).wrapping_mul(PRIME);
    }
    hash
}
