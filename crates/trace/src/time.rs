//! Moments and how a person reads them.

use bitcode::{Decode, Encode};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Whole seconds between two moments, never negative.
    pub fn seconds_until(self, later: Timestamp) -> u64 {
        u64::try_from((later.0 - self.0) / 1000).unwrap_or(0)
    }
}

/// A moment as a wall clock in one zone shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    pub year: i16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    /// Minutes east of UTC.
    pub offset: i16,
}

impl Civil {
    pub fn same_day(&self, other: &Civil) -> bool {
        (self.year, self.month, self.day) == (other.year, other.month, other.day)
    }
}

/// The zone of the person who reads. Zone tables are files, so whoever may read files brings one.
pub trait Zone {
    fn civil(&self, at: Timestamp) -> Civil;
}
