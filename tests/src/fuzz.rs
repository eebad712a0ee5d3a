//! Runs a fuzz target: a function of an input that fails on a defect. In a normal run the inputs are few and the same
//! each time; `TURNLENS_FUZZ_SECONDS=600` runs every target for so long, with new ones. What fails is shown smallest
//! first, and becomes a test.

use std::time::{Duration, Instant};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

pub fn fuzz<S: Strategy>(cases: u32, inputs: &S, target: impl Fn(S::Value)) {
    let config = Config { cases, failure_persistence: None, max_shrink_time: 60_000, ..Config::default() };
    let run = |mut runner: TestRunner| {
        let outcome = runner.run(inputs, |input| {
            target(input);
            Ok(())
        });
        if let Err(failure) = outcome {
            panic!("{failure}");
        }
    };
    let seconds = std::env::var("TURNLENS_FUZZ_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    let Some(seconds) = seconds else {
        return run(TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)));
    };
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        run(TestRunner::new(config.clone()));
    }
}

/// One of `seeds` with some bytes taken out, replaced, put in, repeated or cut off.
pub fn mutated(seeds: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    use proptest::prelude::{Just, any, prop, prop_oneof};
    let seed = prop::sample::select(seeds).prop_map(|seed| seed.as_bytes().to_vec());
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..6),
        prop::sample::select(
            &[
                "\n",
                "\r\n",
                "{",
                "}",
                "\"",
                "\\u",
                "\\ud83d",
                "0",
                "-1",
                "99999999999999999999",
                "null",
                "[",
                "é",
                "😀",
                "\0",
                "%2e",
                "/",
                ".."
            ][..]
        )
        .prop_map(|text| text.as_bytes().to_vec()),
        Just(vec![b'x'; 5_000]),
    ];
    let change = (any::<prop::sample::Index>(), 0..12_usize, bytes, 0..8_u8);
    (prop::collection::vec(seed, 1..6), prop::collection::vec(change, 0..6)).prop_map(|(seeds, changes)| {
        let mut text = seeds.concat();
        for (at, length, new, kind) in changes {
            let from = at.index(text.len() + 1);
            let to = (from + length).min(text.len());
            match kind {
                0 => text.truncate(from),
                1 => {
                    let again = text[from..].to_vec();
                    text.extend(again);
                }
                2 => drop(text.drain(from..to)),
                _ => drop(text.splice(from..to, new)),
            }
        }
        text
    })
}
