//! What is not committed.

use expect_test::expect;

use super::check;

#[test]
fn every_kind_of_change() {
    check(
        "
        cd main
        git init -q
        write .gitignore *.log|target/
        write same.rs same
        write modified.rs one
        write staged.rs one
        write both.rs one
        write undone.rs one
        write deleted.rs one
        write 'deleted staged.rs' one
        write uncached.rs one
        write moved.rs one two three
        commit one
        write modified.rs two
        write staged.rs two
        write both.rs two
        write undone.rs two
        write 'new staged.rs' new
        write 'new and gone.rs' new
        git rm -q 'deleted staged.rs'
        git add staged.rs both.rs undone.rs 'new staged.rs' 'new and gone.rs'
        write both.rs three
        write undone.rs one
        remove deleted.rs
        remove 'new and gone.rs'
        git rm -q --cached uncached.rs
        folder 'deep folder'
        git mv moved.rs 'deep folder/grün.rs'
        write untracked.rs new
        write deep/er/untracked.rs new
        write build.log noise
        write target/debug/x.rs noise
        write target.rs fine
        ? changed
        ? staged
        ? is_ignored build.log
        ? is_ignored target
        ? is_ignored target/debug/x.rs
        ? is_ignored target.rs
        ? is_ignored same.rs
        ? is_ignored nowhere.log
        ",
        expect![[r#"
            changed:
            M both.rs
            A deep folder/grün.rs
            A deep/er/untracked.rs
            D deleted staged.rs
            D deleted.rs
            M modified.rs
            D moved.rs
            A new staged.rs
            M staged.rs
            A target.rs
            A untracked.rs
            staged:
            M both.rs
            A deep folder/grün.rs
            D deleted staged.rs
            D moved.rs
            A new and gone.rs
            A new staged.rs
            M staged.rs
            D uncached.rs
            M undone.rs
            is_ignored build.log: true
            is_ignored target: true
            is_ignored target/debug/x.rs: true
            is_ignored target.rs: false
            is_ignored same.rs: false
            is_ignored nowhere.log: true
        "#]],
    );
}

#[test]
fn from_a_folder_below_the_root() {
    check(
        "
        cd main
        git init -q
        write src/a.rs a
        write b.rs b
        commit one
        write b.rs c
        git add b.rs
        write src/new.rs new
        cd main/src
        ? changed
        ? staged
        ",
        expect![[r#"
            changed:
            M b.rs
            A src/new.rs
            staged:
            M b.rs
        "#]],
    );
}

#[test]
fn nothing_changed_though_the_time_did() {
    check(
        "
        cd main
        git init -q
        write a.rs a
        commit one
        write a.rs b
        write a.rs a
        ? changed
        ",
        expect![[r#"
            changed: -
        "#]],
    );
}

#[test]
fn line_ends_of_the_working_tree() {
    check(
        "
        cd main
        git init -q
        git config core.autocrlf true
        write a.txt one|two
        commit one
        remove a.txt
        git checkout -q a.txt
        write a.txt one\\r|two\\r
        ? changed
        ? blob_at_head a.txt
        write a.txt one\\r|TWO\\r
        ? changed
        ",
        expect![[r#"
            changed: -
            blob_at_head a.txt: "one\ntwo\n"
            changed:
            M a.txt
        "#]],
    );
}

#[test]
fn a_filter_program_is_not_run() {
    check(
        "
        cd main
        git init -q
        write .gitattributes *.bin filter=big
        write a.bin small
        commit one
        git config filter.big.clean 'touch was-run; cat'
        git config filter.big.required true
        write a.bin larger
        ? changed
        ? changed
        ",
        expect![[r#"
            changed:
            M a.bin
            changed:
            M a.bin
        "#]],
    );
}

#[test]
fn conflicts_and_intent_to_add() {
    check(
        "
        cd main
        git init -q
        write a.rs one
        write gone.rs one
        commit one
        git checkout -q -b side
        write a.rs side
        write gone.rs side
        commit side
        git checkout -q main
        write a.rs main
        remove gone.rs
        commit main
        git merge -q side
        write later.rs x
        git add --intent-to-add later.rs
        ? changed
        ? staged
        ? index_blob a.rs
        ",
        expect![[r#"
            changed:
            M a.rs
            A gone.rs
            A later.rs
            staged: -
            index_blob a.rs: none
        "#]],
    );
}

#[test]
fn a_linked_worktree_has_its_own() {
    check(
        "
        cd main
        git init -q
        write a.rs a
        commit one
        git worktree add -q ../linked -b side
        write a.rs main
        cd linked
        write b.rs side
        ? changed
        cd main
        ? changed
        ",
        expect![[r#"
            changed:
            A b.rs
            changed:
            M a.rs
        "#]],
    );
}

#[test]
fn sparse_checkout() {
    check(
        "
        cd main
        git init -q
        write in/a.rs a
        write out/b.rs b
        write out/deep/c.rs c
        commit one
        git sparse-checkout set --cone --sparse-index in
        ? changed
        ? staged
        write in/a.rs changed
        write out/b.rs back
        write out/new.rs new
        ? changed
        git add in/a.rs
        git rm -q --sparse --cached out/b.rs
        ? staged
        ? index_blob out/b.rs
        ? knows_path out/b.rs
        ",
        expect![[r#"
            changed: -
            staged: -
            changed:
            M in/a.rs
            staged:
            M in/a.rs
            D out/b.rs
            index_blob out/b.rs: none
            knows_path out/b.rs: true
        "#]],
    );
}

#[cfg(unix)]
#[test]
fn links() {
    check(
        "
        cd main
        git init -q
        write a.rs a
        link same a.rs
        link other a.rs
        link gone a.rs
        link file a.rs
        commit one
        remove other
        link other b.rs
        remove gone
        remove file
        write file now a file
        link new a.rs
        ? changed
        git add -A
        ? staged
        ",
        expect![[r#"
            changed:
            M file
            D gone
            A new
            M other
            staged:
            M file
            D gone
            A new
            M other
        "#]],
    );
}
