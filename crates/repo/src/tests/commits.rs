//! HEAD, blobs and single commits.

use std::path::Path;

use expect_test::expect;

use super::{Sandbox, check};
use crate::git_blob_hash;

#[test]
fn head_unborn_on_a_branch_detached() {
    check(
        "
        cd main
        git init -q
        ? head
        ? blob_at_head a.rs
        ? history a.rs
        ? line a.rs 1
        ? head_moves
        write a.rs a
        ? changed
        commit one
        ? head
        git branch -m main 'feature/x'
        ? head
        write a.rs b
        commit two
        git checkout -q --detach HEAD~1
        ? head
        ? blob_at_head a.rs
        ? head_moves
        ",
        expect![[r#"
            head: main, no commit, unborn
            blob_at_head a.rs: none
            history a.rs: -
            line a.rs 1: none
            head_moves: -
            changed:
            A a.rs
            head: main, one
            head: feature/x, one
            head: no branch, one, detached
            blob_at_head a.rs: "a\n"
            head_moves:
            10 nothing → one: commit (initial): one
            12 one → nothing: Branch: renamed refs/heads/main to refs/heads/feature/x
            12 nothing → one: Branch: renamed refs/heads/main to refs/heads/feature/x
            15 one → two: commit: two
            16 two → one: checkout: moving from feature/x to HEAD~1
        "#]],
    );
}

#[test]
fn blobs_in_head_index_and_store() {
    check(
        "
        cd main
        git init -q
        write a.rs one
        commit one
        write a.rs staged
        git add a.rs
        write a.rs on disk
        write dos.txt x\\r|y\\r
        git add dos.txt
        write loose.rs loose
        ? blob_at_head a.rs
        ? index_blob a.rs
        ? index_blob dos.txt
        ? index_blob loose.rs
        ? blob_at_head src
        ? has_blob_of one|
        ? has_blob_of one\\r|
        ? has_blob_of x\\r|y\\r|
        ? has_blob_of x|y|
        ? has_blob_of staged|
        ? has_blob_of 'on disk|'
        ? knows_path a.rs
        ? knows_path loose.rs
        ? knows_path gone.rs
        git rm -q --cached dos.txt
        remove a.rs
        ? knows_path a.rs
        ? knows_path .git/config
        ",
        expect![[r#"
            blob_at_head a.rs: "one\n"
            index_blob a.rs: "staged\n"
            index_blob dos.txt: "x\r\ny\r\n"
            index_blob loose.rs: none
            blob_at_head src: none
            has_blob_of one|: true
            has_blob_of one\r|: true
            has_blob_of x\r|y\r|: true
            has_blob_of x|y|: false
            has_blob_of staged|: true
            has_blob_of 'on disk|': false
            knows_path a.rs: true
            knows_path loose.rs: true
            knows_path gone.rs: false
            knows_path a.rs: true
            knows_path .git/config: false
        "#]],
    );
}

#[test]
fn packed_while_open() {
    check(
        "
        cd main
        git init -q
        write a.rs one
        commit one
        ? history a.rs
        write a.rs two
        commit two
        git gc -q
        git commit-graph write
        write a.rs three
        commit three
        ? history a.rs
        ? lines a.rs
        ? head
        ",
        expect![[r#"
            history a.rs:
            0 one "one\n" from []
            history a.rs:
            0 three "three\n" from [1]
            1 two "two\n" from [2]
            2 one "one\n" from []
            lines a.rs:
            three ← three
            head: main, three
        "#]],
    );
}

#[test]
fn commit_by_id() {
    check(
        "
        cd main
        git init -q
        write a.rs one
        commit Add a|||Co-Authored-By: Claude <noreply@anthropic.com>
        ? commit HEAD
        ? commit 0000
        ? commit 日本
        ? commit e19c1283c925b3206685ff522acfe3e6
        ? commit e19c1283c925b3206685ff522acfe3e6e19c1283c925b3206685ff522acfe3e6
        ",
        expect![[r#"
            commit HEAD: none
            commit 0000: none
            commit 日本: none
            commit e19c1283c925b3206685ff522acfe3e6: none
            commit e19c1283c925b3206685ff522acfe3e6e19c1283c925b3206685ff522acfe3e6: none
        "#]],
    );
}

#[test]
fn commit_by_prefix() {
    let mut sandbox = Sandbox::new();
    for step in ["cd main", "git init -q", "write a.rs one", "commit one|two||Generated with Codex"] {
        sandbox.run(step);
    }
    let repo = sandbox.repo().expect("a repository");
    let id = repo.head().commit.expect("a commit");
    let whole = repo.commit(&id.to_string()).expect("found by its whole id");
    assert_eq!(repo.commit(&id.short()), Some(whole.clone()));
    assert_eq!(repo.commit(&id.to_string()[..3]), None);
    assert_eq!(repo.commit(&git_blob_hash(b"one\n").to_string()), None, "a blob is no commit");
    assert_eq!((whole.subject.as_str(), whole.agent_trailer), ("one two", Some("Codex")));
    assert_eq!(id.short().len(), 7);
}

#[test]
fn blob_names_are_those_of_git() {
    assert_eq!(git_blob_hash(b"").to_string(), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
    assert_eq!(git_blob_hash(b"hello\n").to_string(), "ce013625030ba8dba906f756967f9e9ca394464a");
}

#[test]
fn shared_between_threads() {
    fn assert_shared<T: Send + Sync + Clone>() {}
    assert_shared::<crate::Repo>();
    assert!(crate::Repo::discover(Path::new("")).is_none());
}

#[test]
fn where_head_has_been() {
    check(
        "
        cd main
        git init -q
        write a.rs one
        commit one
        write a.rs two
        git commit -qam two
        git commit -q --amend -m 'two, better'
        git reset -q --hard HEAD~1
        git checkout -q -b side
        ? head_moves
        ",
        expect![[r#"
            head_moves:
            4 nothing → one: commit (initial): one
            6 one → two: commit: two
            7 two → two, better: commit (amend): two, better
            8 two, better → one: reset: moving to HEAD~1
            9 one → one: checkout: moving from main to side
        "#]],
    );
}
