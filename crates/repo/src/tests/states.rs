//! The states of a file that no branch leads to any more, and what moves of HEAD did to it.

use expect_test::expect;

use super::check;

#[test]
fn nothing_is_known_of_a_new_repository() {
    check(
        "
        cd main
        git init -q
        ? states a.rs
        ? states ''
        ? file_moves a.rs
        write a.rs one
        commit one
        ? states a.rs
        ? states b.rs
        ? file_moves a.rs
        git checkout -q --orphan other
        ? states a.rs
        ",
        expect![[r#"
            states a.rs: -
            states '': -
            file_moves a.rs: -
            states a.rs:
            0 one "one\n" from []
            states b.rs: -
            file_moves a.rs:
            7 /main Commit: none → "one\n"
            states a.rs:
            0 one "one\n" from []
        "#]],
    );
}

#[test]
fn an_amended_commit() {
    check(
        "
        cd main
        git init -q
        write a.rs one
        commit one
        write a.rs one|two
        commit two
        write a.rs one|TWO
        git add -A
        git commit -q --amend -m 'two, better'
        ? states a.rs
        ? history a.rs
        ? file_moves a.rs
        write a.rs three
        commit three
        ? states a.rs
        ? states a.rs 0
        ",
        expect![[r#"
            states a.rs:
            0 two, better "one\nTWO\n" from [2]
            1 two "one\ntwo\n" from [2]
            2 one "one\n" from []
            history a.rs:
            0 two, better "one\nTWO\n" from [1]
            1 one "one\n" from []
            file_moves a.rs:
            4 /main Commit: none → "one\n"
            6 /main Commit: "one\n" → "one\ntwo\n"
            9 /main Amend: "one\ntwo\n" → "one\nTWO\n"
            states a.rs:
            0 three "three\n" from [1]
            1 two, better "one\nTWO\n" from [3]
            2 two "one\ntwo\n" from [3]
            3 one "one\n" from []
            states a.rs 0:
            0 three "three\n" from [1]
            1 two, better "one\nTWO\n" from [3]
            2 two "one\ntwo\n" from [3]
            3 one "one\n" from []
        "#]],
    );
}

#[test]
fn a_squashed_and_deleted_branch() {
    check(
        "
        cd main
        git init -q
        write a.rs one
        commit one
        git checkout -q -b side
        write a.rs one|two
        commit two
        write a.rs one|two|three
        commit three
        git checkout -q main
        git merge -q --squash side
        git commit -q -m 'All of side'
        git branch -q -D side
        ? states a.rs
        ? file_moves a.rs
        git reflog expire --expire=now --all
        ? states a.rs
        git gc -q --prune=now
        reopen
        ? states a.rs
        ? file_moves a.rs
        ",
        expect![[r#"
            states a.rs:
            0 All of side "one\ntwo\nthree\n" from [3]
            1 three "one\ntwo\nthree\n" from [2]
            2 two "one\ntwo\n" from [3]
            3 one "one\n" from []
            file_moves a.rs:
            4 /main Commit: none → "one\n"
            7 /main Commit: "one\n" → "one\ntwo\n"
            9 /main Commit: "one\ntwo\n" → "one\ntwo\nthree\n"
            10 /main Checkout: "one\ntwo\nthree\n" → "one\n"
            12 /main Commit: "one\n" → "one\ntwo\nthree\n"
            states a.rs:
            0 All of side "one\ntwo\nthree\n" from [1]
            1 one "one\n" from []
            states a.rs:
            0 All of side "one\ntwo\nthree\n" from [1]
            1 one "one\n" from []
            file_moves a.rs: -
        "#]],
    );
}

#[test]
fn a_rebase() {
    check(
        "
        cd main
        git init -q
        write a.rs 1|2|3|4|5|6|7
        commit one
        git checkout -q -b side
        write a.rs 1|2|3|4|5|6|side
        commit side
        write a.rs 1|2|3|4|5|six|side
        commit side again
        git checkout -q main
        write a.rs main|2|3|4|5|6|7
        commit main
        git rebase -q main side
        ? states a.rs
        ? file_moves a.rs
        ",
        expect![[r#"
            states a.rs:
            0 side again "main\n2\n3\n4\n5\nsix\nside\n" from [1]
            1 side "main\n2\n3\n4\n5\n6\nside\n" from [2]
            2 main "main\n2\n3\n4\n5\n6\n7\n" from [5]
            3 side again "1\n2\n3\n4\n5\nsix\nside\n" from [4]
            4 side "1\n2\n3\n4\n5\n6\nside\n" from [5]
            5 one "1\n2\n3\n4\n5\n6\n7\n" from []
            file_moves a.rs:
            4 /main Commit: none → "1\n2\n3\n4\n5\n6\n7\n"
            7 /main Commit: "1\n2\n3\n4\n5\n6\n7\n" → "1\n2\n3\n4\n5\n6\nside\n"
            9 /main Commit: "1\n2\n3\n4\n5\n6\nside\n" → "1\n2\n3\n4\n5\nsix\nside\n"
            10 /main Checkout: "1\n2\n3\n4\n5\nsix\nside\n" → "1\n2\n3\n4\n5\n6\n7\n"
            12 /main Commit: "1\n2\n3\n4\n5\n6\n7\n" → "main\n2\n3\n4\n5\n6\n7\n"
            13 /main Rebase: "main\n2\n3\n4\n5\n6\n7\n" → "main\n2\n3\n4\n5\n6\nside\n"
            13 /main Rebase: "main\n2\n3\n4\n5\n6\nside\n" → "main\n2\n3\n4\n5\nsix\nside\n"
        "#]],
    );
}

#[test]
fn both_sides_of_a_merge() {
    check(
        "
        cd main
        git init -q
        write a.rs 1|2|3|4|5|6|7
        commit one
        git checkout -q -b side
        write a.rs 1|2|3|4|5|6|side
        commit side
        git checkout -q main
        write a.rs main|2|3|4|5|6|7
        commit main
        git merge -q side -m merge
        ? states a.rs
        ? file_moves a.rs
        ",
        expect![[r#"
            states a.rs:
            0 merge "main\n2\n3\n4\n5\n6\nside\n" from [1, 2]
            1 main "main\n2\n3\n4\n5\n6\n7\n" from [3]
            2 side "1\n2\n3\n4\n5\n6\nside\n" from [3]
            3 one "1\n2\n3\n4\n5\n6\n7\n" from []
            file_moves a.rs:
            4 /main Commit: none → "1\n2\n3\n4\n5\n6\n7\n"
            7 /main Commit: "1\n2\n3\n4\n5\n6\n7\n" → "1\n2\n3\n4\n5\n6\nside\n"
            8 /main Checkout: "1\n2\n3\n4\n5\n6\nside\n" → "1\n2\n3\n4\n5\n6\n7\n"
            10 /main Commit: "1\n2\n3\n4\n5\n6\n7\n" → "main\n2\n3\n4\n5\n6\n7\n"
            11 /main Merge: "main\n2\n3\n4\n5\n6\n7\n" → "main\n2\n3\n4\n5\n6\nside\n"
        "#]],
    );
}

#[test]
fn a_merge_not_yet_made() {
    check(
        "
        cd main
        git init -q
        write a.rs one
        commit one
        git checkout -q -b side
        write a.rs side
        commit side
        write new.rs new
        commit new
        git checkout -q main
        write a.rs main
        commit main
        git merge -q side
        ? states a.rs
        ? states new.rs
        write a.rs both
        commit merge
        ? states a.rs
        ? file_moves a.rs
        ",
        expect![[r#"
            states a.rs:
            0 main "main\n" from [2]
            1 side "side\n" from [2]
            2 one "one\n" from []
            states new.rs:
            0 new "new\n" from [nothing]
            states a.rs:
            0 merge "both\n" from [1, 2]
            1 main "main\n" from [3]
            2 side "side\n" from [3]
            3 one "one\n" from []
            file_moves a.rs:
            4 /main Commit: none → "one\n"
            7 /main Commit: "one\n" → "side\n"
            10 /main Checkout: "side\n" → "one\n"
            12 /main Commit: "one\n" → "main\n"
            17 /main Commit: "main\n" → "both\n"
        "#]],
    );
}

#[test]
fn stashes() {
    check(
        "
        cd main
        git init -q
        write a.rs one
        write b.rs b
        write gone.rs gone
        commit one
        write a.rs two
        write b.rs b|staged
        write new.rs new
        git add b.rs
        write b.rs b|staged|more
        remove gone.rs
        ? states a.rs
        git stash push -q --include-untracked -m 'Half of it'
        ? states a.rs
        ? states b.rs
        ? states new.rs
        ? states gone.rs
        write a.rs three
        git stash -q
        ? states a.rs
        git stash drop -q
        ? states a.rs
        git stash pop -q
        ? states a.rs
        ? file_moves a.rs
        ",
        expect![[r#"
            states a.rs:
            0 one "one\n" from []
            states a.rs:
            0 On main: Half of it, stash "two\n" from [1]
            1 one "one\n" from []
            states b.rs:
            0 On main: Half of it, stash "b\nstaged\nmore\n" from [2, 1]
            1 index on main: one, stashed index "b\nstaged\n" from [2]
            2 one "b\n" from []
            states new.rs:
            0 untracked files on main: one, stash "new\n" from []
            states gone.rs:
            0 On main: Half of it, stash none from [1]
            1 one "gone\n" from []
            states a.rs:
            0 WIP on main: one, stash "three\n" from [2]
            1 On main: Half of it, stash "two\n" from [2]
            2 one "one\n" from []
            states a.rs:
            0 On main: Half of it, stash "two\n" from [1]
            1 one "one\n" from []
            states a.rs:
            0 one "one\n" from []
            file_moves a.rs:
            6 /main Commit: none → "one\n"
        "#]],
    );
}

#[test]
fn all_that_was_stashed_was_staged() {
    check(
        "
        cd main
        git init -q
        write a.rs one
        write b.rs b
        commit one
        write a.rs two
        git add a.rs
        write b.rs staged
        git add b.rs
        write b.rs b
        git stash -q
        ? states a.rs
        ? states b.rs
        ",
        expect![[r#"
            states a.rs:
            0 WIP on main: one, stash "two\n" from [1]
            1 one "one\n" from []
            states b.rs:
            0 index on main: one, stashed index "staged\n" from [1]
            1 one "b\n" from []
        "#]],
    );
}

#[test]
fn a_merge_that_looks_like_a_stash() {
    check(
        "
        cd main
        git init -q
        write a.rs 1|2|3
        commit one
        git checkout -q -b side
        write a.rs 1|2|side
        commit side
        git checkout -q main
        git merge -q --no-ff --no-commit side
        write a.rs main|2|side
        commit Merge side
        ? states a.rs
        ",
        expect![[r#"
            states a.rs:
            0 Merge side "main\n2\nside\n" from [2, 1]
            1 side "1\n2\nside\n" from [2]
            2 one "1\n2\n3\n" from []
        "#]],
    );
}

#[test]
fn commits_known_otherwise() {
    check(
        "
        cd main
        git init -q
        write a.rs one
        commit one
        write a.rs two
        git stash -q
        git tag dropped stash
        git stash drop -q
        ? states a.rs
        ? states_with a.rs dropped
        ",
        expect![[r#"
            states a.rs:
            0 one "one\n" from []
            states_with a.rs dropped:
            0 WIP on main: one, stash "two\n" from [1]
            1 one "one\n" from []
        "#]],
    );
}

#[test]
fn other_worktrees() {
    check(
        "
        cd main
        git init -q
        write a.rs one
        commit one
        git worktree add -q -b side ../side
        cd side
        write a.rs side
        commit side
        git commit -q --amend -m 'side, better'
        git checkout -q --detach
        write a.rs detached
        commit detached
        cd main
        ? states a.rs
        ? file_moves a.rs
        git worktree remove ../side
        ? states a.rs
        ? file_moves a.rs
        git worktree add -q ../again side
        cd again
        write a.rs again
        commit again
        remove ../again
        cd main
        ? states a.rs
        ? file_moves a.rs
        ",
        expect![[r#"
            states a.rs:
            0 detached "detached\n" from [1]
            1 side, better "side\n" from [3]
            2 side "side\n" from [3]
            3 one "one\n" from []
            file_moves a.rs:
            4 /main Commit: none → "one\n"
            5 /side Checkout: none → "one\n"
            8 /side Commit: "one\n" → "side\n"
            12 /side Commit: "side\n" → "detached\n"
            states a.rs:
            0 side, better "side\n" from [2]
            1 side "side\n" from [2]
            2 one "one\n" from []
            file_moves a.rs:
            4 /main Commit: none → "one\n"
            states a.rs:
            0 again "again\n" from [1]
            1 side, better "side\n" from [3]
            2 side "side\n" from [3]
            3 one "one\n" from []
            file_moves a.rs:
            4 /main Commit: none → "one\n"
            19 /again Checkout: none → "side\n"
            22 /again Commit: "side\n" → "again\n"
        "#]],
    );
}

#[test]
fn a_shallow_clone() {
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
        ? states a.rs
        ? states old.rs
        ? states none.rs
        write a.rs mine
        commit mine
        ? states a.rs
        git fetch -q --unshallow
        ? states a.rs
        ? states none.rs
        ? file_moves a.rs
        ",
        expect![[r#"
            states a.rs:
            0 four "1\n2\n3\n" from [1]
            1 three "1\n2\n" from [?]
            … more
            states old.rs:
            0 three "old\n" from [?]
            … more
            states none.rs:
            … more
            states a.rs:
            0 mine "mine\n" from [1]
            1 four "1\n2\n3\n" from [2]
            2 three "1\n2\n" from [?]
            … more
            states a.rs:
            0 mine "mine\n" from [1]
            1 four "1\n2\n3\n" from [2]
            2 two "1\n2\n" from [3]
            3 one "1\n" from []
            states none.rs: -
            file_moves a.rs:
            13 /clone Clone: none → "1\n2\n3\n"
            19 /clone Commit: "1\n2\n3\n" → "mine\n"
        "#]],
    );
}

#[test]
fn objects_are_missing() {
    check(
        "
        cd main
        git init -q
        write a.rs one
        commit one
        write a.rs two
        commit two
        git tag amended
        write a.rs three
        git add -A
        git commit -q --amend -m three
        lose amended
        ? states a.rs
        ? file_moves a.rs
        write a.rs four
        commit four
        write a.rs five
        commit five
        lose HEAD~1^{tree}
        ? states a.rs
        ? states a.rs
        corrupt HEAD~2
        reopen
        ? states a.rs
        ? states none.rs
        lose HEAD
        reopen
        ? states a.rs
        ",
        expect![[r#"
            states a.rs:
            0 three "three\n" from [1]
            1 one "one\n" from []
            file_moves a.rs:
            4 /main Commit: none → "one\n"
            states a.rs:
            0 five "five\n" from [?]
            1 three "three\n" from [2]
            2 one "one\n" from []
            … more
            states a.rs:
            0 five "five\n" from [?]
            1 three "three\n" from [2]
            2 one "one\n" from []
            … more
            states a.rs:
            0 five "five\n" from [?]
            1 one "one\n" from []
            … more
            states none.rs:
            … more
            states a.rs:
            0 one "one\n" from []
            … more
        "#]],
    );
}

#[test]
fn head_is_detached() {
    check(
        "
        cd main
        git init -q
        write a.rs one
        commit one
        write a.rs two
        commit two
        git checkout -q --detach HEAD~1
        write a.rs detached
        commit detached
        ? states a.rs
        git checkout -q main
        ? states a.rs
        ? file_moves a.rs
        ",
        expect![[r#"
            states a.rs:
            0 detached "detached\n" from [2]
            1 two "two\n" from [2]
            2 one "one\n" from []
            states a.rs:
            0 detached "detached\n" from [2]
            1 two "two\n" from [2]
            2 one "one\n" from []
            file_moves a.rs:
            4 /main Commit: none → "one\n"
            6 /main Commit: "one\n" → "two\n"
            7 /main Checkout: "two\n" → "one\n"
            9 /main Commit: "one\n" → "detached\n"
            11 /main Checkout: "detached\n" → "two\n"
        "#]],
    );
}

#[test]
fn what_moves_head() {
    check(
        "
        cd origin
        git init -q
        write a.rs one
        commit one
        cd
        git clone -q file:///origin clone
        cd origin
        write a.rs one|two
        commit two
        cd clone
        git pull -q
        git reset -q --hard HEAD~1
        git merge -q origin/main
        git reset -q --soft HEAD~1
        git commit -q -m again
        git reset -q --hard HEAD~1
        git cherry-pick origin/main
        git revert --no-edit HEAD
        write a.rs other
        git add a.rs
        git commit -q --amend -m amended
        git branch -m renamed
        ? file_moves a.rs
        ? file_moves b.rs
        ? file_moves ..
        ",
        expect![[r#"
            file_moves a.rs:
            6 /clone Clone: none → "one\n"
            11 /clone Pull: "one\n" → "one\ntwo\n"
            12 /clone Reset: "one\ntwo\n" → "one\n"
            13 /clone Merge: "one\n" → "one\ntwo\n"
            14 /clone Reset: "one\ntwo\n" → "one\n"
            15 /clone Commit: "one\n" → "one\ntwo\n"
            16 /clone Reset: "one\ntwo\n" → "one\n"
            17 /clone CherryPick: "one\n" → "one\ntwo\n"
            18 /clone Revert: "one\ntwo\n" → "one\n"
            21 /clone Amend: "one\n" → "other\n"
            file_moves b.rs: -
            file_moves ..: -
        "#]],
    );
}

#[test]
fn deleted_and_made_again_on_a_branch_that_is_gone() {
    check(
        "
        cd main
        git init -q
        write a.rs one
        write b.rs b
        commit one
        git checkout -q -b side
        git rm -q --cached a.rs
        remove a.rs
        commit gone
        write a.rs one
        commit back
        git checkout -q main
        git branch -q -D side
        ? states a.rs
        ",
        expect![[r#"
            states a.rs:
            0 back "one\n" from [1]
            1 gone none from [2]
            2 one "one\n" from []
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
        write a.rs 2
        git add -A
        git commit -q --amend -m three
        write a.rs 3
        commit four
        ? states a.rs 0
        ? states a.rs 1
        ? history a.rs 0
        ? states a.rs 1
        ? states a.rs
        ",
        expect![[r#"
            states a.rs 0:
            … more
            states a.rs 1:
            0 four "3\n" from [?]
            … more
            history a.rs 0:
            0 four "3\n" from []
            … more
            states a.rs 1:
            0 four "3\n" from [1]
            1 three "2\n" from [?]
            … more
            states a.rs:
            0 four "3\n" from [1]
            1 three "2\n" from [2]
            2 one "1\n" from []
        "#]],
    );
}

#[test]
fn files_of_git_that_hold_nonsense() {
    check(
        "
        cd main
        git init -q
        write a.rs one
        commit one
        git branch side
        write .git/logs/HEAD nonsense|0000 1111 who
        write .git/logs/refs/heads/side
        write .git/logs/refs/stash \0
        write .git/MERGE_HEAD nonsense
        write .git/ORIG_HEAD 0123456789012345678901234567890123456789
        ? states a.rs
        ? file_moves a.rs
        ",
        expect![[r#"
            states a.rs:
            0 one "one\n" from []
            file_moves a.rs: -
        "#]],
    );
}

#[test]
fn objects_named_by_sha_256() {
    check(
        "
        cd main
        git init -q --object-format=sha256
        write a.rs one
        commit one
        write a.rs two
        git stash -q
        git mv a.rs b.rs
        commit rename
        write b.rs one|more
        git add -A
        git commit -q --amend -m amended
        ? states a.rs
        ? states b.rs
        ? came_from b.rs
        ? file_moves b.rs
        ",
        expect![[r#"
            states a.rs:
            0 amended none from [3]
            1 rename none from [3]
            2 WIP on main: one, stash "two\n" from [3]
            3 one "one\n" from []
            states b.rs:
            0 amended "one\nmore\n" from [nothing]
            1 rename "one\n" from [nothing]
            came_from b.rs:
            b.rs ← a.rs "one\n" renamed, 100 %, in rename
            file_moves b.rs:
            8 /main Commit: none → "one\n"
            11 /main Amend: "one\n" → "one\nmore\n"
        "#]],
    );
}

#[test]
fn a_merge_of_three() {
    check(
        "
        cd main
        git init -q
        write a.rs 1|2|3|4|5|6|7|8|9
        commit one
        git checkout -q -b left
        write a.rs left|2|3|4|5|6|7|8|9
        commit left
        git checkout -q -b right main
        write a.rs 1|2|3|4|5|6|7|8|right
        commit right
        git checkout -q main
        write a.rs 1|2|3|4|main|6|7|8|9
        commit main
        git merge -q left right -m merge
        ? states a.rs
        ",
        expect![[r#"
            states a.rs:
            0 merge "left\n2\n3\n4\nmain\n6\n7\n8\nright\n" from [1, 3, 2]
            1 main "1\n2\n3\n4\nmain\n6\n7\n8\n9\n" from [4]
            2 right "1\n2\n3\n4\n5\n6\n7\n8\nright\n" from [4]
            3 left "left\n2\n3\n4\n5\n6\n7\n8\n9\n" from [4]
            4 one "1\n2\n3\n4\n5\n6\n7\n8\n9\n" from []
        "#]],
    );
}
