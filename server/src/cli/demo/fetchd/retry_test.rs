use std::time::{Duration, Instant};

use fetchd::http::Error;
use fetchd::retry::retry;

const FIRST: Duration = Duration::from_millis(5);

/// Calls until the call with this number, which succeeds; how many calls that took.
fn calls_until(success: u32, status: Option<u16>) -> (u32, bool) {
    let mut calls = 0;
    let outcome = retry(3, FIRST, || {
        calls += 1;
        if calls == success {
            Ok(())
        } else {
            Err(Error::new(status))
        }
    });
    (calls, outcome.is_ok())
}

#[test]
fn first_try() {
    assert_eq!(calls_until(1, None), (1, true));
}

#[test]
fn third_try() {
    assert_eq!(calls_until(3, Some(503)), (3, true));
}

#[test]
fn never_more_than_three() {
    assert_eq!(calls_until(9, None), (3, false));
}

#[test]
fn what_cannot_pass_is_not_tried_again() {
    assert_eq!(calls_until(2, Some(404)), (1, false));
}

#[test]
fn no_wait_before_the_first() {
    let began = Instant::now();
    assert!(retry(3, Duration::from_secs(60), || Ok(())).is_ok());
    assert!(began.elapsed() < Duration::from_secs(60));
}
