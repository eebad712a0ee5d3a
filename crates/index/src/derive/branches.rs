//! Which turns lie on the living path of a log, and which are dead ends.

use bitcode::{Decode, Encode};

/// The tree of turns, by their numbers from 1. 0 stands for what lies before the first turn.
#[derive(Default, Encode, Decode)]
pub(super) struct Branches {
    /// By a turn's number less one: the turn from which it was begun.
    before: Vec<u32>,
    /// The turns from the first to the head, rising.
    living: Vec<u32>,
}

/// What a new turn does to those before it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Moved {
    /// They are dead ends from now on.
    pub(super) left: Vec<u32>,
    /// They were dead ends, and the conversation went on from them.
    pub(super) taken_up: Vec<u32>,
}

impl Branches {
    /// Adds the turn `number`, begun from a record of the turn `from`. `None`: from nowhere that is known (a new
    /// root, behind a compaction), which leaves nothing behind.
    pub(super) fn begin(&mut self, number: u32, from: Option<u32>) -> Moved {
        let head = self.living.last().copied().unwrap_or(0);
        let from = from.unwrap_or(head);
        self.before.push(from);
        let mut moved = Moved::default();
        if from != head {
            let path = self.path_to(from);
            moved.left = self.living.iter().copied().filter(|turn| path.binary_search(turn).is_err()).collect();
            moved.taken_up = path.iter().copied().filter(|turn| self.living.binary_search(turn).is_err()).collect();
            self.living = path;
        }
        self.living.push(number);
        moved
    }

    /// The turns from the first to this one, rising.
    fn path_to(&self, turn: u32) -> Vec<u32> {
        let before = |turn: u32| self.before.get((turn as usize).checked_sub(1)?).copied();
        let mut path: Vec<u32> =
            std::iter::successors(Some(turn), |turn| before(*turn)).filter(|turn| *turn > 0).collect();
        path.reverse();
        path
    }
}
