//! What happens to the files of a home.

use std::fs;

use proptest::prelude::*;

use super::{Home, records};

/// One thing that can happen to the files of a home.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Append(usize, usize),
    /// Half of a record, its rest with the next append.
    AppendHalf(usize, usize),
    Truncate(usize, u16),
    /// Written elsewhere and moved here.
    Replace(usize, usize),
    Rename(usize, usize),
    Delete(usize),
}

pub(crate) const NAMES: [&str; 3] = ["s", "t", "agent-a1"];
const PIECES: [&str; 6] = [
    "a prompt Add retry to the loader",
    "b<a +1 text I look",
    "c<b +2 edit src/loader.rs",
    "d<a +3 prompt Or rather the uploader",
    "e<d +4 read src/uploader.rs",
    "x +5 side Find every caller",
];

pub(crate) fn any_op() -> impl Strategy<Value = Op> {
    let (name, piece) = (|| 0..NAMES.len(), || 0..PIECES.len());
    prop_oneof![
        6 => (name(), piece()).prop_map(|(name, piece)| Op::Append(name, piece)),
        2 => (name(), piece()).prop_map(|(name, piece)| Op::AppendHalf(name, piece)),
        1 => (name(), any::<u16>()).prop_map(|(name, len)| Op::Truncate(name, len)),
        1 => (name(), piece()).prop_map(|(name, piece)| Op::Replace(name, piece)),
        1 => (name(), name()).prop_map(|(from, to)| Op::Rename(from, to)),
        1 => name().prop_map(Op::Delete),
    ]
}

pub(crate) fn apply(home: &Home, op: &Op) {
    let text = |name: usize, piece: usize| records(NAMES[name], PIECES[piece]);
    match *op {
        Op::Append(name, piece) => home.append(NAMES[name], &text(name, piece)),
        Op::AppendHalf(name, piece) => {
            let text = text(name, piece);
            home.append(NAMES[name], &text[..text.len() / 2]);
        }
        Op::Truncate(name, len) => {
            let Ok(file) = fs::OpenOptions::new().write(true).open(home.log(NAMES[name])) else { return };
            let len = u64::from(len).min(file.metadata().unwrap().len());
            file.set_len(len).unwrap();
        }
        Op::Replace(name, piece) => {
            home.write("new", &text(name, piece));
            fs::rename(home.log("new"), home.log(NAMES[name])).unwrap();
        }
        Op::Rename(from, to) => drop(fs::rename(home.log(NAMES[from]), home.log(NAMES[to]))),
        Op::Delete(name) => drop(fs::remove_file(home.log(NAMES[name]))),
    }
}
