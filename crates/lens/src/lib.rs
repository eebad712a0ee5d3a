//! Everything a person sees, as plain data: documents, lenses, hovers, outlines, folds, links, words.
//!
//! Nothing here reads a file, a clock or a zone table, and nothing speaks a protocol: texts come through
//! [`trace::Bodies`], the moment and the zone through [`View`], what is true *now* through [`Now`]. Lines count from 0
//! in documents and from 1 in files; columns are bytes.

mod actions;
mod code_lens;
mod diff;
mod doc_lens;
mod document;
mod document_id;
mod explain;
mod hover;
mod navigate;
mod now;
mod rendered;
mod status;
mod text;
mod time;
mod turn_symbols;
mod undo;
mod view;
mod words;

#[cfg(test)]
mod fixture;

pub use actions::{Action, ActionKind, TurnOfLine, line_actions, selection_actions};
pub use code_lens::{Lens, LensKind, Owner, Scope, Unit, code_lenses, units};
pub use diff::{after_of, between, hunks_of};
pub use document::{
    BodyKind, CommitText, FileDiff, HistoryEntry, LineHistory, SearchHit, SearchResults, SearchSession, SessionList,
    SessionRow, SessionState, Source, changes, commit, file_diffs, filtered, line_history, outline, pages, prompt,
    render, search_results, session_list, session_page, side, step_body, turn, turn_changes, unified_diff,
};
pub use document_id::{
    DocumentId, Filter, Form, Moment, Part, SCHEME, file_key, line_key, repository_key, search_key, session_key,
};
pub use explain::{Because, Explanation, Fact, FactKind, Verdict, explanation, explanation_text};
pub use hover::{CodeHover, Doubt, HoverForm, HoverLink, Links, Markup, NoLinks, code_hover, trace_hover};
pub use navigate::{Definition, Shown, definition, find_step, references, spot, turn_at};
pub use now::{AddedLine, Gone, LineNow, Live, NothingKnown, Now, Place, RemovedLine, Span, StepLife, Writer};
pub use rendered::{
    Anchor, DocLens, DocLensKind, Fold, FoldKind, Link, LinkTarget, Part as AnchorPart, Rendered, Sign, StepRef,
    Symbol, SymbolKind, Token, TokenKind,
};
pub use status::{Reading, agent_name, lens_text, line_status, live_status, reading_status};
pub use text::{clean, columns, count, cut, one_line, pad, short_id, thousands};
pub use turn_symbols::{TurnSymbol, turn_symbols};
pub use undo::{Stay, Undoing};
pub use view::{Settings, Thinking, View};
pub use words::{
    KnownOfGoneLog, LastCommit, Unanswered, folder_gone, log_gone, no_sessions, nothing_to_undo, running_elsewhere,
    unanswered, unknown_setting,
};
