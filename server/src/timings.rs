//! How long this server took for each kind of message, and for reading the logs. Numbers alone, nothing of any text.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;

/// Kinds of messages that are told apart. A client that makes up names costs no more memory than this.
const MOST_KINDS: usize = 64;
/// Longer than anything a client waits for, in microseconds.
const LONGEST: u64 = 600_000_000;
/// Digits that count.
const DIGITS: u8 = 2;

/// One for each server.
#[derive(Default)]
pub(crate) struct Timings(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// In microseconds, by method.
    by_kind: BTreeMap<Box<str>, Histogram<u32>>,
    reading: Option<Duration>,
}

/// What one kind of message took, from its arrival in the loop to its answer; of a notification the time for which it
/// held up the loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Timing {
    pub(crate) kind: Box<str>,
    pub(crate) count: u64,
    pub(crate) half: Duration,
    /// 99 in 100 took no longer.
    pub(crate) most: Duration,
    pub(crate) longest: Duration,
}

impl Timings {
    pub(crate) fn record(&self, kind: &str, took: Duration) {
        let mut kept = self.kept();
        if !kept.by_kind.contains_key(kind) {
            let Ok(new) = Histogram::new_with_bounds(1, LONGEST, DIGITS) else { return };
            if kept.by_kind.len() >= MOST_KINDS {
                return;
            }
            kept.by_kind.insert(kind.into(), new);
        }
        if let Some(histogram) = kept.by_kind.get_mut(kind) {
            histogram.saturating_record(u64::try_from(took.as_micros()).unwrap_or(LONGEST));
        }
    }

    /// How long it took until every log had been read once.
    pub(crate) fn set_reading(&self, took: Duration) {
        self.kept().reading = Some(took);
    }

    pub(crate) fn reading(&self) -> Option<Duration> {
        self.kept().reading
    }

    /// In the order of their names.
    pub(crate) fn all(&self) -> Vec<Timing> {
        let kept = self.kept();
        let timings = kept.by_kind.iter().map(|(kind, histogram)| Timing {
            kind: kind.clone(),
            count: histogram.len(),
            half: Duration::from_micros(histogram.value_at_quantile(0.5)),
            most: Duration::from_micros(histogram.value_at_quantile(0.99)),
            longest: Duration::from_micros(histogram.max()),
        });
        timings.collect()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles() {
        let timings = Timings::default();
        (1..=100).for_each(|n| timings.record("textDocument/hover", Duration::from_micros(n)));
        timings.record("shutdown", Duration::from_secs(3_600));
        let told = timings.all();
        let kinds: Vec<_> = told.iter().map(|timing| (&*timing.kind, timing.count)).collect();
        assert_eq!(kinds, [("shutdown", 1), ("textDocument/hover", 100)]);
        assert!(told[0].longest >= Duration::from_micros(LONGEST), "cut, not left out");
        let hover = [told[1].half, told[1].most, told[1].longest].map(|time| time.as_micros());
        assert_eq!(hover, [50, 99, 100]);
    }

    #[test]
    fn made_up_names_cost_nothing() {
        let timings = Timings::default();
        (0..1_000).for_each(|n| timings.record(&format!("x/{n}"), Duration::ZERO));
        assert_eq!(timings.all().len(), MOST_KINDS);
    }
}
