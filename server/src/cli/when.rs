//! Moments as people write them: git's words and short forms.

use jiff::civil::{DateTime, Time};
use jiff::{Span, ToSpan, Zoned};
use trace::Timestamp;

/// `yesterday`, `monday`, `7d`, `2 weeks ago`, `2026-11-03`, `2026-11-03 14:00`, RFC 3339. A day is its beginning
/// here. The error says what can be written.
pub(crate) fn parse(text: &str) -> Result<Timestamp, String> {
    parse_at(text, &Zoned::now())
        .ok_or_else(|| "write yesterday, monday, 7d, 2026-11-03, “2026-11-03 14:00” or an RFC 3339 time".into())
}

fn parse_at(text: &str, now: &Zoned) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(told) = text.parse::<jiff::Timestamp>() {
        return Some(Timestamp(told.as_millisecond()));
    }
    let local = |civil: DateTime| civil.to_zoned(now.time_zone().clone()).ok();
    // A date alone is its midnight.
    if let Ok(civil) = text.parse::<DateTime>() {
        return stamp(local(civil));
    }
    // git takes dots for blanks: 2.weeks.ago
    let text = text.to_lowercase().replace(['.', '_'], " ");
    let words: Vec<&str> = text.split_whitespace().collect();
    stamp(match words.as_slice() {
        ["now"] => Some(now.clone()),
        ["today" | "midnight"] => now.start_of_day().ok(),
        ["yesterday"] => now.yesterday().ok()?.start_of_day().ok(),
        ["noon"] => local(now.date().to_datetime(Time::constant(12, 0, 0, 0))),
        ["last", unit] => back(now, 1, unit),
        [amount, unit] | [amount, unit, "ago"] => back(now, amount.parse().ok()?, unit),
        [word] => weekday(now, word).or_else(|| short(now, word)),
        _ => None,
    })
}

fn stamp(moment: Option<Zoned>) -> Option<Timestamp> {
    moment.map(|moment| Timestamp(moment.timestamp().as_millisecond()))
}

/// `7d`, `24h`, `2w`, `3mo`
fn short(now: &Zoned, word: &str) -> Option<Zoned> {
    let end = word.find(|c: char| !c.is_ascii_digit()).filter(|end| *end > 0)?;
    back(now, word[..end].parse().ok()?, &word[end..])
}

fn back(now: &Zoned, amount: i64, unit: &str) -> Option<Zoned> {
    let span: Span = match unit.strip_suffix('s').filter(|unit| !unit.is_empty()).unwrap_or(unit) {
        "s" | "sec" | "second" => 1.second(),
        "m" | "min" | "minute" => 1.minute(),
        "h" | "hour" => 1.hour(),
        "d" | "day" => 1.day(),
        "w" | "week" => 1.week(),
        "mo" | "month" => 1.month(),
        "y" | "year" => 1.year(),
        _ => return None,
    };
    now.checked_sub(span.checked_mul(amount).ok()?).ok()
}

/// The last day of this name before today, from its beginning.
fn weekday(now: &Zoned, word: &str) -> Option<Zoned> {
    use jiff::civil::Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};
    const DAYS: [(&str, jiff::civil::Weekday); 7] = [
        ("monday", Monday),
        ("tuesday", Tuesday),
        ("wednesday", Wednesday),
        ("thursday", Thursday),
        ("friday", Friday),
        ("saturday", Saturday),
        ("sunday", Sunday),
    ];
    let (_, day) = DAYS.into_iter().find(|(name, _)| word.len() >= 3 && name.starts_with(word))?;
    now.nth_weekday(-1, day).ok()?.start_of_day().ok()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(text: &str, expect: Expect) {
        // A Friday, with an hour between the zone and UTC.
        let now: Zoned = "2026-11-20T14:02:03+01:00[+01:00]".parse().expect("a moment");
        let told = parse_at(text, &now).map_or("no time".into(), crate::time::rfc3339);
        expect.assert_eq(&told);
    }

    #[test]
    fn words() {
        check("now", expect!["2026-11-20T13:02:03.000Z"]);
        check("today", expect!["2026-11-19T23:00:00.000Z"]);
        check("yesterday", expect!["2026-11-18T23:00:00.000Z"]);
        check("Monday", expect!["2026-11-15T23:00:00.000Z"]);
        check("fri", expect!["2026-11-12T23:00:00.000Z"]);
        check("last week", expect!["2026-11-13T13:02:03.000Z"]);
        check("2 weeks ago", expect!["2026-11-06T13:02:03.000Z"]);
        check("2.weeks.ago", expect!["2026-11-06T13:02:03.000Z"]);
        check("1 day", expect!["2026-11-19T13:02:03.000Z"]);
    }

    #[test]
    fn short_forms_and_dates() {
        check("7d", expect!["2026-11-13T13:02:03.000Z"]);
        check("90m", expect!["2026-11-20T11:32:03.000Z"]);
        check("3mo", expect!["2026-08-20T13:02:03.000Z"]);
        check("2026-11-03", expect!["2026-11-02T23:00:00.000Z"]);
        check("2026-11-03 14:00", expect!["2026-11-03T13:00:00.000Z"]);
        check("2026-11-03T14:00:00Z", expect!["2026-11-03T14:00:00.000Z"]);
        check("2026-11-03T14:00:00+05:30", expect!["2026-11-03T08:30:00.000Z"]);
    }

    #[test]
    fn no_times() {
        for text in ["", "d", "7", "7x", "tomorrow", "mo", "99999999999y", "s", "2026-13-01"] {
            check(text, expect!["no time"]);
        }
    }
}
