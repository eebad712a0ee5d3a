//! Lenses in code: few rows, where the language's own lenses stand.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Range;

use trace::Timestamp;

use crate::status::lens_text;
use crate::text::{count, thousands};
use crate::view::View;

/// A unit of more lines is cut into the units inside it.
const LONG_UNIT: usize = 60;
/// One row for so many lines in files with recent lines, and in others.
const RECENT_LINES_A_ROW: usize = 15;
const OLD_LINES_A_ROW: usize = 50;
const ALWAYS_ALLOWED: usize = 3;

/// The setting `codeLens.scope`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Auto,
    Recent,
    All,
    /// The file's lens only.
    File,
    Off,
}

/// A step's share in a file. Lines name their owner by its place in a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The agent's short name without a mark: `Claude`, `Claude (git-ai), Anna`.
    pub agent: Box<str>,
    pub title: Box<str>,
    pub at: Option<Timestamp>,
    /// The same for all owners of one turn, different for others. Higher is newer where `at` does not decide.
    pub turn: u64,
    pub inferred: bool,
    /// Not in `HEAD`, or its turn ended a short while ago, or the file is outside git.
    pub recent: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lens {
    /// From 0.
    pub line: u32,
    pub title: String,
    pub kind: LensKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LensKind {
    /// The newest turn of a unit, by one of its owners.
    Turn {
        owner: u32,
    },
    /// All turns of a unit, newest first, each by one of its owners.
    Turns {
        owners: Vec<u32>,
    },
    File,
}

/// A head and what belongs to it. Lines from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// The line on which a lens stands.
    pub head: u32,
    /// Its lines, from its comment and attributes on. A unit inside it is none of them.
    pub lines: Range<u32>,
}

/// The lenses of a file, in the order of lines. `owners` has one entry for each line of the file.
pub fn code_lenses(
    lines: &[&str],
    owners: &[Option<u32>],
    table: &[Owner],
    is_excluded: bool,
    scope: Scope,
    view: &View<'_>,
) -> Vec<Lens> {
    if is_excluded || scope == Scope::Off {
        return Vec::new();
    }
    let owner_of = |line: u32| {
        let owner = owners.get(line as usize).copied().flatten()?;
        table.get(owner as usize).map(|known| (owner, known))
    };
    let file = file_lens(lines, &owner_of);
    if scope == Scope::File {
        return file.into_iter().map(|(lens, _)| lens).collect();
    }
    let groups = merged(units(lines).iter().map(|unit| share(unit, &owner_of)));
    let groups = match (scope, &file) {
        (Scope::Auto | Scope::Recent, Some((_, written))) if written.by_one_turn => first_of_one_turn(groups),
        _ => groups.into_iter().flatten().collect(),
    };
    let chosen = match scope {
        Scope::All => groups,
        _ => within_budget(groups, lines.len(), scope == Scope::Recent),
    };
    let mut lenses: Vec<Lens> = Vec::new();
    // A file with lenses of one turn only says nothing by a lens of its own.
    if let Some((file, written)) = file
        && !chosen.is_empty()
        && written.turns > 1
    {
        lenses.push(file);
    }
    for group in &chosen {
        lenses.extend(group.lenses(table, view));
    }
    lenses
}

/// What one unit, or several neighbours with the same newest turn, say.
#[derive(Clone, Debug)]
struct Group {
    head: u32,
    /// An owner of the newest turn.
    newest: u32,
    newest_key: (Option<Timestamp>, u64),
    /// All lines of the newest turn are inferred.
    inferred: bool,
    recent: bool,
    /// An owner of each turn, by turn.
    turns: BTreeMap<(Option<Timestamp>, u64), u32>,
}

impl Group {
    fn lenses(&self, table: &[Owner], view: &View<'_>) -> Vec<Lens> {
        let Some(owner) = table.get(self.newest as usize) else { return Vec::new() };
        let agent = if self.inferred { format!("{}?", owner.agent) } else { owner.agent.to_string() };
        let title = lens_text(&agent, owner.at, &owner.title, view);
        let mut lenses = vec![Lens { line: self.head, title, kind: LensKind::Turn { owner: self.newest } }];
        let others = self.turns.len().saturating_sub(1);
        if others > 0 {
            let owners = self.turns.values().rev().copied().collect();
            let title = format!("+{}", count(others as u64, "turn"));
            lenses.push(Lens { line: self.head, title, kind: LensKind::Turns { owners } });
        }
        lenses
    }
}

fn key(owner: &Owner) -> (Option<Timestamp>, u64) {
    (owner.at, owner.turn)
}

/// What a unit's lines say; `None` where nobody known wrote one.
fn share<'t>(unit: &Unit, owner_of: &impl Fn(u32) -> Option<(u32, &'t Owner)>) -> Option<Group> {
    let mut group: Option<Group> = None;
    for (index, owner) in unit.lines.clone().filter_map(owner_of) {
        let key = key(owner);
        let group = group.get_or_insert_with(|| Group {
            head: unit.head,
            newest: index,
            newest_key: key,
            inferred: owner.inferred,
            recent: false,
            turns: BTreeMap::new(),
        });
        group.recent |= owner.recent;
        group.turns.entry(key).or_insert(index);
        if key > group.newest_key {
            (group.newest, group.newest_key, group.inferred) = (index, key, owner.inferred);
        } else if key == group.newest_key {
            group.inferred &= owner.inferred;
        }
    }
    group
}

/// Neighbouring units with the same newest turn become one; a unit of nobody known keeps its place.
fn merged(shares: impl Iterator<Item = Option<Group>>) -> Vec<Option<Group>> {
    let mut groups: Vec<Option<Group>> = Vec::new();
    for share in shares {
        match (groups.last_mut(), share) {
            (Some(Some(last)), Some(next)) if last.newest_key == next.newest_key => {
                last.recent |= next.recent;
                last.inferred &= next.inferred;
                last.turns.extend(next.turns);
            }
            (_, share) => groups.push(share),
        }
    }
    groups
}

/// A file written by one turn has one lens, whatever stands between.
fn first_of_one_turn(groups: Vec<Option<Group>>) -> Vec<Group> {
    let mut groups = groups.into_iter().flatten();
    let first = groups.next();
    first
        .map(|mut first| {
            first.recent |= groups.any(|group| group.recent);
            first
        })
        .into_iter()
        .collect()
}

/// Groups with recent lines first, then the newest, in the order of lines.
fn within_budget(mut groups: Vec<Group>, lines: usize, only_recent: bool) -> Vec<Group> {
    let rows = |lines_a_row: usize| (lines / lines_a_row).max(ALWAYS_ALLOWED);
    groups.sort_by(|a, b| b.recent.cmp(&a.recent).then(b.newest_key.cmp(&a.newest_key)).then(a.head.cmp(&b.head)));
    let recent = groups.iter().take_while(|group| group.recent).count();
    let room = match only_recent {
        true => recent.min(rows(RECENT_LINES_A_ROW)),
        false => recent.min(rows(RECENT_LINES_A_ROW)).max(rows(OLD_LINES_A_ROW)),
    };
    // The file's lens on line 1 is a row too, unless a unit's lens stands there.
    let file_row = usize::from(groups.iter().take(room).all(|group| group.head != 0) && groups.len() > 1);
    let most = if recent > 0 { rows(RECENT_LINES_A_ROW) } else { rows(OLD_LINES_A_ROW) };
    groups.truncate(room.min(most - file_row));
    groups.sort_by_key(|group| group.head);
    groups
}

struct Written {
    turns: usize,
    /// One turn wrote the file, or all of it that anybody known wrote, and that is most of it.
    by_one_turn: bool,
}

/// `Claude, Codex · 7 turns · 214 of 310 lines`
fn file_lens<'t>(lines: &[&str], owner_of: &impl Fn(u32) -> Option<(u32, &'t Owner)>) -> Option<(Lens, Written)> {
    let mut agents: BTreeMap<&str, u64> = BTreeMap::new();
    let mut turns: BTreeMap<u64, ()> = BTreeMap::new();
    let (mut written, mut said, mut text) = (0, 0, 0);
    for (line, content) in (0..).zip(lines) {
        let is_text = !content.trim().is_empty();
        text += u64::from(is_text);
        if let Some((_, owner)) = owner_of(line) {
            *agents.entry(&owner.agent).or_default() += 1;
            turns.insert(owner.turn, ());
            written += 1;
            said += u64::from(is_text);
        }
    }
    if written == 0 {
        return None;
    }
    let mut names: Vec<(&str, u64)> = agents.into_iter().collect();
    names.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let names: Vec<&str> = names.into_iter().map(|(name, _)| name).collect();
    let of = count(lines.len() as u64, "line");
    let title =
        format!("{} · {} · {} of {of}", names.join(", "), count(turns.len() as u64, "turn"), thousands(written));
    let summary = Written { turns: turns.len(), by_one_turn: turns.len() == 1 && said * 2 >= text };
    Some((Lens { line: 0, title, kind: LensKind::File }, summary))
}

/// Cuts a file by its indentation alone: a head is a line at the lowest indentation with its attributes and comment
/// above it; lines without a body that stand together are one unit. Inside a long unit the next deeper heads are
/// units too.
pub fn units(lines: &[&str]) -> Vec<Unit> {
    let shapes: Vec<Shape> = lines.iter().map(|line| Shape::of(line)).collect();
    let mut units = Vec::new();
    cut(&shapes, 0..lines.len(), &mut units);
    units
}

/// What the cutting needs to know of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    /// `None`: a blank line.
    indent: Option<u32>,
    kind: Kind,
    /// Its last character opens something: what follows is a part of it.
    opens: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A comment or an attribute: it belongs to the head below it.
    Lead,
    /// Goes on with or closes what stands above it: `}`, `else`, `end`.
    Tail,
    Other,
}

impl Shape {
    const BLANK: Shape = Shape { indent: None, kind: Kind::Other, opens: false };

    fn of(line: &str) -> Shape {
        const TAB: u32 = 4;
        let text = line.trim();
        if text.is_empty() {
            return Shape::BLANK;
        }
        let white = line.chars().take_while(|c| c.is_whitespace());
        let indent: u32 = white.map(|c| if c == '\t' { TAB } else { 1 }).sum();
        // The stars of a block comment stand one column behind its beginning.
        let indent = if text.starts_with('*') && indent % TAB == 1 { indent - 1 } else { indent };
        Shape { indent: Some(indent), kind: Kind::of(text), opens: text.ends_with(['(', '[', '{', ',']) }
    }
}

impl Kind {
    fn of(text: &str) -> Kind {
        const LEADS: [&str; 13] = ["//", "/*", "*/", "* ", "#[", "#![", "# ", "@", "--", ";;", "<!--", "%%", "\"\"\""];
        const TAILS: [&str; 8] = ["}", ")", "]", "{", "</", "*)", "|)", ">"];
        const TAIL_WORDS: [&str; 13] = [
            "else", "elif", "elsif", "elseif", "except", "finally", "catch", "rescue", "ensure", "end", "fi", "done",
            "esac",
        ];
        let word = text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        if TAILS.iter().any(|tail| text.starts_with(tail)) || TAIL_WORDS.contains(&word) {
            return Kind::Tail;
        }
        // `@media … {` is no attribute.
        if text.starts_with('@') && text.ends_with('{') {
            return Kind::Other;
        }
        let is_lead = text == "*" || text == "#" || LEADS.iter().any(|lead| text.starts_with(lead));
        if is_lead { Kind::Lead } else { Kind::Other }
    }
}

/// Where one unit of a level begins, has its head, and ends.
struct Piece {
    start: usize,
    head: usize,
    end: usize,
    /// Deeper lines stand in it.
    has_body: bool,
}

impl Piece {
    /// Its end is known when the next one begins.
    fn at(start: usize, head: usize) -> Piece {
        Piece { start, head, end: head + 1, has_body: false }
    }
}

/// Comments and attributes that wait for their head.
struct Lead {
    start: usize,
    after_blank: bool,
    /// Its last line opens something.
    is_open: bool,
}

fn cut(shapes: &[Shape], range: Range<usize>, units: &mut Vec<Unit>) {
    for piece in pieces(shapes, range) {
        let inner = piece.head + 1..piece.end;
        if piece.end - piece.start <= LONG_UNIT || !piece.has_body {
            units.push(unit(piece.start, piece.head, piece.end));
            continue;
        }
        // What stands before the first unit inside belongs to the head itself.
        let first = units.len();
        units.push(unit(piece.start, piece.head, piece.end));
        cut(shapes, inner, units);
        let end = units.get(first + 1).map_or(number(piece.end), |inner| inner.lines.start);
        if let Some(outer) = units.get_mut(first) {
            outer.lines.end = end;
        }
    }
}

fn unit(start: usize, head: usize, end: usize) -> Unit {
    Unit { head: number(head), lines: number(start)..number(end) }
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The units at the lowest indentation of a range, together all of its lines from the first that is not blank.
fn pieces(shapes: &[Shape], range: Range<usize>) -> Vec<Piece> {
    let at = |line: usize| shapes.get(line).copied().unwrap_or(Shape::BLANK);
    // A closing line of the unit around the range is not its lowest indentation.
    let lowest = range.clone().filter(|line| at(*line).kind != Kind::Tail).filter_map(|line| at(line).indent).min();
    let Some(lowest) = lowest else { return Vec::new() };
    let mut pieces: Vec<Piece> = Vec::new();
    let mut lead: Option<Lead> = None;
    let mut blank_above = true;
    for line in range.clone() {
        let shape = at(line);
        let Some(indent) = shape.indent else {
            // A comment with a blank line below it stands for itself.
            pieces.extend(lead.take().map(|lead| Piece::at(lead.start, lead.start)));
            blank_above = true;
            continue;
        };
        let is_inside = indent > lowest || shape.kind == Kind::Tail;
        let next_is_deeper = (line + 1..range.end)
            .find_map(|next| at(next).indent.map(|indent| indent > lowest && at(next).kind != Kind::Tail));
        match (&mut lead, pieces.last_mut()) {
            (waiting, _) if indent <= lowest && shape.kind == Kind::Lead => {
                let first = Lead { start: line, after_blank: blank_above, is_open: false };
                waiting.get_or_insert(first).is_open = shape.opens;
            }
            // The arguments of an attribute.
            (Some(lead), _) if lead.is_open && is_inside => lead.is_open = indent > lowest,
            // Inside the last unit, with comments that stand at its border.
            (_, Some(last)) if is_inside => {
                last.has_body |= indent > lowest;
                lead = None;
            }
            (waiting, last) => {
                let after_blank = waiting.as_ref().map_or(blank_above, |lead| lead.after_blank);
                let goes_on = last.is_some_and(|last| !last.has_body) && !after_blank && next_is_deeper != Some(true);
                let start = waiting.take().map_or(line, |lead| lead.start);
                pieces.extend((!goes_on).then(|| Piece::at(start, line)));
            }
        }
        blank_above = false;
    }
    pieces.extend(lead.map(|lead| Piece::at(lead.start, lead.start)));
    if let Some(last) = pieces.last_mut() {
        last.end = range.end;
    }
    let starts: Vec<usize> = pieces.iter().skip(1).map(|piece| piece.start).collect();
    for (piece, end) in pieces.iter_mut().zip(starts) {
        piece.end = end;
    }
    pieces
}
