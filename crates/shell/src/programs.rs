//! What builtins and programs do with their arguments.

use crate::act::Act;
use crate::escapes::{self, Style};
use crate::field::{Field, Folder, Piece};
use crate::run::{Output, Run};
use crate::script::Script;
use crate::{perl, sed};

/// Folders whose programs are those of the system or of a package, so that their names say what they are.
const BINS: &[&str] =
    &["/bin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin", "/usr/sbin", "/sbin", "/mingw64/bin"];
const PACKAGE_BINS: &[&str] = &["node_modules/.bin", ".venv/bin", "venv/bin", ".cargo/bin", "go/bin", ".local/bin"];

/// The name by which a program is known. `None`: a program of somebody's own.
fn known_name(name: &str) -> Option<&str> {
    // Made by the build tools themselves.
    if matches!(name, "./gradlew" | "./mvnw") {
        return name.strip_prefix("./");
    }
    let name = name.strip_suffix(".exe").unwrap_or(name);
    match name.rsplit_once('/') {
        None => Some(name),
        Some((folder, name)) if BINS.contains(&folder) || PACKAGE_BINS.iter().any(|bin| folder.ends_with(bin)) => {
            Some(name)
        }
        Some(_) => None,
    }
}

impl Run {
    pub(crate) fn builtin_or_program(&mut self, name: &str, args: &[Field], env: &[&str], input: &Output) -> Output {
        let Some(known) = known_name(name) else { return self.program(name, args) };
        if only_prints_itself(args) && !matches!(known, "echo" | "printf" | "eval" | "exec") {
            return Output::Unknown;
        }
        match known {
            "cd" | "pushd" | "popd" | "chdir" => self.cd(known, args),
            "pwd" if args.is_empty() => self.here(),
            "echo" => echo(args),
            "printf" => printf(args),
            "cat" => self.cat(args, input),
            "tee" => self.tee(args, input),
            "eval" => match literals(args) {
                Some(words) => self.text(&words.join(" "), input.clone()),
                None => self.program(known, args),
            },
            "exec" if args.is_empty() => Output::Unknown,
            "exec" => {
                let output = self.call(args, env, input);
                self.scope.doubtful = true;
                output
            }
            "exit" | "return" | "break" | "continue" | "logout" => {
                self.scope.doubtful = true;
                Output::nothing()
            }
            "set" => self.set(args),
            "export" | "local" | "declare" | "typeset" | "readonly" => self.declare(args),
            "read" => {
                args.iter().filter_map(Field::literal).for_each(|name| self.assign(name, Field::any()));
                Output::nothing()
            }
            "let" | "mapfile" | "readarray" | "getopts" | "unset" | "shift" => {
                self.forget_variables();
                Output::nothing()
            }
            // Its first argument is run later.
            "trap" => match args.first().map(Field::literal) {
                None | Some(Some("" | "-" | "-l" | "-p")) => Output::nothing(),
                Some(Some(text)) => {
                    let text = text.to_owned();
                    let doubtful = std::mem::replace(&mut self.scope.doubtful, true);
                    self.child(&text, Output::Unknown);
                    self.scope.doubtful = doubtful;
                    Output::nothing()
                }
                Some(None) => self.program(known, args),
            },
            "sudo" | "doas" | "env" | "command" | "builtin" | "nohup" | "time" | "nice" | "ionice" | "setsid"
            | "stdbuf" | "timeout" | "gtimeout" | "caffeinate" | "noglob" | "nocorrect" => {
                self.wrapped(known, args, env, input)
            }
            "xargs" => self.xargs(args, input),
            "find" | "gfind" => self.find(args),
            "bash" | "sh" | "zsh" | "dash" | "ash" | "ksh" => self.shell(known, args, input),
            "sed" | "gsed" => self.sed(known, args),
            "perl" => self.perl(known, args),
            "awk" | "gawk" | "mawk" | "nawk" => self.awk(known, args),
            "git" => self.git(args, env),
            "gh" => self.gh(args),
            "cp" | "mv" | "install" => self.copy_or_move(known, args),
            "rm" | "unlink" | "trash" => self.remove(known, args),
            "touch" => self.touch(args),
            "truncate" => self.truncate(known, args),
            "mktemp" => mktemp(args),
            "sort" | "base64" | "tree" | "less" | "scc" | "cloc" => self.unless(known, args, |arg| {
                short(arg, 'o')
                    || short(arg, 'O')
                    || ["--output", "--out", "--report-file", "--compress-program", "--log-file"]
                        .iter()
                        .any(|name| long(arg, name))
            }),
            "rg" => self.unless(known, args, |arg| long(arg, "--pre") || long(arg, "--hostname-bin")),
            "fd" | "fdfind" => self.unless(known, args, |arg| {
                short(arg, 'x') || short(arg, 'X') || long(arg, "--exec") || long(arg, "--exec-batch")
            }),
            "history" => self.unless(known, args, |arg| arg.is_option()),
            // With a second operand they write it.
            "uniq" => self.unless(known, args, |_| count_operands(args, &["-f", "-s", "-w"]) > 1),
            "xxd" => self.unless(known, args, |_| count_operands(args, &["-l", "-s", "-c", "-g", "-o", "-n"]) > 1),
            "curl" => self.curl(args),
            "yq" => self.unless(known, args, |arg| short(arg, 'i') || long(arg, "--inplace") || short(arg, 's')),
            "tar" | "bsdtar" => {
                let lists = args.first().is_some_and(|arg| {
                    let letters = arg.literal().unwrap_or_default().trim_start_matches('-');
                    letters.starts_with('t') && letters.chars().all(|c| "tvfzjJ".contains(c))
                });
                self.unless(known, args, |_| !lists)
            }
            "unzip" => {
                let lists = args
                    .first()
                    .is_some_and(|arg| matches!(arg.literal(), Some("-l" | "-v" | "-Z" | "-Z1" | "-p" | "-t")));
                self.unless(known, args, |_| !lists)
            }
            "gzip" | "gunzip" | "bzip2" | "xz" | "zstd" => {
                let streams = args
                    .iter()
                    .any(|arg| matches!(arg.literal(), Some("-c" | "-dc" | "-cd" | "-l" | "-t" | "--stdout")));
                self.unless(known, args, |_| !streams)
            }
            "alias" if args.is_empty() => Output::Unknown,
            "mkdir" | "rmdir" => Output::nothing(),
            "test" | "[" | "true" | "false" | ":" | "sleep" | "wait" | "kill" | "chmod" | "chown" | "chgrp"
            | "ulimit" | "umask" | "shopt" | "setopt" | "unsetopt" | "disown" | "hash" | "pkill" | "killall"
            | "stty" => Output::nothing(),
            // One name or word, and no option.
            "basename" | "dirname" | "realpath" | "readlink" | "which" | "whoami" | "uname" | "hostname" | "nproc" => {
                Output::Paths(vec![Field::any()])
            }
            "go" if matches!(args, [verb, name] if verb.is("env") && !name.is_option()) => {
                Output::Paths(vec![Field::any()])
            }
            "brew" if args.first().is_some_and(|arg| arg.is("--prefix")) => Output::Paths(vec![Field::any()]),
            _ => self.tool(known, args, env),
        }
    }

    /// A program that only reads unless an argument says otherwise, or may.
    pub(crate) fn unless(&mut self, name: &str, args: &[Field], writes: impl Fn(&Field) -> bool) -> Output {
        if args.iter().any(|arg| arg.loose || writes(arg)) { self.program(name, args) } else { Output::Unknown }
    }

    // ---- the shell's own

    fn cd(&mut self, name: &str, args: &[Field]) -> Output {
        let args: Vec<&Field> =
            args.iter().filter(|arg| !["-P", "-L", "--", "-q"].iter().any(|option| arg.is(option))).collect();
        let to = match &*args {
            [] if name == "cd" => Folder::Known("~".into()),
            [to] if to.is("-") => self.scope.before.clone(),
            [to] if !to.loose && name != "popd" && !to.head().starts_with(['-', '+']) => to.folder(&self.scope.folder),
            _ => Folder::Unknown,
        };
        self.change_folder(to);
        Output::nothing()
    }

    fn set(&mut self, args: &[Field]) -> Output {
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let Some(text) = arg.literal().filter(|text| text.starts_with(['-', '+'])) else { break };
            let is_on = text.starts_with('-');
            if text.contains('e') {
                self.scope.stops_on_error = is_on;
            }
            if text.contains('o') {
                match args.next().and_then(Field::literal) {
                    Some("errexit") => self.scope.stops_on_error = is_on,
                    Some("pipefail") => self.scope.checks_pipes = is_on,
                    _ => {}
                }
            }
        }
        Output::nothing()
    }

    fn declare(&mut self, args: &[Field]) -> Output {
        for arg in args {
            let mut pieces = arg.pieces.clone();
            let Some(Piece::Text(first)) = pieces.first_mut() else {
                self.forget_variables();
                continue;
            };
            let Some((name, rest)) = first.split_once('=') else { continue };
            let (name, rest) = (name.to_owned(), rest.to_owned());
            match rest.strip_prefix("~/") {
                Some(below) => {
                    *first = format!("/{below}");
                    pieces.insert(0, Piece::Home);
                }
                None => *first = rest,
            }
            self.assign(
                name.trim_end_matches('+'),
                match name.ends_with('+') {
                    true => Field::any(),
                    false => Field { pieces, loose: false },
                },
            );
        }
        Output::nothing()
    }

    // ---- what prints

    fn cat(&mut self, args: &[Field], input: &Output) -> Output {
        let reads_input = args.is_empty() || matches!(args, [only] if only.is("-"));
        if reads_input { input.clone() } else { Output::Unknown }
    }

    fn tee(&mut self, args: &[Field], input: &Output) -> Output {
        let append = args.iter().any(|arg| short(arg, 'a') || long(arg, "--append"));
        for arg in operands_of(args) {
            if arg.head().starts_with("/dev/") {
                continue;
            }
            let (target, text) = (self.target(arg), input.text().map(str::to_owned));
            self.act(Act::Write { target, text, append });
        }
        input.clone()
    }

    // ---- programs that run others

    fn wrapped(&mut self, name: &str, args: &[Field], env: &[&str], input: &Output) -> Output {
        let (with_value, without): (&[&str], &[&str]) = match name {
            "sudo" => (
                &["-u", "-g", "-h", "-p", "-C", "-T", "-U"],
                &["-E", "-H", "-n", "-S", "-k", "-b", "-A", "--preserve-env"],
            ),
            "doas" => (&["-u", "-C"], &["-n"]),
            "env" => (&["-u", "--unset"], &["-i", "-", "--ignore-environment"]),
            "command" => (&[], &["-p"]),
            "time" => (&["-f"], &["-p", "-v", "-l"]),
            "nice" => (&["-n"], &[]),
            "ionice" => (&["-c", "-n"], &["-t"]),
            "stdbuf" => (&["-i", "-o", "-e"], &[]),
            "timeout" | "gtimeout" => {
                (&["-s", "-k", "--signal", "--kill-after"], &["--preserve-status", "--foreground", "-v"])
            }
            "setsid" => (&[], &["-w", "-f", "--wait", "--fork"]),
            "caffeinate" => (&["-t", "-w"], &["-i", "-d", "-m", "-s", "-u"]),
            _ => (&[], &[]),
        };
        let mut rest = args;
        while let Some((arg, after)) = rest.split_first() {
            if !arg.is_option() && !arg.is("-") {
                break;
            }
            let Some(text) = arg.literal() else { return self.program(name, args) };
            rest = after;
            let has_its_value =
                || with_value.iter().any(|option| text.starts_with(option) && text.len() > option.len());
            let is_number = || name == "nice" && text[1..].bytes().all(|b| b.is_ascii_digit());
            if text == "--" {
                break;
            }
            if name == "command" && matches!(text, "-v" | "-V") {
                return Output::Unknown;
            }
            if with_value.contains(&text) {
                rest = rest.get(1..).unwrap_or_default();
            } else if !without.contains(&text) && !has_its_value() && !is_number() {
                return self.program(name, args);
            }
        }
        if matches!(name, "timeout" | "gtimeout") {
            rest = rest.get(1..).unwrap_or_default();
        }
        let mut names = env.to_vec();
        if matches!(name, "env" | "sudo") {
            while let Some((arg, after)) = rest.split_first() {
                let Some((variable, _)) = arg.head().split_once('=') else { break };
                names.push(variable);
                rest = after;
            }
        }
        match name {
            "env" | "time" if rest.is_empty() => Output::Unknown,
            _ => self.call(rest, &names, input),
        }
    }

    fn xargs(&mut self, args: &[Field], input: &Output) -> Output {
        let mut placeholder: Option<String> = None;
        let mut rest = args;
        while let Some((arg, after)) = rest.split_first() {
            if !arg.is_option() {
                break;
            }
            let Some(text) = arg.literal() else { return self.program("xargs", args) };
            rest = after;
            match text {
                "-I" | "-J" => {
                    placeholder = rest.first().and_then(Field::literal).map(str::to_owned);
                    rest = rest.get(1..).unwrap_or_default();
                }
                "-n" | "-P" | "-L" | "-d" | "-s" | "-E" | "--max-args" | "--max-procs" | "--delimiter"
                | "--max-lines" => {
                    rest = rest.get(1..).unwrap_or_default();
                }
                "-0" | "-r" | "-t" | "-x" | "-o" | "-0r" | "-r0" | "--null" | "--no-run-if-empty" | "--verbose" => {}
                "-i" => placeholder = Some("{}".into()),
                _ if text.starts_with("-I") => placeholder = Some(text[2..].to_owned()),
                _ if text[1..].starts_with(['n', 'P', 'L', 'd']) => {}
                _ if text.starts_with("--max-") || text.starts_with("--delimiter=") => {}
                _ if text[1..].starts_with('0') && text[2..].starts_with(['n', 'P', 'I']) => {
                    if text.contains('I') || text.len() == 3 {
                        return self.program("xargs", args);
                    }
                }
                _ => return self.program("xargs", args),
            }
        }
        if rest.is_empty() {
            return Output::Unknown;
        }
        let given = match input {
            Output::Paths(paths) => paths.clone(),
            Output::Text(text) => self.split_text(text),
            Output::Unknown => vec![Field::any()],
        };
        let fields: Vec<Field> = match &placeholder {
            None => rest.iter().cloned().chain(given).collect(),
            Some(mark) => rest.iter().flat_map(|field| replaced(field, mark, &given)).collect(),
        };
        self.subshell(|run| run.possible(|run| run.call(&fields, &[], &Output::Unknown)))
    }

    fn shell(&mut self, name: &str, args: &[Field], input: &Output) -> Output {
        let mut args_left = args.iter();
        while let Some(arg) = args_left.next() {
            let Some(text) = arg.literal() else { return self.program(name, args) };
            match text {
                "-s" | "-" => break,
                _ if text.starts_with(['-', '+']) && text.ends_with('o') && !text.starts_with("--") => {
                    args_left.next();
                }
                _ if text.starts_with("--") && !matches!(text, "--login" | "--norc" | "--noprofile" | "--posix") => {
                    return if matches!(text, "--version" | "--help") {
                        Output::Unknown
                    } else {
                        self.program(name, args)
                    };
                }
                _ if text.starts_with("--") => {}
                // Only checks a script.
                "-n" => return Output::Unknown,
                _ if text.starts_with('-') && text.contains('c') => {
                    return match args_left.next().and_then(Field::literal) {
                        Some(script) => {
                            let script = script.to_owned();
                            self.child(&script, input.clone())
                        }
                        None => self.program(name, args),
                    };
                }
                _ if text.starts_with(['-', '+']) => {}
                _ => return self.program(name, args),
            }
        }
        match input.text() {
            Some(text) => {
                let text = text.to_owned();
                self.child(&text, Output::Unknown)
            }
            None => self.program(name, args),
        }
    }

    fn find(&mut self, args: &[Field]) -> Output {
        if args.iter().any(|arg| arg.loose || arg.is("-f") || arg.is("-D")) {
            return self.program("find", args);
        }
        let is_option = |arg: &Field| {
            matches!(arg.literal(), Some("-H" | "-L" | "-P" | "-E" | "-X" | "-s" | "-x" | "-d"))
                || arg.head().starts_with("-O")
        };
        let is_start = |arg: &&Field| !arg.head().starts_with(['-', '(', '!']) || is_option(arg);
        let roots: Vec<&Field> = args.iter().take_while(is_start).filter(|arg| !arg.is_option()).collect();
        let tests = args.get(args.iter().take_while(is_start).count()..).unwrap_or_default();
        let found = found(&roots, tests);
        let mut rest = tests;
        while let Some((arg, after)) = rest.split_first() {
            rest = after;
            match arg.literal().unwrap_or_default() {
                "-delete" => {
                    let targets = self.targets(&found);
                    self.act(Act::Remove { targets, recursive: false });
                }
                "-fprint" | "-fprint0" | "-fls" | "-fprintf" => {
                    if let Some((file, after)) = rest.split_first() {
                        let target = self.target(file);
                        self.act(Act::Write { target, text: None, append: false });
                        rest = after;
                    }
                }
                "-exec" | "-ok" => {
                    let end = rest.iter().position(|arg| arg.is(";") || arg.is("+")).unwrap_or(rest.len());
                    let fields: Vec<Field> =
                        rest[..end].iter().flat_map(|field| replaced(field, "{}", &found)).collect();
                    self.subshell(|run| run.possible(|run| run.call(&fields, &[], &Output::Unknown)));
                    rest = rest.get(end + 1..).unwrap_or_default();
                }
                "-execdir" | "-okdir" => drop(self.program("find", args)),
                _ => {}
            }
        }
        // What it prints are names only as long as it prints nothing else.
        let prints_names = !tests.iter().any(|arg| ["-exec", "-printf", "-ls", "-execdir"].contains(&arg.head()));
        if prints_names { Output::Paths(found) } else { Output::Unknown }
    }

    // ---- editors of streams

    fn sed(&mut self, name: &str, args: &[Field]) -> Output {
        let Some(call) = sed::read(args) else { return self.program(name, args) };
        if call.script.writes_elsewhere() {
            return self.program(name, args);
        }
        let Some(suffix) = &call.in_place else { return Output::Unknown };
        if !suffix.is_empty() {
            for file in &call.files {
                let (from, to) = (vec![self.target(file)], self.target(&backup_name(file, suffix)));
                self.act(Act::Copy { from, to });
            }
        }
        let targets = self.targets(&call.files);
        self.act(Act::Substitute { targets, script: Script::of_sed(call.script) });
        Output::Unknown
    }

    fn perl(&mut self, name: &str, args: &[Field]) -> Output {
        let Some(call) = perl::read(args) else { return self.program(name, args) };
        if !call.suffix.is_empty() {
            for file in &call.files {
                let (from, to) = (vec![self.target(file)], self.target(&backup_name(file, &call.suffix)));
                self.act(Act::Copy { from, to });
            }
        }
        let targets = self.targets(&call.files);
        self.act(Act::Substitute { targets, script: call.script });
        Output::nothing()
    }

    /// A program text without `>`, `|` and calls of others writes nothing.
    fn awk(&mut self, name: &str, args: &[Field]) -> Output {
        let mut rest = args.iter();
        let mut program = None;
        while let Some(arg) = rest.next() {
            if arg.loose {
                return self.program(name, args);
            }
            match arg.literal() {
                Some("-F" | "-v") => {
                    rest.next();
                }
                Some("--") => {}
                Some(text)
                    if text.starts_with("-F") || text.starts_with("-v") || text.starts_with("--field-separator=") => {}
                Some(text) if text.starts_with('-') => return self.program(name, args),
                other => {
                    program = other;
                    break;
                }
            }
        }
        let Some(program) = program else { return self.program(name, args) };
        let program = program.replace("||", "");
        // Before anything is printed, `>` compares.
        let prints = program.find("print").map_or("", |at| &program[at..]);
        let may_write = prints.contains('>') || program.contains(['|', '@']) || program.contains("system");
        if may_write { self.program(name, args) } else { Output::Unknown }
    }

    // ---- files as a whole

    fn copy_or_move(&mut self, name: &str, args: &[Field]) -> Output {
        if args.iter().any(|arg| arg.loose) {
            return self.program(name, args);
        }
        let mut operands = Vec::new();
        let mut into = None;
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            if !arg.is_option() {
                operands.push(arg);
                continue;
            }
            let Some(text) = arg.literal() else { return self.program(name, args) };
            match text {
                "--" => operands.extend(rest.by_ref()),
                "-t" | "--target-directory" => into = rest.next(),
                "-m" | "-o" | "-g" if name == "install" => {
                    rest.next();
                }
                "-S" | "--suffix" => return self.program(name, args),
                // A backup is one more file; `-d` of install makes folders alone.
                _ if text.starts_with("--backup") || text.starts_with("--target-directory=") => {
                    return self.program(name, args);
                }
                _ if !text.starts_with("--") && text.contains(['b', 't', 'S']) => return self.program(name, args),
                _ if name == "install" && text.contains('d') => return Output::nothing(),
                _ => {}
            }
        }
        let to = match into {
            Some(into) => into,
            None => match operands.pop() {
                Some(to) => to,
                None => return Output::nothing(),
            },
        };
        if operands.is_empty() {
            return Output::nothing();
        }
        let (from, to) = (self.targets(operands), self.target(to));
        self.act(if name == "mv" { Act::Move { from, to } } else { Act::Copy { from, to } });
        Output::nothing()
    }

    fn remove(&mut self, name: &str, args: &[Field]) -> Output {
        if args.iter().any(|arg| arg.loose) {
            return self.program(name, args);
        }
        let recursive = args.iter().any(|arg| short(arg, 'r') || short(arg, 'R') || long(arg, "--recursive"));
        let targets = self.targets(operands_of(args));
        if !targets.is_empty() {
            self.act(Act::Remove { targets, recursive: recursive || name == "trash" });
        }
        Output::nothing()
    }

    /// Makes what is missing and leaves what is there.
    fn touch(&mut self, args: &[Field]) -> Output {
        if args.iter().any(|arg| arg.loose) {
            return self.program("touch", args);
        }
        // The value of an option is taken for a file, too: that does no harm.
        for arg in operands_of(args) {
            let target = self.target(arg);
            self.act(Act::Write { target, text: Some(String::new()), append: true });
        }
        Output::nothing()
    }

    fn truncate(&mut self, name: &str, args: &[Field]) -> Output {
        match args {
            [option, size, files @ ..]
                if option.is("-s") && size.is("0") && !files.iter().any(|file| file.is_option() || file.loose) =>
            {
                for file in files {
                    let target = self.target(file);
                    self.act(Act::Write { target, text: Some(String::new()), append: false });
                }
                Output::nothing()
            }
            _ => self.program(name, args),
        }
    }

    fn curl(&mut self, args: &[Field]) -> Output {
        const HARMLESS: &str = "sSfLkIivgGN#0123456789";
        const WITH_VALUE: &str = "XHdAeubmxTrFEowyYzD";
        const LONG: &[&str] = &[
            "--silent",
            "--show-error",
            "--fail",
            "--location",
            "--head",
            "--include",
            "--verbose",
            "--insecure",
            "--request",
            "--header",
            "--data",
            "--data-raw",
            "--data-binary",
            "--data-urlencode",
            "--user",
            "--user-agent",
            "--max-time",
            "--connect-timeout",
            "--retry",
            "--compressed",
            "--json",
            "--get",
            "--write-out",
            "--form",
            "--fail-with-body",
            "--http1.1",
            "--http2",
            "--no-progress-meter",
            "--url",
            "--version",
            "--help",
            "--retry-delay",
            "--no-buffer",
        ];
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            let text = arg.head();
            let is_safe = if arg.loose {
                false
            } else if text.starts_with("--") {
                LONG.contains(&text.split('=').next().unwrap_or_default())
            } else if let Some(letters) = text.strip_prefix('-') {
                let plain = letters.find(|c| !HARMLESS.contains(c)).unwrap_or(letters.len());
                let (option, value) =
                    letters[plain..].split_at(letters[plain..].chars().next().map_or(0, char::len_utf8));
                let value = if value.is_empty() && !option.is_empty() { rest.next() } else { None };
                match option {
                    "o" | "D" => value.is_some_and(|value| value.is("/dev/null") || value.is("-")),
                    "w" => !value.is_some_and(|value| value.head().contains("%output")),
                    option => WITH_VALUE.contains(option),
                }
            } else {
                true
            };
            if !is_safe {
                return self.program("curl", args);
            }
        }
        Output::Unknown
    }

    fn gh(&mut self, args: &[Field]) -> Output {
        const NOUNS: &[&str] = &[
            "pr",
            "issue",
            "run",
            "release",
            "repo",
            "workflow",
            "api",
            "auth",
            "search",
            "label",
            "gist",
            "status",
            "secret",
            "variable",
            "cache",
            "project",
            "ruleset",
            "org",
            "alias",
            "config",
            "extension",
        ];
        const READS: &[&str] = &[
            "view",
            "list",
            "status",
            "diff",
            "checks",
            "create",
            "edit",
            "comment",
            "close",
            "reopen",
            "review",
            "ready",
            "watch",
            "rerun",
            "cancel",
            "delete",
            "run",
            "enable",
            "disable",
            "set",
            "code",
            "issues",
            "prs",
            "repos",
            "commits",
            "item-list",
            "token",
            "get",
            "lock",
            "unlock",
            "pin",
        ];
        let mut words = args.iter().filter(|arg| !arg.is_option()).map(|arg| arg.literal().unwrap_or_default());
        let (noun, verb) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let is_known = match (noun, verb) {
            ("api" | "status" | "search" | "", _) => true,
            ("repo", "create" | "set-default") | ("gist", "clone") | ("extension", _) => false,
            ("pr" | "issue" | "run" | "release" | "repo" | "workflow" | "label" | "gist", verb) => {
                READS.contains(&verb)
            }
            ("secret" | "variable" | "cache" | "project" | "ruleset" | "org" | "auth", _) => true,
            _ => false,
        };
        let is_safe = is_known && NOUNS.contains(&noun) && !args.iter().any(|arg| arg.loose);
        if is_safe { Output::Unknown } else { self.program("gh", args) }
    }

    /// Runs something of which nobody knows whether it is run at all.
    fn possible<T>(&mut self, run: impl FnOnce(&mut Run) -> T) -> T {
        let doubtful = std::mem::replace(&mut self.scope.doubtful, true);
        let result = run(self);
        self.scope.doubtful = doubtful;
        result
    }
}

/// `--version`, `--help`: a program that is asked for nothing else.
fn only_prints_itself(args: &[Field]) -> bool {
    matches!(args, [only] if matches!(only.literal(), Some("--version" | "--help" | "-V")))
}

/// The arguments that are no options: behind `--` all.
pub(crate) fn operands_of(args: &[Field]) -> impl Iterator<Item = &Field> {
    let mut is_over = false;
    args.iter().filter(move |arg| {
        let ends = !is_over && arg.is("--");
        is_over |= ends;
        !ends && (is_over || !arg.is_option())
    })
}

/// How many arguments are no options and no values of these options.
fn count_operands(args: &[Field], with_value: &[&str]) -> usize {
    let mut is_value = false;
    let mut count = 0;
    for arg in args {
        let is_operand = !is_value && !arg.is_option();
        is_value = !is_value && with_value.iter().any(|option| arg.is(option));
        count += usize::from(is_operand);
    }
    count
}

/// Whether it holds this letter as a short option, alone or among others.
pub(crate) fn short(arg: &Field, letter: char) -> bool {
    let text = arg.head();
    text.len() > 1 && text.starts_with('-') && !text.starts_with("--") && text.contains(letter)
}

/// `--name`, `--name=value`
pub(crate) fn long(arg: &Field, name: &str) -> bool {
    arg.head().strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}

pub(crate) fn literals(args: &[Field]) -> Option<Vec<&str>> {
    args.iter().map(|arg| arg.literal().filter(|_| !arg.loose)).collect()
}

fn echo(args: &[Field]) -> Output {
    let (mut newline, mut escapes, mut from) = (true, None, 0);
    for arg in args {
        let Some(letters) = arg.literal().and_then(|text| text.strip_prefix('-')) else { break };
        if letters.is_empty() || !letters.chars().all(|c| "neE".contains(c)) {
            break;
        }
        from += 1;
        newline &= !letters.contains('n');
        match letters.chars().rfind(|c| "eE".contains(*c)) {
            Some('e') => escapes = Some(true),
            Some(_) => escapes = Some(false),
            None => {}
        }
    }
    let Some(words) = literals(args.get(from..).unwrap_or_default()) else { return Output::Unknown };
    let mut text = words.join(" ");
    if text.contains('\\') {
        text = match escapes {
            Some(true) => match escapes::decode(&text, Style::Echo) {
                Some(text) => text,
                None => return Output::Unknown,
            },
            Some(false) => text,
            // bash prints the backslash, zsh and dash read the escape.
            None => return Output::Unknown,
        };
    }
    if newline {
        text.push('\n');
    }
    Output::Text(text)
}

fn printf(args: &[Field]) -> Output {
    let args = match args {
        [dashes, rest @ ..] if dashes.is("--") => rest,
        args => args,
    };
    let text = literals(args).and_then(|words| {
        let (format, args) = words.split_first()?;
        if format.starts_with('-') { None } else { escapes::printf(format, args) }
    });
    text.map_or(Output::Unknown, Output::Text)
}

/// A file that was not there before, in a folder for such files or with a name that begins as told.
fn mktemp(args: &[Field]) -> Output {
    let operands: Vec<&Field> = args.iter().filter(|arg| !arg.is_option()).collect();
    let is_in_temp = args.iter().any(|arg| short(arg, 't')) || operands.is_empty();
    if args.iter().any(|arg| arg.loose || short(arg, 'p') || long(arg, "--tmpdir")) {
        return Output::Unknown;
    }
    let field = match &*operands {
        _ if is_in_temp => Field::glob("/tmp/", "**"),
        [name] => match name.literal() {
            Some(name) => Field::glob(name.split("XXX").next().unwrap_or_default(), "*"),
            None => return Output::Unknown,
        },
        _ => return Output::Unknown,
    };
    Output::Paths(vec![field])
}

/// Whether a name has an ending.
fn looks_like_file(name: &str) -> bool {
    name.contains('/') || name.rsplit_once('.').is_some_and(|(stem, _)| !stem.is_empty())
}

/// What `find` finds below these folders.
fn found(roots: &[&Field], tests: &[Field]) -> Vec<Field> {
    // A root that is a file is found itself.
    let is_folder = |root: &&Field| {
        root.literal().is_some_and(|root| !looks_like_file(root.rsplit('/').next().unwrap_or_default()))
    };
    let is_simple = roots.iter().all(is_folder)
        && !tests.iter().any(|test| matches!(test.literal(), Some("-o" | "-or" | "!" | "-not" | "(" | ",")));
    let name = tests.windows(2).find(|pair| pair[0].is("-name")).and_then(|pair| pair[1].literal());
    let pattern = match name.filter(|name| is_simple && !name.contains(['[', '\\', '/'])) {
        Some(name) => format!("**/{name}"),
        None => "**".to_owned(),
    };
    let below = |root: &Field| {
        let mut field = root.clone();
        field.push_text("/");
        field.push(Piece::Glob(pattern.clone()));
        field
    };
    if roots.is_empty() { vec![below(&Field::text("."))] } else { roots.iter().map(|root| below(root)).collect() }
}

/// An argument with what stands for its placeholder.
fn replaced(field: &Field, mark: &str, by: &[Field]) -> Vec<Field> {
    if field.is(mark) {
        return by.to_vec();
    }
    let holds = |piece: &Piece| matches!(piece, Piece::Text(text) if text.contains(mark));
    if mark.is_empty() || !field.pieces.iter().any(holds) {
        return vec![field.clone()];
    }
    let mut result = Field { pieces: Vec::new(), loose: field.loose };
    for piece in &field.pieces {
        let Piece::Text(text) = piece else {
            result.push(piece.clone());
            continue;
        };
        for (n, part) in text.split(mark).enumerate() {
            if n > 0 {
                result.push(Piece::Any);
            }
            result.push_text(part);
        }
    }
    vec![result]
}

/// The file in which `-i.bak` keeps what was there.
fn backup_name(file: &Field, suffix: &str) -> Field {
    let mut backup = file.clone();
    if suffix.contains(['*', '/']) {
        return Field::any();
    }
    backup.push_text(suffix);
    backup
}
