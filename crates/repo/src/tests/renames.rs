//! Under which names a file was there before.

use expect_test::expect;

use super::check;

#[test]
fn renamed_and_renamed_again() {
    check(
        "
        cd main
        git init -q
        write a.rs 1|2|3|4
        write other.rs other
        commit Add a
        ? came_from a.rs
        git mv a.rs b.rs
        commit To b
        write b.rs 1|2|3|four
        commit Change b
        remove b.rs
        write src/c.rs 1|2|3|four|5
        commit To c, with a change
        ? came_from src/c.rs
        ? came_from b.rs
        ? came_from a.rs
        ? came_from none.rs
        ? came_from ''
        ",
        expect![[r#"
            came_from a.rs: -
            came_from src/c.rs:
            src/c.rs ← b.rs "1\n2\n3\nfour\n" renamed, 84 %, in To c, with a change
            b.rs ← a.rs "1\n2\n3\n4\n" renamed, 100 %, in To b
            came_from b.rs:
            b.rs ← a.rs "1\n2\n3\n4\n" renamed, 100 %, in To b
            came_from a.rs: -
            came_from none.rs: -
            came_from '': -
        "#]],
    );
}

#[test]
fn too_little_in_common() {
    check(
        "
        cd main
        git init -q
        write a.rs 1|2|3|4
        write empty.rs
        commit one
        remove a.rs
        remove empty.rs
        write b.rs 1|x|y|z
        write new.rs
        commit two
        write c.rs 1|x|Y|Z
        git rm -q b.rs
        commit half
        ? came_from b.rs
        ? came_from new.rs
        ? came_from c.rs
        ",
        expect![[r#"
            came_from b.rs: -
            came_from new.rs: -
            came_from c.rs:
            c.rs ← b.rs "1\nx\ny\nz\n" renamed, 50 %, in half
        "#]],
    );
}

#[test]
fn the_most_alike_and_the_nearest() {
    check(
        "
        cd main
        git init -q
        write a/mod.rs 1|2|3|4
        write b/mod.rs 1|2|3|4
        write b/deep/mod.rs 1|2|3|4
        write best.rs 1|2|3|x
        commit one
        git rm -q -r a b best.rs
        write b/more/mod.rs 1|2|3|4
        write near.rs 1|2|3|x|y
        commit two
        ? came_from b/more/mod.rs
        ? came_from near.rs
        ",
        expect![[r#"
            came_from b/more/mod.rs:
            b/more/mod.rs ← b/mod.rs, or another "1\n2\n3\n4\n" renamed, 100 %, in two
            came_from near.rs:
            near.rs ← best.rs "1\n2\n3\nx\n" renamed, 80 %, in two
        "#]],
    );
}

#[test]
fn copied() {
    check(
        "
        cd main
        git init -q
        write a.rs 1|2|3|4
        commit one
        write a.rs 1|2|3|4|5
        write b.rs 1|2|3|4
        write c.rs 1|2|3|4|6
        commit two
        git mv b.rs d.rs
        commit three
        ? came_from b.rs
        ? came_from c.rs
        ? came_from d.rs
        ",
        expect![[r#"
            came_from b.rs:
            b.rs ← a.rs "1\n2\n3\n4\n" copied, 100 %, in two
            came_from c.rs: -
            came_from d.rs:
            d.rs ← b.rs "1\n2\n3\n4\n" renamed, 100 %, in three
            b.rs ← a.rs "1\n2\n3\n4\n" copied, 100 %, in two
        "#]],
    );
}

#[test]
fn not_committed() {
    check(
        "
        cd main
        git init -q
        write a.rs 1|2|3|4
        write stays.rs stays|here
        commit one
        git mv a.rs b.rs
        commit two
        git mv b.rs c.rs
        ? came_from c.rs
        git reset -q --hard
        remove b.rs
        write d.rs 1|2|3|4|5
        ? came_from d.rs
        write e.rs stays|here
        ? came_from e.rs
        write f.rs quite|another
        ? came_from f.rs
        ? came_from none.rs
        write b.rs 1|2|3|4
        ? came_from d.rs
        ? came_from b.rs
        ",
        expect![[r#"
            came_from c.rs:
            c.rs ← b.rs "1\n2\n3\n4\n" renamed, 100 %, not committed
            b.rs ← a.rs "1\n2\n3\n4\n" renamed, 100 %, in two
            came_from d.rs:
            d.rs ← b.rs "1\n2\n3\n4\n" renamed, 80 %, not committed
            b.rs ← a.rs "1\n2\n3\n4\n" renamed, 100 %, in two
            came_from e.rs:
            e.rs ← stays.rs "stays\nhere\n" copied, 100 %, not committed
            came_from f.rs: -
            came_from none.rs: -
            came_from d.rs: -
            came_from b.rs:
            b.rs ← a.rs "1\n2\n3\n4\n" renamed, 100 %, in two
        "#]],
    );
}

#[test]
fn not_committed_with_other_line_ends() {
    check(
        "
        cd main
        git init -q
        git config core.autocrlf true
        write a.rs 1|2|3|4
        commit one
        remove a.rs
        write b.rs 1\\r|2\\r|3\\r|4\\r
        ? came_from b.rs
        ",
        expect![[r#"
            came_from b.rs:
            b.rs ← a.rs "1\n2\n3\n4\n" renamed, 100 %, not committed
        "#]],
    );
}

#[test]
fn only_in_the_index() {
    check(
        "
        cd main
        git init -q
        write a.rs 1|2|3|4
        commit one
        git mv a.rs b.rs
        remove b.rs
        ? came_from b.rs
        ",
        expect![[r#"
            came_from b.rs:
            b.rs ← a.rs "1\n2\n3\n4\n" renamed, 100 %, not committed
        "#]],
    );
}

#[test]
fn left_out_by_a_sparse_checkout() {
    check(
        "
        cd main
        git init -q
        write src/a.rs 1|2|3|4
        write docs/a.md 1|2|3|4|5
        commit one
        git sparse-checkout set --cone --sparse-index src
        write src/b.rs 1|2|3|4|5|6
        ? came_from src/b.rs
        git sparse-checkout reapply --no-sparse-index
        ? came_from src/b.rs
        ",
        expect![[r#"
            came_from src/b.rs: -
            came_from src/b.rs: -
        "#]],
    );
}

#[test]
fn on_a_branch_that_was_squashed() {
    check(
        "
        cd main
        git init -q
        write a.rs 1|2|3|4
        commit one
        git checkout -q -b side
        git mv a.rs b.rs
        commit rename
        write b.rs 1|2|3|4|5
        commit change
        git checkout -q main
        git merge -q --squash side
        git commit -q -m squashed
        git branch -q -D side
        ? came_from b.rs
        ",
        expect![[r#"
            came_from b.rs:
            b.rs ← a.rs "1\n2\n3\n4\n" renamed, 80 %, in squashed
            b.rs ← a.rs "1\n2\n3\n4\n" renamed, 100 %, in rename
        "#]],
    );
}

#[test]
fn merged_with_a_change_of_the_old_name() {
    check(
        "
        cd main
        git init -q
        write a.rs 1|2|3|4|5|6|7
        commit one
        git checkout -q -b side
        git mv a.rs b.rs
        commit rename
        git checkout -q main
        write a.rs main|2|3|4|5|6|7
        commit change
        git merge -q side -m merge
        ? states b.rs
        ? came_from b.rs
        ",
        expect![[r#"
            states b.rs:
            0 merge "main\n2\n3\n4\n5\n6\n7\n" from [nothing, 1]
            1 rename "1\n2\n3\n4\n5\n6\n7\n" from [nothing]
            came_from b.rs:
            b.rs ← a.rs "main\n2\n3\n4\n5\n6\n7\n" renamed, 100 %, in merge
            b.rs ← a.rs "1\n2\n3\n4\n5\n6\n7\n" renamed, 100 %, in rename
        "#]],
    );
}

#[test]
fn renamed_in_the_stash() {
    check(
        "
        cd main
        git init -q
        write a.rs 1|2|3|4
        commit one
        git mv a.rs b.rs
        write b.rs 1|2|3|4|5
        git stash -q
        ? came_from b.rs
        ",
        expect![[r#"
            came_from b.rs:
            b.rs ← a.rs "1\n2\n3\n4\n" renamed, 80 %, in WIP on main: one
            b.rs ← a.rs "1\n2\n3\n4\n" renamed, 100 %, in index on main: one
        "#]],
    );
}

#[test]
fn there_and_back() {
    check(
        "
        cd main
        git init -q
        write a.rs 1|2|3|4
        commit one
        git mv a.rs b.rs
        commit there
        git mv b.rs a.rs
        commit back
        ? came_from a.rs
        ? came_from a.rs 0
        ? came_from a.rs 1
        ",
        expect![[r#"
            came_from a.rs:
            a.rs ← b.rs "1\n2\n3\n4\n" renamed, 100 %, in back
            b.rs ← a.rs "1\n2\n3\n4\n" renamed, 100 %, in there
            came_from a.rs 0: -
            came_from a.rs 1:
            a.rs ← b.rs "1\n2\n3\n4\n" renamed, 100 %, in back
        "#]],
    );
}

#[test]
fn behind_the_edge_of_a_shallow_clone() {
    check(
        "
        cd origin
        git init -q
        write a.rs 1|2|3|4
        commit one
        git mv a.rs b.rs
        commit two
        git mv b.rs c.rs
        commit three
        cd
        git clone -q --depth 2 file:///origin clone
        cd clone
        ? came_from c.rs
        git fetch -q --unshallow
        ? came_from c.rs
        ",
        expect![[r#"
            came_from c.rs:
            c.rs ← b.rs "1\n2\n3\n4\n" renamed, 100 %, in three
            came_from c.rs:
            c.rs ← b.rs "1\n2\n3\n4\n" renamed, 100 %, in three
            b.rs ← a.rs "1\n2\n3\n4\n" renamed, 100 %, in two
        "#]],
    );
}

#[test]
fn objects_are_missing() {
    check(
        "
        cd main
        git init -q
        write a.rs 1|2|3|4
        write b.rs 5|6|7|8
        commit one
        git mv a.rs c.rs
        git mv b.rs d.rs
        write d.rs 5|6|7|8|9
        commit two
        lose HEAD~1:a.rs
        lose HEAD~1:b.rs
        ? came_from c.rs
        ? came_from d.rs
        ",
        expect![[r#"
            came_from c.rs:
            c.rs ← a.rs none renamed, 100 %, in two
            came_from d.rs: -
        "#]],
    );
}
