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
