//! Moments and durations in words.

use trace::{Civil, Timestamp};

use crate::view::View;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl View<'_> {
    /// Today `14:32`, this year `3 Nov`, else `3 Nov 2025`. Never "2 hours ago", which has to be redrawn to stay true.
    pub fn when(&self, at: Timestamp) -> String {
        let (then, now) = (self.zone.civil(at), self.zone.civil(self.now));
        match () {
            () if then.same_day(&now) => clock(&then),
            () if then.year == now.year => format!("{} {}", then.day, short_month(&then)),
            () => format!("{} {} {}", then.day, short_month(&then), then.year),
        }
    }

    /// As [`View::when`], but `today 14:32`.
    pub fn when_in_words(&self, at: Timestamp) -> String {
        match self.is_today(at) {
            true => format!("today {}", self.when(at)),
            false => self.when(at),
        }
    }

    /// The heading of a day: `Today`, `3 November`, `3 November 2025`.
    pub(crate) fn day(&self, at: Timestamp) -> String {
        let (then, now) = (self.zone.civil(at), self.zone.civil(self.now));
        match () {
            () if then.same_day(&now) => "Today".into(),
            () if then.year == now.year => format!("{} {}", then.day, month(&then)),
            () => format!("{} {} {}", then.day, month(&then), then.year),
        }
    }

    fn is_today(&self, at: Timestamp) -> bool {
        self.zone.civil(at).same_day(&self.zone.civil(self.now))
    }

    /// `14:02`
    pub fn clock(&self, at: Timestamp) -> String {
        clock(&self.zone.civil(at))
    }

    /// `14:57:12`
    pub fn seconds(&self, at: Timestamp) -> String {
        let civil = self.zone.civil(at);
        format!("{}:{:02}", clock(&civil), civil.second)
    }

    /// `2026-11-20`
    pub fn date(&self, at: Timestamp) -> String {
        date(&self.zone.civil(at))
    }

    /// `2026-11-20 14:02`
    pub fn moment(&self, at: Timestamp) -> String {
        let civil = self.zone.civil(at);
        format!("{} {}", date(&civil), clock(&civil))
    }

    /// `+01:00`
    pub(crate) fn offset(&self, at: Timestamp) -> String {
        let offset = self.zone.civil(at).offset;
        let sign = if offset < 0 { '-' } else { '+' };
        format!("{sign}{:02}:{:02}", offset.unsigned_abs() / 60, offset.unsigned_abs() % 60)
    }

    /// `14:02 – 14:09`, with the date in front of the end where it is another day's. Without an end: `14:02 –`.
    pub fn span(&self, from: Timestamp, to: Option<Timestamp>) -> String {
        let Some(to) = to else { return format!("{} –", self.clock(from)) };
        match self.zone.civil(from).same_day(&self.zone.civil(to)) {
            true => format!("{} – {}", self.clock(from), self.clock(to)),
            false => format!("{} – {}", self.clock(from), self.moment(to)),
        }
    }

    /// As [`View::span`], with the date in front where it is not the day of `known`.
    pub(crate) fn span_within(&self, known: Option<Timestamp>, from: Timestamp, to: Option<Timestamp>) -> String {
        let same = known.is_some_and(|known| self.zone.civil(known).same_day(&self.zone.civil(from)));
        match same {
            true => self.span(from, to),
            false => format!("{} {}", self.date(from), self.span(from, to)),
        }
    }
}

fn clock(civil: &Civil) -> String {
    format!("{:02}:{:02}", civil.hour, civil.minute)
}

fn date(civil: &Civil) -> String {
    format!("{:04}-{:02}-{:02}", civil.year, civil.month, civil.day)
}

fn month(civil: &Civil) -> &'static str {
    MONTHS.get(usize::from(civil.month).wrapping_sub(1)).copied().unwrap_or("?")
}

fn short_month(civil: &Civil) -> &'static str {
    let name = month(civil);
    name.get(..3).unwrap_or(name)
}

/// How long a command ran: `8.2 s`, `2 min 3 s`, `1 h 4 min`. Nothing under a tenth of a second.
pub(crate) fn run_time(from: Timestamp, to: Timestamp) -> Option<String> {
    let tenths = to.0.saturating_sub(from.0).saturating_add(50).div_euclid(100);
    match tenths {
        ..1 => None,
        1..600 => Some(format!("{}.{} s", tenths / 10, tenths % 10)),
        _ => Some(long(u64::try_from(tenths / 10).unwrap_or(0))),
    }
}

/// How long a sub-agent worked, in whole seconds: `41 s`, `2 min 3 s`.
pub(crate) fn work_time(from: Timestamp, to: Timestamp) -> String {
    long(from.seconds_until(to))
}

fn long(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use trace::Timestamp;

    use super::*;
    use crate::fixture::{at, view};

    fn check(moment: &str, expect: Expect) {
        let (view, at) = (view(), at(moment));
        expect.assert_eq(&format!("{} | {} | {}", view.when(at), view.when_in_words(at), view.day(at)));
    }

    #[test]
    fn moments() {
        check("2026-11-20 14:32", expect!["14:32 | today 14:32 | Today"]);
        check("2026-11-19 23:59", expect!["19 Nov | 19 Nov | 19 November"]);
        check("2026-01-03 00:00", expect!["3 Jan | 3 Jan | 3 January"]);
        check("2025-11-03 09:12", expect!["3 Nov 2025 | 3 Nov 2025 | 3 November 2025"]);
    }

    #[test]
    fn spans() {
        let view = view();
        let span = |from, to: Option<&str>| view.span(at(from), to.map(at));
        assert_eq!(span("2026-11-20 14:02", Some("2026-11-20 14:09")), "14:02 – 14:09");
        assert_eq!(span("2026-11-20 23:50", Some("2026-11-21 00:10")), "23:50 – 2026-11-21 00:10");
        assert_eq!(span("2026-11-20 14:02", None), "14:02 –");
        assert_eq!(view.offset(at("2026-11-20 14:02")), "+01:00");
    }

    #[test]
    fn durations() {
        let run = |ms| run_time(Timestamp(0), Timestamp(ms)).unwrap_or_default();
        assert_eq!([run(-5), run(40), run(8_200), run(59_960)], ["", "", "8.2 s", "1 min 0 s"]);
        let work = |s: i64| work_time(Timestamp(0), Timestamp(s * 1000));
        assert_eq!([work(41), work(123), work(3_840)], ["41 s", "2 min 3 s", "1 h 4 min"]);
    }
}
