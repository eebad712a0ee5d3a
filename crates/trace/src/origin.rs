//! What is said of one line.

/// A step, as the caller of the engine numbers them. The engine only carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepKey(pub u32);

/// Why a line is said to be a step's. In the order of strength.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Evidence {
    /// The chain from the edit to the text now is proven.
    Recorded,
    /// Proven, then moved by changes known only by their outcome.
    Carried,
    /// The same tokens in the same order; only white space and what formatters add differ.
    Reformatted,
    /// The same run of lines, unique, at another place.
    Moved,
    /// Exactly one command could have written this line.
    Inferred,
    /// A note of another tool says so.
    Imported,
}

impl Evidence {
    pub fn id(self) -> &'static str {
        match self {
            Evidence::Recorded => "recorded",
            Evidence::Carried => "carried",
            Evidence::Reformatted => "reformatted",
            Evidence::Moved => "moved",
            Evidence::Inferred => "inferred",
            Evidence::Imported => "imported",
        }
    }
}

/// Who wrote a line, and why that is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LineOrigin {
    pub step: StepKey,
    pub evidence: Evidence,
}
