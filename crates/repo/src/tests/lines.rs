//! The commit of a line.

use expect_test::expect;

use super::check;

#[test]
fn each_line_has_the_commit_that_wrote_it() {
    check(
        "
        cd main
        git init -q
        write a.rs a|b|c
        commit one
        write a.rs a|x|b|c
        commit two
        write a.rs new|a|x|B|c|end
        commit three
        ? lines a.rs
        ? line a.rs 0
        ? line a.rs 7
        ? line none.rs 1
        ",
        expect![[r#"
            lines a.rs:
            new ← three
            a ← one
            x ← two
            B ← three
            c ← one
            end ← three
            line a.rs 0: none
            line a.rs 7: none
            line none.rs 1: none
        "#]],
    );
}

#[test]
fn uncommitted_changes_do_not_count() {
    check(
        "
        cd main
        git init -q
        write a.rs a
        commit one
        write a.rs new|a
        ? lines a.rs
        ",
        expect![[r#"
            lines a.rs:
            a ← one
        "#]],
    );
}

#[test]
fn a_line_without_end_is_another_line() {
    check(
        "
        cd main
        git init -q
        write a.rs a|b\\
        commit one
        write a.rs a|b|c
        commit two
        ? lines a.rs
        ",
        expect![[r#"
            lines a.rs:
            a ← one
            b ← two
            c ← two
        "#]],
    );
}

#[test]
fn renames_are_followed() {
    check(
        "
        cd main
        git init -q
        write old.rs a long first line|b another one|c and a third|d the fourth
        commit one
        write old.rs a long first line|b changed here|c and a third|d the fourth
        commit two
        git mv old.rs moved.rs
        commit rename
        write moved.rs a long first line|b changed here|c and a third|d the fourth|e
        folder src
        git mv moved.rs src/new.rs
        commit rename and change
        ? lines src/new.rs
        ? history src/new.rs
        ",
        expect![[r#"
            lines src/new.rs:
            a long first line ← one
            b changed here ← two
            c and a third ← one
            d the fourth ← one
            e ← rename and change
            history src/new.rs:
            0 rename and change "a long first line\nb changed here\nc and a third\nd the fourth\ne\n" from []
        "#]],
    );
}

#[test]
fn of_several_deleted_files_the_most_similar_was_renamed() {
    check(
        "
        cd main
        git init -q
        write src/far.rs one|b|c|d
        commit far
        write lib/a.rs one|two|c|d
        commit same name
        write src/near.rs one|two|three|four
        commit near
        remove src/near.rs
        remove src/far.rs
        remove lib/a.rs
        write src/a.rs one|two|three|new
        write src/b.rs all|of|it|new
        commit renamed
        ? lines src/a.rs
        ? lines src/b.rs
        ",
        expect![[r#"
            lines src/a.rs:
            one ← near
            two ← near
            three ← near
            new ← renamed
            lines src/b.rs:
            all ← renamed
            of ← renamed
            it ← renamed
            new ← renamed
        "#]],
    );
}

#[test]
fn a_line_from_the_second_parent() {
    check(
        "
        cd main
        git init -q
        write a.rs a|b|c|d|e
        commit one
        git checkout -q -b side
        write a.rs a|b|c|d|side
        commit side
        git checkout -q main
        write a.rs main|b|c|d|e
        commit main
        git merge -q side -m merge
        write a.rs main|b|merged|d|side
        git commit -qa --amend -m merge
        ? lines a.rs
        ",
        expect![[r#"
            lines a.rs:
            main ← main
            b ← one
            merged ← merge
            d ← one
            side ← side
        "#]],
    );
}
