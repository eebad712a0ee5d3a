//! Moments as JSON and people write them.

use jiff::tz::TimeZone;
use trace::{Civil, Timestamp, Zone};

/// RFC 3339 in UTC, with milliseconds.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    let time = jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{time:.3}")
}

pub(crate) fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_millisecond())
}

/// The zone of the person who reads.
pub(crate) struct LocalZone(TimeZone);

impl LocalZone {
    /// Looks for the zone on a thread of its own, so that it is known when the first time is shown: to find it takes
    /// longer than to answer most requests.
    pub(crate) fn look_ahead() {
        // Without a thread it is found when it is needed.
        _ = std::thread::Builder::new().name("turnlens-zone".into()).spawn(TimeZone::system);
    }

    pub(crate) fn system() -> LocalZone {
        LocalZone(TimeZone::system())
    }
}

impl Zone for LocalZone {
    fn civil(&self, at: Timestamp) -> Civil {
        let time = jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let local = time.to_zoned(self.0.clone());
        let part = |n: i8| u8::try_from(n).unwrap_or(0);
        Civil {
            year: local.year(),
            month: part(local.month()),
            day: part(local.day()),
            hour: part(local.hour()),
            minute: part(local.minute()),
            second: part(local.second()),
            offset: i16::try_from(local.offset().seconds() / 60).unwrap_or(0),
        }
    }
}
