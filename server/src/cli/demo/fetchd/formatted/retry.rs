use std::{thread::sleep, time::Duration};

use crate::http::Error;

/// Calls `f` up to `times` times, waiting twice as long after each failure.
pub fn retry<T>(
    times: u32,
    first: Duration,
    mut f: impl FnMut() -> Result<T, Error>,
) -> Result<T, Error> {
    let mut wait = first;
    for _ in 1..times {
        match f() {
            Err(e) if e.is_transient() => sleep(wait),
            other => return other,
        }
        wait *= 2;
    }
    f()
}
