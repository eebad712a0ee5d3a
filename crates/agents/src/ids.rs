//! Ids and times as logs write them.

use trace::{RecordId, Timestamp};

pub(crate) fn time(text: &str) -> Option<Timestamp> {
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp(time.as_millisecond()))
}

/// A uuid as a number; any other id as a hash of it.
pub(crate) fn record_id(id: &str) -> RecordId {
    uuid(id).map_or_else(|| hashed(&[id]), RecordId)
}

fn uuid(text: &str) -> Option<u128> {
    let bytes = text.as_bytes();
    if bytes.len() != 36 || [8, 13, 18, 23].iter().any(|at| bytes[*at] != b'-') {
        return None;
    }
    let digits = bytes.iter().enumerate().filter(|(at, _)| !matches!(at, 8 | 13 | 18 | 23));
    digits.map(|(_, byte)| (*byte as char).to_digit(16)).try_fold(0u128, |id, digit| Some(id << 4 | u128::from(digit?)))
}

/// A hash of several words (FNV-1a); it is the same in every process.
pub(crate) fn hashed(words: &[&str]) -> RecordId {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013B;
    const BASIS: u128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D;
    let bytes = words.iter().flat_map(|word| word.bytes().chain([0xFF]));
    RecordId(bytes.fold(BASIS, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME)))
}
