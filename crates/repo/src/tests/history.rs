//! The versions of a file.

use expect_test::expect;

use super::check;

#[test]
fn versions_newest_first() {
    check(
        "
        cd main
        git init -q
        write a.rs one
        commit Add a
        write b.rs b
        commit Add b
        write a.rs two
        commit Change a
        ? history a.rs
        ? history b.rs
        ? history none.rs
        ? history ''
        ? history ../a.rs
        ",
        expect![[r#"
            history a.rs:
            0 Change a "two\n" from [1]
            1 Add a "one\n" from []
            history b.rs:
            0 Add b "b\n" from []
            history none.rs: -
            history '': -
            history ../a.rs: -
        "#]],
    );
}

#[test]
fn deleted_and_added_again() {
    check(
        "
        cd main
        git init -q
        write src/a.rs one
        write b.rs b
        commit Add a
        remove src
        commit Delete a
        write b.rs c
        commit Change b
        write src/a.rs one
        commit Add a again
        ? history src/a.rs
        ? lines src/a.rs
        ? history src
        ",
        expect![[r#"
            history src/a.rs:
            0 Add a again "one\n" from [1]
            1 Delete a none from [2]
            2 Add a "one\n" from []
            lines src/a.rs:
            one ← Add a again
            history src: -
        "#]],
    );
}

#[test]
fn a_file_becomes_a_folder() {
    check(
        "
        cd main
        git init -q
        write a one
        commit file
        remove a
        write a/b inner
        commit folder
        ? history a
        ? history a/b
        ",
        expect![[r#"
            history a:
            0 folder none from [1]
            1 file "one\n" from []
            history a/b:
            0 folder "inner\n" from []
        "#]],
    );
}

#[test]
fn merges() {
    check(
        "
        cd main
        git init -q
        write a.rs 1|2|3|4|5|6|7
        commit Add a
        git checkout -q -b side
        write a.rs 1|2|3|4|5|6|side
        commit On side
        git checkout -q main
        write b.rs b
        commit Unrelated
        git merge -q side -m 'Merge like one parent'
        ? history a.rs
        git checkout -q -b other
        write a.rs 1|2|3|other|5|6|side
        commit On other
        git checkout -q main
        write a.rs main|2|3|4|5|6|side
        commit On main
        git merge -q other -m 'Merge of both'
        ? history a.rs
        ? lines a.rs
        ? parents_of_file a.rs
        ? parents_of_file b.rs
        ",
        expect![[r#"
            history a.rs:
            0 On side "1\n2\n3\n4\n5\n6\nside\n" from [1]
            1 Add a "1\n2\n3\n4\n5\n6\n7\n" from []
            history a.rs:
            0 Merge of both "main\n2\n3\nother\n5\n6\nside\n" from [1, 2]
            1 On main "main\n2\n3\n4\n5\n6\nside\n" from [3]
            2 On other "1\n2\n3\nother\n5\n6\nside\n" from [3]
            3 On side "1\n2\n3\n4\n5\n6\nside\n" from [4]
            4 Add a "1\n2\n3\n4\n5\n6\n7\n" from []
            lines a.rs:
            main ← On main
            2 ← Add a
            3 ← Add a
            other ← On other
            5 ← Add a
            6 ← Add a
            side ← On side
            parents_of_file a.rs:
            On main "main\n2\n3\n4\n5\n6\nside\n"
            On other "1\n2\n3\nother\n5\n6\nside\n"
            parents_of_file b.rs:
            On main "b\n"
            On other "b\n"
        "#]],
    );
}

#[test]
fn a_merge_that_threw_a_branch_away() {
    check(
        "
        cd main
        git init -q
        write a.rs one
        commit Add a
        git checkout -q -b side
        write a.rs side
        commit On side
        git checkout -q main
        write b.rs b
        commit Unrelated
        git merge -q -s ours side -m 'Merge and keep ours'
        ? history a.rs
        ",
        expect![[r#"
            history a.rs:
            0 Add a "one\n" from []
        "#]],
    );
}

#[test]
fn limits() {
    check(
        "
        cd main
        git init -q
        write a.rs 1
        commit one
        write b.rs 1
        commit two
        write a.rs 1|2
        commit three
        write a.rs 1|2|3
        commit four
        ? history a.rs 0
        ? line a.rs 3 1
        ? history a.rs 1
        ? line a.rs 1 1
        ? history a.rs 1
        ? history a.rs
        ? line a.rs 1 0
        ",
        expect![[r#"
            history a.rs 0:
            … more
            line a.rs 3 1: four
            history a.rs 1:
            0 four "1\n2\n3\n" from [1]
            1 three "1\n2\n" from []
            … more
            line a.rs 1 1: none
            history a.rs 1:
            0 four "1\n2\n3\n" from [1]
            1 three "1\n2\n" from [2]
            2 one "1\n" from []
            history a.rs:
            0 four "1\n2\n3\n" from [1]
            1 three "1\n2\n" from [2]
            2 one "1\n" from []
            line a.rs 1 0: one
        "#]],
    );
}

#[test]
fn what_was_found_is_kept_while_head_moves() {
    check(
        "
        cd main
        git init -q
        write a.rs 1
        commit one
        write a.rs 1|2
        commit two
        ? history a.rs
        write a.rs 1|2|3
        commit three
        ? history a.rs 1
        ? history a.rs 9
        git commit -q --amend -m 'three, better'
        ? history a.rs
        git checkout -q -b side HEAD~2
        ? history a.rs 0
        write a.rs 1|side
        commit side
        ? history a.rs
        git checkout -q main
        ? history a.rs 0
        ",
        expect![[r#"
            history a.rs:
            0 two "1\n2\n" from [1]
            1 one "1\n" from []
            history a.rs 1:
            0 three "1\n2\n3\n" from [1]
            1 two "1\n2\n" from [2]
            2 one "1\n" from []
            history a.rs 9:
            0 three "1\n2\n3\n" from [1]
            1 two "1\n2\n" from [2]
            2 one "1\n" from []
            history a.rs:
            0 three, better "1\n2\n3\n" from [1]
            1 two "1\n2\n" from [2]
            2 one "1\n" from []
            history a.rs 0:
            0 one "1\n" from []
            history a.rs:
            0 side "1\nside\n" from [1]
            1 one "1\n" from []
            history a.rs 0:
            0 three, better "1\n2\n3\n" from [1]
            1 two "1\n2\n" from [2]
            2 one "1\n" from []
        "#]],
    );
}

#[test]
fn shallow_clone() {
    check(
        "
        cd origin
        git init -q
        write a.rs 1
        write old.rs old
        commit one
        write a.rs 1|2
        commit two
        write b.rs b
        commit three
        write a.rs 1|2|3
        commit four
        cd
        git clone -q --depth 2 file:///origin clone
        cd clone
        ? history a.rs
        ? lines a.rs
        ? history old.rs
        ? lines old.rs
        ? history none.rs
        git fetch -q --unshallow
        ? history a.rs
        ? lines a.rs
        ? history none.rs
        ",
        expect![[r#"
            history a.rs:
            0 four "1\n2\n3\n" from [1]
            1 three "1\n2\n" from []
            … more
            lines a.rs:
            1 ← none
            2 ← none
            3 ← four
            history old.rs:
            0 three "old\n" from []
            … more
            lines old.rs:
            old ← none
            history none.rs:
            … more
            history a.rs:
            0 four "1\n2\n3\n" from [1]
            1 two "1\n2\n" from [2]
            2 one "1\n" from []
            lines a.rs:
            1 ← one
            2 ← two
            3 ← four
            history none.rs: -
        "#]],
    );
}

#[test]
fn the_file_at_a_time() {
    check(
        "
        cd main
        git init -q
        write a.rs one
        commit at four
        write a.rs two
        commit at six
        remove a.rs
        write b.rs b
        commit at nine
        ? blob_at a.rs 3
        ? blob_at a.rs 4
        ? blob_at a.rs 5
        ? blob_at a.rs 6
        ? blob_at a.rs 8
        ? blob_at a.rs 9
        ",
        expect![[r#"
            blob_at a.rs 3: none
            blob_at a.rs 4: "one\n"
            blob_at a.rs 5: "one\n"
            blob_at a.rs 6: "two\n"
            blob_at a.rs 8: "two\n"
            blob_at a.rs 9: none
        "#]],
    );
}
