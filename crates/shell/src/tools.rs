//! Formatters, build tools, programs that only read.

use crate::act::Act;
use crate::field::Field;
use crate::programs::{long, operands_of, short};
use crate::run::{Output, Run};

impl Run {
    /// Formatters, build tools, programs that only read; anything else.
    pub(crate) fn tool(&mut self, name: &str, args: &[Field], env: &[&str]) -> Output {
        if let Some(output) = self.runner(name, args, env) {
            return output;
        }
        if let Some(output) = self.formatter(name, args) {
            return output;
        }
        if let Some(is_build) = builds(name, args) {
            return if is_build && env.iter().all(|name| is_harmless_variable(name)) && !self.asks_for_more() {
                self.act(Act::Build { name: name.to_owned() });
                Output::Unknown
            } else {
                self.program(name, args)
            };
        }
        if READERS.iter().any(|(names, _)| names.contains(&name)) { Output::Unknown } else { self.program(name, args) }
    }

    /// Programs that run the program that is named behind them.
    fn runner(&mut self, name: &str, args: &[Field], env: &[&str]) -> Option<Output> {
        let skip: usize = match (name, args.first().and_then(Field::literal)?) {
            ("npx" | "bunx" | "pnpx", _) => 0,
            ("pnpm" | "yarn" | "bun", "exec" | "dlx" | "x") => 1,
            ("npm", "exec") => 1,
            ("uv" | "poetry" | "pdm" | "hatch" | "rye" | "pipenv", "run") => 1,
            ("uvx" | "pipx", _) => usize::from(name == "pipx"),
            ("bundle", "exec") => 1,
            ("python" | "python3" | "py", "-m") => 1,
            ("mise", "exec" | "x") => 1,
            _ => return None,
        };
        let mut rest = args.get(skip..).unwrap_or_default();
        while let Some((arg, after)) = rest.split_first() {
            match arg.literal() {
                Some(
                    "-y" | "--yes" | "--" | "--no-install" | "-q" | "--quiet" | "--silent" | "--no-sync" | "--frozen",
                ) => rest = after,
                Some(text) if text.starts_with('-') => return Some(self.program(name, args)),
                _ => break,
            }
        }
        let Some((tool, rest)) = rest.split_first() else { return Some(self.program(name, args)) };
        // Whatever is installed under that name: it is believed only where it is one of the tools that go this way.
        let tool = tool.literal().map(|tool| tool.split_once('@').map_or(tool, |(tool, _)| tool)).unwrap_or_default();
        if FORMATTERS.contains(&tool) || builds(tool, rest).is_some() {
            // It also keeps a lock file and an environment up to date.
            if name == "uv" {
                self.act(Act::Build { name: name.to_owned() });
            }
            return Some(self.tool(tool, rest, env));
        }
        Some(self.program(name, args))
    }

    fn formatter(&mut self, name: &str, args: &[Field]) -> Option<Output> {
        let has = |options: &[&str]| {
            args.iter().any(|arg| options.iter().any(|option| arg.head() == *option || long(arg, option)))
        };
        let first = args.first().and_then(Field::literal).unwrap_or_default();
        if args.iter().any(|arg| arg.loose) && FORMATTERS.contains(&name) {
            return Some(self.program(name, args));
        }
        let short_w = args.iter().any(|arg| short(arg, 'w'));
        // Whether this is its way to format, whether it only tells what it would do, and how many words come before the
        // files.
        let (is_format, checks, skip) = match name {
            "cargo" => (first == "fmt", has(&["--check"]), 1),
            "rustfmt" | "leptosfmt" | "stylua" | "mdformat" => (!args.is_empty(), has(&["--check"]), 0),
            "nixfmt" | "alejandra" => (true, has(&["--check", "-c"]), 0),
            "shfmt" => (true, !short_w && !has(&["--write"]), 0),
            "taplo" => (matches!(first, "fmt" | "format"), has(&["--check"]), 1),
            "prettier" => (true, !short_w && !has(&["--write"]), 0),
            "oxfmt" => (true, has(&["--check", "--list-different"]), 0),
            "biome" => (first == "format", !has(&["--write", "--fix"]), 1),
            "dprint" => (first == "fmt", false, 1),
            "deno" => (first == "fmt", has(&["--check"]), 1),
            // `-r` rewrites, `-s` simplifies.
            "gofmt" if short_w && has(&["-r", "-s"]) => return Some(self.program(name, args)),
            "gofmt" => (true, !short_w, 0),
            "go" => (first == "fmt", has(&["-n"]), 1),
            "black" => (true, has(&["--check", "--diff"]), 0),
            "yapf" => (true, !has(&["-i", "--in-place"]), 0),
            "ruff" => (first == "format", has(&["--check", "--diff"]), 1),
            "ocamlformat" | "google-java-format" if has(&["-o", "--output"]) => return Some(self.program(name, args)),
            "clang-format" | "swift-format" | "ocamlformat" | "google-java-format" => {
                (true, !has(&["-i", "--in-place", "--inplace", "--replace"]) || has(&["--dry-run", "-n"]), 0)
            }
            "zig" => (first == "fmt", has(&["--check"]), 1),
            "terraform" | "tofu" => (first == "fmt", has(&["-check"]), 1),
            "dart" => (first == "format", args.iter().any(|arg| arg.is("--output=none")), 1),
            "mix" => (first == "format", has(&["--check-formatted"]), 1),
            _ => return None,
        };
        if !is_format {
            return None;
        }
        if checks {
            // It tells what it would do.
            return Some(Output::Unknown);
        }
        let operands: Vec<&Field> = operands_of(args.get(skip..).unwrap_or_default()).collect();
        // A value of an option, or a folder: one cannot tell. Patterns of its own, lists of files.
        let is_file = |field: &&Field| {
            (field.looks_like_path() || field.is("."))
                && !field.literal().is_some_and(|text| text.contains(['*', '{', '@']))
        };
        let takes_list = args.iter().any(|arg| arg.is_option() && arg.head().contains("file"));
        let (files, others): (Vec<&Field>, Vec<&Field>) = operands.into_iter().partition(|field| is_file(field));
        let targets = self.targets(files);
        // rustfmt follows `mod`; the others without a name take what their project holds, wherever it lies.
        let follows = matches!(name, "rustfmt" | "cargo" | "go" | "mix" | "dprint");
        let everywhere = targets.is_empty() || !others.is_empty() || takes_list || follows;
        self.act(Act::Format { name: name.to_owned(), targets, everywhere });
        Some(Output::Unknown)
    }
}

/// Formatters that may be run through a package manager.
const FORMATTERS: &[&str] = &[
    "prettier",
    "oxfmt",
    "biome",
    "dprint",
    "black",
    "yapf",
    "ruff",
    "rustfmt",
    "gofmt",
    "clang-format",
    "swift-format",
    "ocamlformat",
    "google-java-format",
    "stylua",
    "shfmt",
    "taplo",
    "leptosfmt",
    "nixfmt",
    "alejandra",
    "mdformat",
];

/// Programs that only read whatever their arguments are, and why.
const READERS: &[(&[&str], &str)] = &[
    (
        &[
            "ls",
            "head",
            "tail",
            "wc",
            "nl",
            "tac",
            "rev",
            "cut",
            "paste",
            "tr",
            "column",
            "fold",
            "fmt",
            "expand",
            "unexpand",
            "join",
            "comm",
            "cmp",
            "diff",
            "colordiff",
            "strings",
            "od",
            "hexdump",
            "stat",
            "du",
            "df",
            "pathchk",
            "seq",
            "yes",
            "factor",
            "expr",
            "md5sum",
            "md5",
            "sha1sum",
            "sha256sum",
            "sha512sum",
            "shasum",
            "cksum",
            "b2sum",
            "zcat",
            "gzcat",
            "bzcat",
            "xzcat",
            "zgrep",
            "look",
            "tsort",
            "numfmt",
        ],
        "coreutils and their like: they read files and print",
    ),
    (
        &[
            "grep", "egrep", "fgrep", "ag", "ack", "bat", "batcat", "eza", "exa", "lsd", "tokei", "jq", "delta",
            "more", "locate", "mdfind",
        ],
        "searchers and viewers",
    ),
    (
        &["type", "whereis", "whence", "man", "help", "apropos", "tput", "clear", "reset", "tty", "locale"],
        "they tell about commands or the terminal",
    ),
    (
        &[
            "ps",
            "pgrep",
            "top",
            "htop",
            "lsof",
            "uptime",
            "free",
            "vmstat",
            "iostat",
            "date",
            "id",
            "groups",
            "who",
            "w",
            "last",
            "sw_vers",
            "system_profiler",
            "sysctl",
            "getconf",
            "printenv",
            "jobs",
            "times",
            "dirs",
            "fc-list",
            "lscpu",
            "lsblk",
            "netstat",
            "ss",
            "ifconfig",
            "ip",
            "ping",
            "dig",
            "nslookup",
            "host",
            "whois",
            "traceroute",
            "nc",
        ],
        "they tell about the system, its processes or the network",
    ),
    (&["ldd", "otool", "nm", "objdump", "readelf", "size", "file", "pdfinfo", "identify"], "they look into binaries"),
    (&["pkg-config", "xcode-select"], "they tell about what is installed"),
];

/// Commands of cargo that write below its target folder alone, and the lock file.
const CARGO: &[&str] = &[
    "",
    "b",
    "bench",
    "build",
    "c",
    "check",
    "clean",
    "clippy",
    "d",
    "doc",
    "fetch",
    "audit",
    "help",
    "info",
    "llvm-cov",
    "locate-project",
    "machete",
    "metadata",
    "miri",
    "msrv",
    "nextest",
    "pkgid",
    "rustc",
    "rustdoc",
    "search",
    "t",
    "tarpaulin",
    "test",
    "tree",
    "udeps",
    "version",
];

/// Compilers, linters and runners of tests.
const CHECKERS: &[&str] = &[
    "tsc",
    "vue-tsc",
    "eslint",
    "oxlint",
    "stylelint",
    "biome",
    "jest",
    "vitest",
    "mocha",
    "ava",
    "tap",
    "playwright",
    "cypress",
    "pytest",
    "py.test",
    "unittest",
    "mypy",
    "pyright",
    "basedpyright",
    "pylint",
    "flake8",
    "ruff",
    "ty",
    "pyflakes",
    "bandit",
    "tox",
    "nox",
    "compileall",
    "py_compile",
    "rspec",
    "phpunit",
    "phpstan",
    "rubocop",
    "shellcheck",
    "hadolint",
    "yamllint",
    "actionlint",
    "markdownlint",
    "markdownlint-cli2",
    "typos",
    "codespell",
    "golangci-lint",
    "staticcheck",
    "govulncheck",
    "fieldalignment",
    "errcheck",
    "gotestsum",
    "benchstat",
    "ctest",
    "clang-tidy",
    "cppcheck",
    "gcc",
    "g++",
    "cc",
    "c++",
    "clang",
    "clang++",
    "rustc",
    "javac",
    "kotlinc",
    "ghc",
    "swiftc",
    "xcodebuild",
    "webpack",
    "rollup",
    "esbuild",
    "vite",
    "tsup",
    "next",
    "knip",
    "depcheck",
    "madge",
    "svelte-check",
    "astro",
    "tsd",
    "attw",
    "publint",
    "size-limit",
];

/// Whether a tool builds, checks or tests (`true`), or is known and was asked to do more (`false`).
fn builds(name: &str, args: &[Field]) -> Option<bool> {
    let mut operands = args.iter().filter(|arg| !arg.is_option() && !arg.head().starts_with('+'));
    let first = operands.next().and_then(Field::literal).unwrap_or_default();
    let second = operands.next().and_then(Field::literal).unwrap_or_default();
    let is_build = match name {
        "cargo" => CARGO.contains(&first),
        "go" => {
            matches!(
                first,
                "build"
                    | "test"
                    | "vet"
                    | "list"
                    | "doc"
                    | "version"
                    | "env"
                    | "install"
                    | "clean"
                    | "help"
                    | "tool"
                    | ""
            ) || (first == "mod" && matches!(second, "graph" | "why" | "verify" | "download"))
        }
        "npm" | "pnpm" | "yarn" | "bun" => match first {
            "test" | "t" | "build" | "lint" | "typecheck" | "ls" | "list" | "view" | "info" | "why" | "outdated"
            | "audit" | "config" | "root" | "bin" | "whoami" | "ping" | "prefix" | "explain" => {
                !matches!((first, second), ("audit", "fix") | ("config", "set" | "delete"))
            }
            "run" | "run-script" => is_build_task(second),
            _ => name != "npm" && is_build_task(first),
        },
        "zig" | "swift" | "dotnet" | "mix" | "stack" | "cabal" | "dune" | "flutter" | "dart" | "deno" | "lake"
        | "bazel" | "buck2" => is_build_task(first),
        "make" | "gmake" | "just" | "task" | "ninja" | "rake" | "mise" | "gradle" | "gradlew" | "mvn" | "mvnw"
        | "turbo" | "nx" | "sbt" | "meson" => {
            let is_value = |n: usize| n > 0 && ["-C", "-j", "-f"].iter().any(|option| args[n - 1].is(option));
            let tasks = args
                .iter()
                .enumerate()
                .filter(|(n, arg)| !arg.is_option() && !is_value(*n) && !arg.head().contains('='));
            let mut tasks = tasks
                .map(|(_, arg)| arg.literal().unwrap_or("?"))
                .filter(|task| !matches!(*task, "run" | "exec"))
                .peekable();
            let is_bare = tasks.peek().is_none() && matches!(name, "make" | "gmake" | "ninja");
            is_bare || (tasks.peek().is_some() && tasks.all(is_build_task))
        }
        "cmake" => args.first().is_some_and(|arg| arg.is("--build")),
        _ if CHECKERS.contains(&name) => match name {
            "ruff" => first == "check",
            // `-a`, `-A` and `-f` mend.
            "rubocop" => !args.iter().any(|arg| short(arg, 'a') || short(arg, 'A') || short(arg, 'x')),
            "markdownlint" => !args.iter().any(|arg| short(arg, 'f')),
            "biome" => matches!(first, "check" | "lint" | "ci" | "format"),
            "golangci-lint" => matches!(first, "run" | "version" | "linters" | "help" | ""),
            "vite" | "next" | "astro" => matches!(first, "build" | "check" | "lint"),
            "playwright" => first == "test",
            _ => true,
        },
        _ => return None,
    };
    // What a project's own task is told may mean anything; elsewhere only options do.
    let is_own_task =
        matches!(name, "npm" | "pnpm" | "yarn" | "bun" | "make" | "gmake" | "just" | "task" | "mise" | "rake");
    Some(is_build && !args.iter().any(|arg| arg.loose || ((is_own_task || arg.is_option()) && rewrites(arg))))
}

/// An argument that makes a checker or a test rewrite sources or what it expects.
fn rewrites(arg: &Field) -> bool {
    const WORDS: &[&str] = &[
        "update",
        "bless",
        "fix",
        "write",
        "accept",
        "record",
        "regen",
        "overwrite",
        "golden",
        "approve",
        "snapshot=",
        "generate",
        "apply",
        "correct",
        "noqa",
    ];
    let text = arg.head().to_ascii_lowercase();
    matches!(&*text, "-u" | "-w" | "-wi" | "--init") || WORDS.iter().any(|word| text.contains(word))
}

/// Whether a task of a project is, by its name, one that builds, checks or tests.
fn is_build_task(task: &str) -> bool {
    const WORDS: &[&str] = &[
        "test",
        "tests",
        "build",
        "compile",
        "check",
        "lint",
        "typecheck",
        "types",
        "tsc",
        "type",
        "unit",
        "e2e",
        "integration",
        "bench",
        "ci",
        "verify",
        "coverage",
        "all",
        "debug",
        "vet",
        "clippy",
        "analyze",
        "assemble",
        "fast",
        "spec",
        "watch",
        "prod",
        "dev",
        "validate",
        "audit",
        "clean",
        "eslint",
        "vitest",
        "jest",
        "quick",
        "short",
        "race",
        "smoke",
    ];
    let is_one = |word: &str| WORDS.contains(&word);
    let mut words = task.split([':', '-', '_', '.', '/']).filter(|word| !word.is_empty()).peekable();
    words.peek().is_some() && words.all(is_one)
}

/// Variables that do not make a build tool write more than it does by itself.
fn is_harmless_variable(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "CARGO_TARGET_DIR",
        "CARGO_TERM_COLOR",
        "CARGO_INCREMENTAL",
        "CARGO_NET_OFFLINE",
        "RUSTFLAGS",
        "RUSTDOCFLAGS",
        "RUST_BACKTRACE",
        "RUST_LOG",
        "RUST_TEST_THREADS",
        "RUSTUP_TOOLCHAIN",
        "CI",
        "NODE_ENV",
        "NODE_OPTIONS",
        "NO_COLOR",
        "FORCE_COLOR",
        "TERM",
        "LANG",
        "LC_ALL",
        "TZ",
        "GOFLAGS",
        "GOOS",
        "GOARCH",
        "CGO_ENABLED",
        "GOTOOLCHAIN",
        "GOCACHE",
        "GOPATH",
        "GO111MODULE",
        "GOWORK",
        "GOMAXPROCS",
        "GOGC",
        "PYTHONPATH",
        "PYTHONDONTWRITEBYTECODE",
        "PATH",
        "HOME",
        "TMPDIR",
        "DEBUG",
        "CC",
        "CXX",
        "CFLAGS",
        "PAGER",
        "GIT_PAGER",
        "PROPTEST_CASES",
        "DATABASE_URL",
        "VERBOSE",
    ];
    NAMES.contains(&name)
}
