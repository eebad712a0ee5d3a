//! Commands of git.

use expect_test::expect;

use super::check;

#[test]
fn only_reads() {
    check("git status --short && git log --oneline -5 | head; git diff HEAD~1 -- src", expect!["reads"]);
    check("git -C sub --no-pager -c color.ui=never show HEAD:a.rs | sed -n '1,9p'", expect!["reads"]);
    check(
        "git add -A; git fetch origin; git branch -d x; git tag v1; git stash list; git worktree list",
        expect!["reads"],
    );
    check("git restore --staged a; git rm --cached b; git clean -n; git apply --check p", expect!["reads"]);
    check(
        "git diff > changes.patch; git log --output=log.txt",
        expect![[r#"
        ~ write changes.patch …
        = program "git" []"#]],
    );
}

#[test]
fn brings_files_back() {
    check("git checkout -- src/a.rs src/b", expect!["= git Checkout [] [src/a.rs src/b]"]);
    check("git checkout main", expect![[r#"= git Checkout ["main"] []"#]]);
    check("git checkout -b new origin/main", expect![[r#"= git Checkout ["new", "origin/main"] []"#]]);
    check("git checkout main src/a.rs", expect![[r#"= git Checkout ["main", "src/a.rs"] [main src/a.rs]"#]]);
    check("git checkout HEAD~2 -- '*.lock' src/*.rs", expect![[r#"= git Checkout ["HEAD~2"] [… glob:src/*.rs]"#]]);
    check(
        "git restore --source=HEAD~1 a.rs; git restore -s main -SW .",
        expect![[r#"
            ~ git Restore ["HEAD~1"] [a.rs]
            = git Restore ["main"] [.]"#]],
    );
    check(
        "cd sub && git switch -c topic && git -C ../other reset --hard HEAD~1; git reset --soft HEAD^",
        expect![[r#"
        ~ git Switch at sub ["topic"] []
        ? git Reset { files: true } at other ["HEAD~1"] []
        = git Reset { files: false } at sub ["HEAD^"] []
        cd unchecked"#]],
    );
    check(
        "git stash; git stash push -m 'x y' -- a.rs; git stash pop; git stash apply stash@{1}",
        expect![[r#"
            ~ git StashPush [] []
            ~ git StashPush [] [a.rs]
            ~ git StashPop [] []
            = git StashApply ["stash@{1}"] []"#]],
    );
    check("git clean -fdx", expect!["= git Clean [] []"]);
}

#[test]
fn brings_commits() {
    check("git pull --rebase origin main", expect![[r#"= git Pull ["origin", "main"] []"#]]);
    check(
        "git merge --no-ff topic -m 'merge it'; git rebase -i main; git cherry-pick abc123; git revert HEAD",
        expect![[r#"
        ~ git Merge ["topic"] []
        ~ git Rebase ["main"] []
        ~ git CherryPick ["abc123"] []
        = git Revert ["HEAD"] []"#]],
    );
    check(
        "git am < p.patch; git apply -p1 p.patch",
        expect![[r#"
        ~ git Am [] []
        = git Apply ["p.patch"] []"#]],
    );
    check("git commit -am 'words of it' --amend; git push --no-verify", expect!["~ git Commit [] []"]);
    check(
        "git clone https://example.com/x/y.git; git clone --depth 1 u.git there",
        expect![[r#"
            ~ git Clone ["https://example.com/x/y.git"] [y]
            = git Clone ["u.git", "there"] [there]"#]],
    );
    check(
        "git worktree add -b topic ../other main; git worktree remove ../other",
        expect![[r#"
            ~ git WorktreeAdd ["../other", "main"] [../other]
            = git WorktreeRemove ["../other"] [../other]"#]],
    );
    check(
        "git submodule update --init; git submodule status; git bisect start",
        expect![[r#"
        ~ git Submodule ["update"] []
        = git Bisect ["start"] []"#]],
    );
}

#[test]
fn moves_and_removes() {
    check("git mv a.rs b.rs", expect!["= move [a.rs] to b.rs"]);
    check("git mv -f a b dir/", expect!["= move [a b] to dir"]);
    check(
        "git rm -r old && git rm a.rs",
        expect![[r#"
        = remove [old] and below
        = remove [a.rs]"#]],
    );
}

#[test]
fn may_do_anything() {
    check("git lg", expect![[r#"= program "git" []"#]]);
    check("git rebase --exec 'make fix' main", expect![[r#"= program "git" []"#]]);
    check("git submodule foreach 'touch x'", expect![[r#"= program "git" []"#]]);
    check("GIT_WORK_TREE=/x git checkout main", expect![[r#"= program "git" []"#]]);
    check(
        "git -c alias.x='!rm a' x; git config --file a.ini k v; git $VERB",
        expect![[r#"
        ~ program "git" []
        ~ program "git" [a.ini]
        = program "git" […]"#]],
    );
    check("git filter-branch --tree-filter 'rm a' HEAD", expect![[r#"= program "git" []"#]]);
}
