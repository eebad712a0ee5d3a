//! Ids and times as logs write them.

use std::ops::Range;

use trace::{RecordId, Timestamp};

pub(crate) fn time(text: &str) -> Option<Timestamp> {
    usual_time(text).or_else(|| {
        let time: jiff::Timestamp = text.parse().ok()?;
        Some(Timestamp(time.as_millisecond()))
    })
}

/// `2026-01-02T03:04:05.678Z`, as nearly all records have it.
fn usual_time(text: &str) -> Option<Timestamp> {
    let bytes: &[u8; 24] = text.as_bytes().try_into().ok()?;
    let signs = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (23, b'Z')];
    if signs.iter().any(|(at, sign)| bytes[*at] != *sign) {
        return None;
    }
    let number = |range: Range<usize>| {
        bytes[range]
            .iter()
            .try_fold(0i64, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0')))
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second, milli) = (number(11..13)?, number(14..16)?, number(17..19)?, number(20..23)?);
    if year < 1 || !(1..=12).contains(&month) || !(1..=28).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = days_before(year, month) * 86_400 + (day - 1) * 86_400 + hour * 3600 + minute * 60 + second;
    Some(Timestamp(seconds * 1000 + milli))
}

/// Days from 1970 to the first of a month: years begin in March, so that the day of a leap year is the last.
fn days_before(year: i64, month: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_months = (153 * ((month + 9) % 12) + 2) / 5;
    year * 365 + year / 4 - year / 100 + year / 400 + of_months - 719_468
}

/// A uuid as a number; any other id as a hash of it.
pub(crate) fn record_id(id: &str) -> RecordId {
    uuid(id).map_or_else(|| hashed(&[id]), RecordId::new)
}

fn uuid(text: &str) -> Option<u128> {
    let bytes = text.as_bytes();
    if bytes.len() != 36 || [8, 13, 18, 23].iter().any(|at| bytes[*at] != b'-') {
        return None;
    }
    let number = |range: Range<usize>| bytes[range].iter().try_fold(0, |id, byte| Some(id << 4 | digit(*byte)?));
    let (high, low) =
        (number(0..8)? << 32 | number(9..13)? << 16 | number(14..18)?, number(19..23)? << 48 | number(24..36)?);
    Some(u128::from(high) << 64 | u128::from(low))
}

fn digit(byte: u8) -> Option<u64> {
    Some(u64::from(match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        b'A'..=b'F' => byte - b'A' + 10,
        _ => return None,
    }))
}

/// A hash of several words (FNV-1a); it is the same in every process.
pub(crate) fn hashed(words: &[&str]) -> RecordId {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013B;
    const BASIS: u128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D;
    let bytes = words.iter().flat_map(|word| word.bytes().chain([0xFF]));
    RecordId::new(bytes.fold(BASIS, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME)))
}

#[cfg(test)]
mod tests {
    use super::{time, usual_time};

    #[test]
    fn times_are_those_of_the_calendar() {
        let slowly = |text: &str| text.parse::<jiff::Timestamp>().ok().map(|time| time.as_millisecond());
        for year in [1, 99, 1900, 1969, 1970, 1999, 2000, 2023, 2024, 2026, 2100, 9998] {
            for month in 1..=12 {
                for day in [1, 2, 28, 29, 30, 31, 32] {
                    let text = format!("{year:04}-{month:02}-{day:02}T23:04:59.678Z");
                    assert_eq!(time(&text).map(|time| time.0), slowly(&text), "{text}");
                }
            }
        }
        assert!(usual_time("2026-01-02T03:04:05.678Z").is_some());
        for text in [
            "2026-01-02T03:04:05Z",
            "2026-01-02T24:04:05.678Z",
            "2026-01-02T03:04:60.678Z",
            "0000-01-02T03:04:05.678Z",
            "2026-01-02T03:04:05.6é",
        ] {
            assert!(usual_time(text).is_none(), "{text}");
            assert_eq!(time(text).map(|time| time.0), slowly(text), "{text}");
        }
    }
}
