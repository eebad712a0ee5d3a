//! What commands of git do to the work tree.

use trace::Target;

use crate::act::{Act, Git, GitVerb};
use crate::field::{Field, Piece};
use crate::programs::{long, operands_of, short};
use crate::run::{Output, Run};

/// Commands that leave the work tree as it is. (What they write lies in `.git`.)
const READS: &[&str] = &[
    "status",
    "log",
    "show",
    "diff",
    "blame",
    "annotate",
    "grep",
    "rev-list",
    "ls-files",
    "ls-tree",
    "ls-remote",
    "cat-file",
    "shortlog",
    "reflog",
    "branch",
    "tag",
    "remote",
    "fetch",
    "add",
    "stage",
    "name-rev",
    "cherry",
    "for-each-ref",
    "show-ref",
    "symbolic-ref",
    "update-ref",
    "hash-object",
    "count-objects",
    "fsck",
    "gc",
    "prune",
    "repack",
    "check-ignore",
    "check-attr",
    "diff-tree",
    "diff-index",
    "diff-files",
    "whatchanged",
    "range-diff",
    "var",
    "version",
    "help",
    "notes",
    "write-tree",
    "commit-tree",
    "verify-commit",
    "verify-tag",
    "update-index",
    "show-branch",
    "merge-tree",
    "patch-id",
    "interpret-trailers",
    "stripspace",
    "pack-refs",
    "maintenance",
    "rerere",
    "--version",
    "--help",
];

impl Run {
    pub(crate) fn git(&mut self, args: &[Field], env: &[&str]) -> Output {
        let whole = args;
        let folder = self.scope.folder.clone();
        let mut at = folder.clone();
        let mut rest = args;
        // Options before the command.
        while let Some((arg, after)) = rest.split_first() {
            if !arg.head().starts_with('-') {
                break;
            }
            rest = after;
            match arg.literal() {
                Some("-C") => {
                    let Some((to, after)) = rest.split_first() else { return self.program("git", whole) };
                    at = to.folder(&at);
                    rest = after;
                }
                // An alias may be any command.
                Some("-c") if !rest.first().is_some_and(|pair| pair.head().starts_with("alias.")) => {
                    rest = rest.get(1..).unwrap_or_default();
                }
                Some(
                    "--no-pager"
                    | "-P"
                    | "--paginate"
                    | "-p"
                    | "--no-optional-locks"
                    | "--literal-pathspecs"
                    | "--no-replace-objects",
                ) => {}
                Some("--version" | "--help" | "-v" | "-h") => return Output::Unknown,
                _ => return self.program("git", whole),
            }
        }
        let Some((verb, args)) = rest.split_first() else { return Output::Unknown };
        let is_elsewhere =
            env.iter().any(|name| ["GIT_DIR", "GIT_WORK_TREE", "GIT_EXTERNAL_DIFF", "GIT_EDITOR"].contains(name));
        if is_elsewhere || args.iter().chain([verb]).any(|arg| arg.loose) {
            return self.program("git", whole);
        }
        let Some(verb) = verb.literal() else { return self.program("git", whole) };
        let verb = verb.to_owned();
        self.scope.folder = at;
        let output = self.git_command(&verb, args, whole);
        self.scope.folder = folder;
        output
    }

    fn git_command(&mut self, verb: &str, args: &[Field], whole: &[Field]) -> Output {
        let first = args.first().and_then(Field::literal).unwrap_or_default();
        let has = |options: &[&str]| args.iter().any(|arg| options.iter().any(|option| long(arg, option)));
        let verb = match verb {
            // One name, and no option.
            "rev-parse" | "merge-base" | "describe" => return Output::Paths(vec![Field::any()]),
            "branch" if first == "--show-current" => return Output::Paths(vec![Field::any()]),
            "ls-files" if args.iter().all(|arg| !arg.is_option()) => return Output::Paths(self.listed(args)),
            "diff" | "show" | "log" | "format-patch" | "archive" if has(&["--output", "-o", "--output-directory"]) => {
                return self.program("git", whole);
            }
            "archive" => return Output::Unknown,
            "format-patch" if has(&["--stdout"]) => return Output::Unknown,
            "grep" if args.iter().any(|arg| short(arg, 'O')) || has(&["--open-files-in-pager"]) => {
                return self.program("git", whole);
            }
            _ if READS.contains(&verb) => return Output::Unknown,
            // Another file than git's own may be named.
            "config" if !has(&["--file", "-f"]) => return Output::Unknown,
            "am" => GitVerb::Am,
            "apply"
                if has(&["--check", "--stat", "--numstat", "--summary", "--cached"])
                    && !has(&["--apply", "--index"]) =>
            {
                return Output::Unknown;
            }
            "apply" => GitVerb::Apply,
            "bisect" => GitVerb::Bisect,
            "checkout" => return self.checkout(args),
            "cherry-pick" => GitVerb::CherryPick,
            "clean" if args.iter().any(|arg| short(arg, 'n')) || has(&["--dry-run"]) => return Output::Unknown,
            "clean" => GitVerb::Clean,
            "clone" => return self.clone_or_worktree(GitVerb::Clone, args, 1),
            "commit" if has(&["--dry-run"]) => return Output::Unknown,
            "commit" => GitVerb::Commit,
            "init" => GitVerb::Init,
            "merge" => GitVerb::Merge,
            "mv" => return self.git_move(args),
            "pull" => GitVerb::Pull,
            "push" if has(&["--no-verify", "--dry-run"]) => return Output::Unknown,
            "push" => GitVerb::Push,
            // `--exec` runs anything.
            "rebase" if has(&["--exec", "-x"]) => return self.program("git", whole),
            "rebase" => GitVerb::Rebase,
            "reset" => {
                let files = has(&["--hard", "--merge", "--keep"]);
                return self.git_act(GitVerb::Reset { files }, args, Vec::new());
            }
            "restore" => return self.restore(args),
            "revert" => GitVerb::Revert,
            "rm" if has(&["--cached"]) => return Output::Unknown,
            "rm" => {
                let recursive = args.iter().any(|arg| short(arg, 'r'));
                let targets = self.pathspecs(operands_of(args));
                self.act(Act::Remove { targets, recursive });
                return Output::Unknown;
            }
            "sparse-checkout" if first != "list" => GitVerb::SparseCheckout,
            "sparse-checkout" => return Output::Unknown,
            "stash" => match first {
                "pop" | "apply" | "branch" => {
                    let verb = if first == "apply" { GitVerb::StashApply } else { GitVerb::StashPop };
                    return self.git_act(verb, &args[1..], Vec::new());
                }
                "list" | "show" | "drop" | "clear" | "create" | "store" => return Output::Unknown,
                _ => return self.stash(args),
            },
            "submodule" if matches!(first, "status" | "summary" | "") => return Output::Unknown,
            // It runs anything.
            "submodule" if first == "foreach" => return self.program("git", whole),
            "submodule" => GitVerb::Submodule,
            "subtree" => GitVerb::Subtree,
            "switch" => GitVerb::Switch,
            "worktree" => match first {
                "list" | "prune" | "lock" | "unlock" => return Output::Unknown,
                "add" => return self.clone_or_worktree(GitVerb::WorktreeAdd, &args[1..], 0),
                "move" => return self.clone_or_worktree(GitVerb::WorktreeMove, &args[1..], 0),
                "remove" => return self.clone_or_worktree(GitVerb::WorktreeRemove, &args[1..], 0),
                _ => return self.program("git", whole),
            },
            // Also aliases of a person's own.
            _ => return self.program("git", whole),
        };
        self.git_act(verb, args, Vec::new())
    }

    fn git_act(&mut self, verb: GitVerb, args: &[Field], targets: Vec<Target>) -> Output {
        const WITH_MESSAGE: [&str; 4] = ["-m", "-F", "--message", "--file"];
        let mut names = Vec::new();
        let mut is_value = false;
        for arg in args {
            if let Some(text) = arg.literal()
                && !is_value
                && !text.starts_with('-')
                && !text.is_empty()
            {
                names.push(text.to_owned());
            }
            is_value = arg.literal().is_some_and(|text| {
                WITH_MESSAGE.contains(&text) || (verb == GitVerb::Commit && short(arg, 'm') && text.ends_with('m'))
            });
        }
        let at = self.scope.folder.target();
        self.act(Act::Git(Git { verb, at, names, targets }));
        Output::Unknown
    }

    /// `checkout REV`, `checkout [REV] -- PATHS`, `checkout REV PATHS`
    fn checkout(&mut self, args: &[Field]) -> Output {
        let (before, paths) = match args.iter().position(|arg| arg.is("--")) {
            Some(at) => (&args[..at], Some(&args[at + 1..])),
            None => (args, None),
        };
        let is_other = |arg: &Field| long(arg, "--pathspec-from-file") || arg.is("-p") || arg.is("--patch");
        if args.iter().any(is_other) {
            return self.git_act(GitVerb::Checkout, args, Vec::new());
        }
        let operands: Vec<&Field> = before.iter().filter(|arg| !arg.is_option()).collect();
        let makes_branch = before
            .iter()
            .any(|arg| short(arg, 'b') || short(arg, 'B') || long(arg, "--orphan") || long(arg, "--track"));
        let targets = match paths {
            Some(paths) => self.pathspecs(paths),
            // Two operands: the second is a path, the first may be one.
            None if operands.len() > 1 && !makes_branch => self.pathspecs(operands.iter().copied()),
            None => Vec::new(),
        };
        self.git_act(GitVerb::Checkout, before, targets)
    }

    fn restore(&mut self, args: &[Field]) -> Output {
        let has = |options: &[&str]| args.iter().any(|arg| options.iter().any(|option| long(arg, option)));
        let (staged, worktree) =
            (has(&["--staged", "-S"]), has(&["--worktree", "-W"]) || args.iter().any(|arg| short(arg, 'W')));
        if staged && !worktree {
            return Output::Unknown;
        }
        let mut names = Vec::new();
        let mut paths = Vec::new();
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            if arg.is("-s") || arg.is("--source") {
                names.extend(rest.next().cloned());
            } else if let Some(source) = arg.head().strip_prefix("--source=") {
                names.push(Field::text(source));
            } else if arg.head().starts_with("--pathspec-from-file") || arg.is("-p") || arg.is("--patch") {
                paths.push(Field::any());
            } else if !arg.is_option() && !arg.is("--") {
                paths.push(arg.clone());
            }
        }
        let targets = self.pathspecs(&paths);
        self.git_act(GitVerb::Restore, &names, targets)
    }

    fn stash(&mut self, args: &[Field]) -> Output {
        let paths = args.iter().position(|arg| arg.is("--")).map(|at| &args[at + 1..]);
        let targets = self.pathspecs(paths.unwrap_or_default());
        self.git_act(GitVerb::StashPush, &[], targets)
    }

    fn git_move(&mut self, args: &[Field]) -> Output {
        let mut operands: Vec<&Field> = operands_of(args).collect();
        if let Some(to) = operands.pop() {
            let (from, to) = (self.targets(operands), self.target(to));
            self.act(Act::Move { from, to });
        }
        Output::nothing()
    }

    /// What is made or removed is a folder: the operand of this number.
    fn clone_or_worktree(&mut self, verb: GitVerb, args: &[Field], folder: usize) -> Output {
        let mut operands = Vec::new();
        let mut is_value = false;
        for arg in args {
            if !is_value && !arg.is_option() {
                operands.push(arg);
            }
            is_value = matches!(
                arg.literal(),
                Some("-b" | "-B" | "--branch" | "--depth" | "-o" | "--origin" | "--reference" | "-j")
            );
        }
        let targets = match (verb, &*operands) {
            (GitVerb::WorktreeMove, _) => self.targets(operands.iter().copied()),
            (GitVerb::Clone, [url]) => {
                let name = url.literal().map(|url| url.trim_end_matches('/').trim_end_matches(".git"));
                let name = name.and_then(|url| url.rsplit(['/', ':']).next()).map_or(Field::any(), Field::text);
                vec![self.target(&name)]
            }
            _ => operands.get(folder).map(|path| self.target(path)).into_iter().collect(),
        };
        let operands: Vec<Field> = operands.into_iter().cloned().collect();
        self.git_act(verb, &operands, targets)
    }

    /// What the paths that git takes may mean. `:/…` and `*` reach further than a shell's would.
    fn pathspecs<'f>(&self, fields: impl IntoIterator<Item = &'f Field>) -> Vec<Target> {
        let spec = |field: &Field| match field.literal() {
            Some(text) if text.starts_with(':') || text.contains(['*', '?', '[']) => Target::Ending("".into()),
            _ => self.target(field),
        };
        fields.into_iter().map(spec).collect()
    }

    /// Names of files below the folder.
    fn listed(&self, args: &[Field]) -> Vec<Field> {
        match args {
            [] => vec![Field { pieces: vec![Piece::Glob("**".into())], loose: false }],
            _ => vec![Field::any()],
        }
    }
}
