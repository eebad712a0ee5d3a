//! Stories that the fuzzer found, each of which once gave a wrong name.

use super::check;
use expect_test::expect;

/// What a replaced string did not touch is not its step's, though the same line stands in the string.
#[test]
fn lines_beside_a_replaced_string() {
    check("seen a))}}\n1 a=>a)}a", "a)}a))}}", expect![". 1 1 1 . . . ."]);
}

/// What another worktree held says nothing of what a command found in this one.
#[test]
fn a_command_in_a_worktree_never_seen() {
    check("1 ran append\n@1 2 hunks 1/1 -A then", "AB", expect![". ."]);
}

/// One command moved a line, the other put one at the end; together they look like neither.
#[test]
fn two_commands_that_hide_each_other() {
    check("%0 1 new AB\n%0 seen AB\n%0 2 ran any\n%0 3 ran append\n%0 seen BAC", "BAC", expect![". . ."]);
}

/// The edit found what the command wrote, which nobody saw: its line is not the command's.
#[test]
fn an_edit_of_unseen_lines() {
    check("1 new ABCDE\n2 ran append\n3 F=>GF", "ABCDEGF", expect!["1~ 1~ 1~ 1~ 1~ . ."]);
}

/// A line put at the end may have been changed there before anybody saw it.
#[test]
fn one_command_over_another() {
    check("1 new A\n2 ran append\n3 ran sed B E", "AECD", expect!["1~ . . ."]);
}

/// What an edit wrote stands in the text already: it did not come last, for all that it waits for its text.
#[test]
fn an_edit_that_was_made_before() {
    check("1 new AB\n2 ran append\n3 L=>LMN\n&1 4 ABLMN -> ABLMNP\nseen ABLMNP", "ABLMNP", expect!["1~ 1~ . . . 4"]);
}

#[test]
fn an_edit_that_was_made_before_and_taken_apart() {
    check("1 new B\n2 ran append\n3 F=>FGH\nseen BFGH\n4 BFGH -> FBGH\nseen FBGH", "FBGH", expect![". . . ."]);
}

/// git brought lines back in a file that a command had written as well.
#[test]
fn lines_brought_back() {
    check("blob ABCDEF\nblob < 0\nseen\n1 ran append\nseen ABCDEFG", "ABCDEFG", expect![". . . . . . ."]);
}

/// The same for an edit known by its hunks; what its log tells later was not later either. Its own lines are told by the
/// text in which they were seen.
#[test]
fn hunks_that_were_made_before() {
    let story =
        "1 new A\nbyhand\n2 hunks 1/1 =ABC+DE\n&1 seen ABCDE\nbyhand\n&1 3 ran append\n&8 blob ABCDEFG\nseen ABCDEFG";
    check(story, "ABCDEFG", expect!["1~ . . 2~ 2~ . ."]);
}

/// The last edit but one waits, and its line stands there in another form: it did not come last, and the command before
/// it did not write its line.
#[test]
fn an_edit_whose_line_was_formatted() {
    let story =
        "%0 seen ABCDEFG\n%0 1 ran append\n%0 2 ABCD=>IJ\n&1 %1 3 H=>HK\n%0 4 IJEFGHK -> IJEFGH>K\n%0 seen IJEFGH>K";
    check(story, "IJEFGH>K", expect!["2~ 2~ . . . . ."]);
}

/// A commit of another worktree, in which somebody wrote, tells nothing of a command in this one.
#[test]
fn a_commit_of_another_worktree() {
    check("%0 seen\n%0 1 ran append\n@2 byhand\n&8 blob BA", "BA", expect![". ."]);
}

/// A command moved lines before the edit, which found another text than the one known.
#[test]
fn a_command_that_moved_what_was_edited() {
    let story = "&2 %2 seen ABCDEF\n%0 1 A=>GA\n&2 %2 2 ran any\n%0 3 CD=>H\n&2 %2 seen HEGABF";
    check(story, "HEGABF", expect![". . 1~ . . ."]);
}

/// What changed nothing fits every text, and proves no clock wrong.
#[test]
fn an_edit_that_changed_nothing() {
    let story = "&2 %2 1 C=>C\n&2 %2 seen ABC\n&2 %2 2 ran any\n%0 3 ABC -> ABC\n%0 4 ran append\n\
        &2 %2 5 hunks 1/1 =ABC then ABCD";
    check(story, "ABCD", expect![[r#". . . 4""#]]);
}

/// The same in another worktree: commands of its log are put behind an edit that came after them.
#[test]
fn an_edit_that_changed_nothing_elsewhere() {
    let story = "&2 %2 1 D=>EFG\n@1 &1 %1 2 A=>A\n%0 3 ran append\n&1 %1 seen ABCEFGHI\n\
        %0 4 ABCEFGHI -> ABCEFGHI\n&1 %1 5 ran append\n%0 6 J=>MJ";
    check(story, "ABCEFGHIMJKL", expect![". . . . . . . . . . . ."]);
}

/// An edit that fits another worktree's text does not tell what this one held before.
#[test]
fn an_edit_in_a_worktree_never_seen() {
    let story = "@2 %0 seen A\n@2 %0 1 A -> BA\n@2 %0 2 BA -> BACDE\n@2 byhand\n%0 3 ran append\n%0 4 B=>B";
    check(story, "BACDEFGHI", expect!["1~ . 2~ 2~ 2~ . . . ."]);
}

/// The newest commit is another worktree's, so it is not the text that the command found.
#[test]
fn a_command_where_commits_of_others_are_known() {
    check("&8 blob A\n&8 blob\n@1 byhand\n%0 1 ran append", "AB", expect![". ."]);
}

/// A commit is no proof of the turn.
#[test]
fn a_command_alone_in_a_turn_that_knew_one_text() {
    check("&8 blob A\n%1 1 ran any\n%1 seen AB", "AB", expect![". ."]);
}
