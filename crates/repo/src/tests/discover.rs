//! Where a repository is, and which.

use expect_test::expect;

use super::check;

#[test]
fn from_a_file_a_folder_and_what_is_not_there() {
    check(
        "
        cd main
        git init -q
        write src/a.rs a
        ? discover
        ? discover src
        ? discover src/a.rs
        ? discover src/new/deep/b.rs
        ? discover ../elsewhere/c.rs
        ? discover .git/config
        ? root
        ? common_dir
        ? main_root
        ? worktrees
        ",
        expect![[r#"
            discover: /main
            discover src: /main
            discover src/a.rs: /main
            discover src/new/deep/b.rs: /main
            discover ../elsewhere/c.rs: none
            discover .git/config: /main
            root: /main
            common_dir: /main/.git
            main_root: /main
            worktrees: -
        "#]],
    );
}

#[test]
fn no_repository() {
    check(
        "
        cd plain
        write a.rs a
        ? discover a.rs
        cd bare.git
        git init -q --bare
        ? discover
        ? discover refs/x
        ",
        expect![[r#"
            discover a.rs: none
            discover: none
            discover refs/x: none
        "#]],
    );
}

#[test]
fn broken_repositories() {
    check(
        "
        cd empty-head
        git init -q
        write .git/HEAD
        ? discover
        cd bad-config
        git init -q
        write .git/config [core
        ? discover
        cd gone-target
        write .git gitdir: /nowhere
        ? discover
        ? head
        ? root
        cd no-head-while-open
        git init -q
        ? head
        remove .git/HEAD
        ? head
        ? history a.rs
        ? changed
        cd no-objects
        git init -q
        write a.rs a
        commit one
        remove .git/objects
        folder .git/objects
        ? discover
        ? head
        ? blob_at_head a.rs
        ? history a.rs
        ? line a.rs 1
        ? changed
        ? has_blob_of a|
        ? knows_path a.rs
        cd bad-index
        git init -q
        write a.rs a
        commit one
        write .git/index garbage
        ? changed
        ? staged
        ? index_blob a.rs
        ? is_ignored a.rs
        ? blob_at_head a.rs
        ",
        expect![[r#"
            discover: none
            discover: none
            discover: none
            head: no repository
            root: no repository
            head: main, no commit, unborn
            head: no branch, no commit
            history a.rs:
            … more
            changed: error: cannot tell what is not committed
            discover: /no-objects
            head: main, no commit
            blob_at_head a.rs: none
            history a.rs:
            … more
            line a.rs 1: none
            changed: error: cannot tell what is not committed
            has_blob_of a|: false
            knows_path a.rs: true
            changed: error: cannot tell what is not committed
            staged: error: cannot tell what is not committed
            index_blob a.rs: none
            is_ignored a.rs: false
            blob_at_head a.rs: "a\n"
        "#]],
    );
}

#[test]
fn references_in_a_form_that_cannot_be_read() {
    check(
        "
        cd main
        git init -q --ref-format=reftable
        write a.rs a
        commit one
        ? discover
        ? head
        ? blob_at_head a.rs
        ? changed
        ",
        expect![[r#"
            discover: none
            head: no repository
            blob_at_head a.rs: no repository
            changed: no repository
        "#]],
    );
}

#[test]
fn nested_repository_and_submodule() {
    check(
        "
        cd lib
        git init -q
        write lib.rs lib
        commit lib
        cd outer
        git init -q
        write a.rs a
        git submodule --quiet add ../lib vendor/lib
        commit outer
        folder inner
        cd outer/inner
        git init -q
        write b.rs b
        ? discover b.rs
        ? root
        cd outer
        ? discover vendor/lib/lib.rs
        ? relative /outer/vendor/lib/lib.rs
        ? relative /outer/vendor/lib
        ? relative /outer/inner/new/b.rs
        ? history vendor/lib
        ? blob_at_head vendor/lib
        ? changed
        cd outer/vendor/lib
        write lib.rs changed
        ? root
        ? common_dir
        ? main_root
        ? changed
        cd outer
        ? changed
        ",
        expect![[r#"
            discover b.rs: /outer/inner
            root: /outer/inner
            discover vendor/lib/lib.rs: /outer/vendor/lib
            relative /outer/vendor/lib/lib.rs: none
            relative /outer/vendor/lib: vendor/lib
            relative /outer/inner/new/b.rs: none
            history vendor/lib:
            0 outer none from []
            blob_at_head vendor/lib: none
            changed: -
            root: /outer/vendor/lib
            common_dir: /outer/.git/modules/vendor/lib
            main_root: /outer/vendor/lib
            changed:
            M lib.rs
            changed: -
        "#]],
    );
}

#[test]
fn linked_worktrees() {
    check(
        "
        cd main
        git init -q
        write src/a.rs a
        commit one
        git worktree add -q ../linked -b side
        git worktree add -q --detach ../loose
        git worktree add -q ../removed
        git worktree add -q ../pruned
        git worktree add -q .agent/inside
        ? relative .agent/inside/src/a.rs
        cd
        remove removed
        cd main
        ? worktrees
        cd linked
        ? root
        ? common_dir
        ? main_root
        ? relative /linked/src/a.rs
        ? relative /main/src/a.rs
        ? head
        ? worktrees
        cd
        remove pruned
        cd main
        git worktree prune
        ? worktrees
        ",
        expect![[r#"
            relative .agent/inside/src/a.rs: none
            worktrees:
            /main/.agent/inside inside
            /linked side
            /loose detached
            /pruned pruned
            /removed removed prunable
            root: /linked
            common_dir: /main/.git
            main_root: /main
            relative /linked/src/a.rs: src/a.rs
            relative /main/src/a.rs: none
            head: side, one
            worktrees:
            /main/.agent/inside inside
            /linked side
            /loose detached
            /pruned pruned
            /removed removed prunable
            worktrees:
            /main/.agent/inside inside
            /linked side
            /loose detached
        "#]],
    );
}

#[test]
fn worktree_of_a_bare_repository() {
    check(
        "
        cd seed
        git init -q
        write a.rs a
        commit one
        cd
        git clone -q --bare seed store.git
        cd store.git
        git worktree add -q ../checkout main
        cd checkout
        ? root
        ? common_dir
        ? main_root
        ? history a.rs
        ? worktrees
        ",
        expect![[r#"
            root: /checkout
            common_dir: /store.git
            main_root: none
            history a.rs:
            0 one "a\n" from []
            worktrees:
            /checkout main
        "#]],
    );
}

#[test]
fn relative_paths() {
    check(
        "
        cd main
        git init -q
        write 'a folder/grüße 你好.rs' a
        commit one
        ? relative '/main/a folder/grüße 你好.rs'
        ? relative /main/src/../new/b.rs
        ? relative /main/./a
        ? relative /main
        ? relative /main/.git/config
        ? relative /mainly/a.rs
        ? relative /main/../other
        ? history 'a folder/grüße 你好.rs'
        ? knows_path 'a folder/grüße 你好.rs'
        ? knows_path ../main
        ? knows_path /etc/passwd
        ? knows_path src//a.rs
        ",
        expect![[r#"
            relative '/main/a folder/grüße 你好.rs': a folder/grüße 你好.rs
            relative /main/src/../new/b.rs: new/b.rs
            relative /main/./a: a
            relative /main: none
            relative /main/.git/config: none
            relative /mainly/a.rs: none
            relative /main/../other: none
            history 'a folder/grüße 你好.rs':
            0 one "a\n" from []
            knows_path 'a folder/grüße 你好.rs': true
            knows_path ../main: false
            knows_path /etc/passwd: false
            knows_path src//a.rs: false
        "#]],
    );
}

#[cfg(unix)]
#[test]
fn paths_through_links() {
    check(
        "
        cd main
        git init -q
        write src/a.rs a
        link alias.rs src/a.rs
        link out /outside
        commit one
        cd outside
        write x.rs x
        cd
        link short /main
        cd main
        ? discover /short/src/a.rs
        ? relative /short/src/a.rs
        ? relative /short/src/new.rs
        ? relative /main/alias.rs
        ? relative /main/out/x.rs
        ? blob_at_head alias.rs
        ? history alias.rs
        ? changed
        ",
        expect![[r#"
            discover /short/src/a.rs: /main
            relative /short/src/a.rs: src/a.rs
            relative /short/src/new.rs: src/new.rs
            relative /main/alias.rs: src/a.rs
            relative /main/out/x.rs: none
            blob_at_head alias.rs: none
            history alias.rs:
            0 one none from []
            changed: -
        "#]],
    );
}

#[test]
fn sha256() {
    check(
        "
        cd main
        git init -q --object-format=sha256
        write a.rs a
        commit one
        write a.rs a|b
        commit two
        write c.rs c
        ? head
        ? history a.rs
        ? lines a.rs
        ? has_blob_of a|
        ? changed
        ? commit 0123
        ",
        expect![[r#"
            head: main, two
            history a.rs:
            0 two "a\nb\n" from [1]
            1 one "a\n" from []
            lines a.rs:
            a ← one
            b ← two
            has_blob_of a|: true
            changed:
            A c.rs
            commit 0123: none
        "#]],
    );
}
