//! Reading lines, alone and in turns.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::feed::PIECE;
use super::*;
use crate::json;

/// Tells what it is given: `@offset text`, with `~` where it differs from the bytes and `+` for salvaged ones. Objects
/// without `t` are not understood.
#[derive(Default)]
struct Told(Vec<String>);

impl Records for Told {
    /// Whether it was salvaged.
    type Record<'a> = bool;

    fn read(text: &str, salvaged: bool) -> Option<(bool, usize)> {
        let (value, used) = json::first::<serde_json::Value>(text)?;
        value.get("t")?;
        Some((salvaged, used))
    }

    fn take<'a>(&mut self, read: &Read<'a, bool>) {
        let is_repaired = super::check(read.text.as_bytes()) != read.place.check;
        let marks = [(is_repaired, "~"), (read.record, "+")];
        let marks: String = marks.iter().filter(|(told, _)| *told).map(|(_, mark)| *mark).collect();
        self.0.push(format!("@{}{marks} {}", read.place.at, read.text));
    }
}

/// What is told of these bytes where so many are read at once, on one thread or on several.
fn read(bytes: &[u8], piece: usize, longest: usize, in_turns: bool) -> String {
    let mut told = Told::default();
    let mut file = bytes;
    let mut feed = Feed::new(&mut file, 0, u64::MAX, bytes.len() as u64).with_bounds(piece, longest);
    let mut taker = Taker { records: &mut told, broken: Vec::new() };
    let read = if in_turns { turns::read(&mut feed, &mut taker) } else { read_alone(&mut feed, &mut taker) };
    read.expect("reading from memory");
    let offset = taker.finish(&mut feed);
    let broken = taker.broken;
    told.0.extend(broken.iter().map(|at| format!("broken @{at}")));
    told.0.push(format!("cursor {offset} of {}", bytes.len()));
    told.0.join("\n")
}

fn check(bytes: impl AsRef<[u8]>, expect: Expect) {
    expect.assert_eq(&read(bytes.as_ref(), PIECE, usize::MAX, false));
}

#[test]
fn lines_and_objects() {
    check("", expect!["cursor 0 of 0"]);
    check(
        "{\"t\":1}\n\n  {\"t\":2}\r\n",
        expect![[r#"
            @0 {"t":1}
            @11 {"t":2}
            cursor 20 of 20"#]],
    );
    check(
        "\u{feff}{\"t\":1}{\"t\":2} {\"t\":3}\n",
        expect![[r#"
            @3 {"t":1}
            @10 {"t":2}
            @18 {"t":3}
            cursor 26 of 26"#]],
    );
}

#[test]
fn garbage_is_counted_and_passed() {
    check(
        "garbage\n{\"t\":1}garb{age{\"t\":2}\n[1]\nnull\n\"{\"\n{\"t\":3}\n",
        expect![[r#"
            @8 {"t":1}
            @23+ {"t":2}
            @44 {"t":3}
            broken @0
            broken @15
            broken @31
            broken @35
            broken @40
            cursor 52 of 52"#]],
    );
    check(
        "{\"t\":\"cut {\"t\":1}\n{\"x\":1}{\"t\":2}\n\0\0\0{\"t\":3}\n",
        expect![[r#"
            @10+ {"t":1}
            @25 {"t":2}
            @36+ {"t":3}
            broken @0
            broken @18
            broken @33
            cursor 44 of 44"#]],
    );
}

#[test]
fn what_is_no_text_is_repaired() {
    check(
        b"{\"t\":\"a\xffb\"}{\"t\":2}\n{\"t\":\"\\ud83d\"}\n".as_slice(),
        expect![[r#"
            @0~ {"t":"a�b"}
            @11 {"t":2}
            @19 {"t":"\ud83d"}
            cursor 34 of 34"#]],
    );
}

#[test]
fn half_a_line_is_held_back() {
    check(
        "{\"t\":1}\n{\"t\":",
        expect![[r#"
            @0 {"t":1}
            cursor 8 of 13"#]],
    );
    check(
        "{\"t\":1}\n{\"t\":2} {\"t\":3}",
        expect![[r#"
            @0 {"t":1}
            @8 {"t":2}
            @16 {"t":3}
            cursor 23 of 23"#]],
    );
    check(
        "{\"t\":2}{\"t\"",
        expect![[r#"
        @0 {"t":2}
        cursor 7 of 11"#]],
    );
    check("12", expect!["cursor 0 of 2"]);
}

#[test]
fn overlong_lines_are_skipped() {
    let long = format!("{{\"t\":1}}\n{{\"t\":\"{}\"}}\n{{\"t\":2}}\ngarbage\n{{\"t\":3}}\n{{", "x".repeat(3 * PIECE));
    expect![[r#"
        @0 {"t":1}
        @1572881 {"t":2}
        @1572897 {"t":3}
        broken @8
        broken @1572889
        cursor 1572905 of 1572906"#]]
    .assert_eq(&read(long.as_bytes(), PIECE, 100, false));
    let endless = format!("{{\"t\":1}}\n{}", "x".repeat(3 * PIECE));
    expect![[r#"
        @0 {"t":1}
        cursor 8 of 1572872"#]]
    .assert_eq(&read(endless.as_bytes(), PIECE, 100, false));
}

#[test]
fn the_check_sees_every_byte() {
    let bytes: Vec<u8> = (0..61).collect();
    let mut checks =
        vec![super::check(&bytes), super::check(&bytes[1..]), super::check(&[bytes.clone(), vec![0]].concat())];
    for at in 0..bytes.len() {
        let mut other = bytes.clone();
        other[at] ^= 1;
        checks.push(super::check(&other));
    }
    checks.sort_unstable();
    checks.dedup();
    assert_eq!(checks.len(), bytes.len() + 3);
    assert_eq!(
        [super::check(b""), super::check(b"the same in every version, on every machine")],
        [2063383759, 3286360757]
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// However many threads read, and however much at once, the same is told.
    #[test]
    fn threads_and_pieces_make_no_difference(
        lines in proptest::collection::vec(proptest::sample::select(LINES), 0..60),
        piece in 1usize..40,
    ) {
        let bytes = lines.concat();
        let whole = read(bytes.as_bytes(), 40, 40, false);
        prop_assert_eq!(&read(bytes.as_bytes(), piece, 40, false), &whole);
        prop_assert_eq!(&read(bytes.as_bytes(), piece, 40, true), &whole);
    }
}

const LINES: &[&str] = &[
    "{\"t\":1}\n",
    "{\"t\":1}",
    "{\"t\":\"a longer line\"}\r\n",
    "{\"t\":\"one that is longer than any may be, so it is skipped\"}\n",
    "{\"x\":1} {\"t\":2}\n",
    "{\"t\":\"\\ud83d\"}\n",
    "garbage{\"t\":3}\n",
    "{\"t\":",
    "\n",
];

/// What one thread meets ends the others, too.
#[test]
fn errors_and_panics_end_all_threads() {
    struct Failing(u32);
    impl std::io::Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            match self.0 {
                7 => Err(io::Error::other("no luck")),
                _ => {
                    let line = b"{\"t\":1}\n";
                    buffer[..line.len()].copy_from_slice(line);
                    Ok(line.len())
                }
            }
        }
    }
    let mut told = Told::default();
    let mut file = Failing(0);
    let mut feed = Feed::new(&mut file, 0, u64::MAX, 0).with_bounds(32, 100);
    let mut taker = Taker { records: &mut told, broken: Vec::new() };
    assert!(turns::read(&mut feed, &mut taker).is_err());
    assert!(!told.0.is_empty());

    struct Panicking(u32);
    impl Records for Panicking {
        type Record<'a> = ();
        fn read(text: &str, _: bool) -> Option<((), usize)> {
            Some(((), text.len()))
        }
        fn take<'a>(&mut self, _: &Read<'a, ()>) {
            self.0 += 1;
            assert!(self.0 < 20, "a defect that this test wants");
        }
    }
    let bytes = "{}\n".repeat(100);
    let panicked = std::panic::catch_unwind(|| {
        let mut file = bytes.as_bytes();
        let mut feed = Feed::new(&mut file, 0, u64::MAX, 0).with_bounds(10, 100);
        turns::read(&mut feed, &mut Taker { records: &mut Panicking(0), broken: Vec::new() })
    });
    assert!(panicked.is_err());
}
