//! Random command lines, run by bash in a folder of their own: every file that changed must have been told.
//!
//! It runs what a generator makes up, so it only runs when it is asked to, best where there is nothing to lose:
//! `cargo test -p shell --test against_bash -- --ignored`. It is skipped where there is no bash.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use shell::{Act, Sure, effects, touches};
use trace::Touches;

const FILES: [&str; 5] = ["a", "b.txt", "sub/a", "sub/c.txt", "sub/deep/d"];

fn bash() -> Option<Command> {
    let is_there = Command::new("bash").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    is_there.is_ok_and(|status| status.success()).then(|| Command::new("bash"))
}

/// All files below the folder with their texts.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else {
                found.insert(path.to_string_lossy().into_owned(), fs::read(&path).unwrap_or_default());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, &mut found);
    found
}

/// Runs the command and holds what happened against what is told. `false`: there is no bash.
fn check(command: &str) -> Result<bool, String> {
    let Some(mut bash) = bash() else { return Ok(false) };
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let root = folder.path().canonicalize().map_err(|error| error.to_string())?;
    fs::create_dir_all(root.join("sub/deep")).map_err(|error| error.to_string())?;
    for file in FILES {
        fs::write(root.join(file), format!("one a\ntwo {file}\n")).map_err(|error| error.to_string())?;
    }
    let before = files(&root);
    // No process may be started without end, no file may grow without end.
    let limited = format!("ulimit -f 100 -t 2 -u 4000\n{command}");
    // Nothing outside of the folder can be named: every variable that stands before a `/` has a value, and there is no
    // folder to go back to (`cd -`).
    let path = std::env::var_os("PATH").unwrap_or_default();
    let run = bash.args(["--norc", "-c", &limited]).current_dir(&root);
    let run = run.env_clear().env("PATH", path).env("HOME", root.join("home")).env("D", root.join("sub"));
    let status = run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let status = status.map_err(|error| error.to_string())?;
    let after = files(&root);
    let told = Touches { cwd: Some(root.to_string_lossy().into()), list: touches(command).into() };
    for path in before.keys().chain(after.keys()) {
        if before.get(path) != after.get(path) && told.of(path).next().is_none() {
            return Err(format!("{command}\nchanged {path}, told {:?}", told.list));
        }
    }
    let acts = effects(command).acts;
    if let [effect] = &*acts
        && let Act::Write { target: trace::Target::Path(path), text: Some(text), append: false } = &effect.act
        && effect.sure == Sure::Done
        && status.success()
    {
        let path = root.join(&**path);
        let found = after.get(&*path.to_string_lossy());
        if found.map(Vec::as_slice) != Some(text.as_bytes()) {
            return Err(format!(
                "{command}\ntold {text:?}, wrote {:?}",
                found.map(|text| String::from_utf8_lossy(text))
            ));
        }
    }
    Ok(true)
}

/// Names of files and folders as arguments.
fn name() -> impl Strategy<Value = String> {
    const NAMES: &[&str] = &[
        "a",
        "b.txt",
        "sub/a",
        "sub/c.txt",
        "sub",
        "sub/deep",
        "new",
        "sub/new",
        "*.txt",
        "s*/a",
        "?",
        "[ab]",
        "{a,b.txt}",
        "'a'",
        "\"b.txt\"",
        "$F",
        "\"$F\"",
        "${F}",
        "./a",
        "sub/../a",
        "n{1,2}",
        "\"$D/a\"",
        "$D/new",
        "$PWD/a",
        "\"$(echo a)\"",
        "`echo sub/a`",
        "$U",
        "x$U",
        "~/h",
        "${U:-a}",
        "$'a'",
        "a\\ b",
        "'a b'",
        "$G",
        "{new,x}{1,2}",
        "-- a",
    ];
    proptest::sample::select(NAMES).prop_map(str::to_owned)
}

/// One simple command.
fn simple() -> impl Strategy<Value = String> {
    let texts =
        proptest::sample::select(&["x", "'a b'", "\"$F\"", "-n y", "-e 'p\\tq'", "$U", "\"$(cat a)\"", "$((1+1))"][..]);
    prop_oneof![
        3 => (texts, proptest::sample::select(&[">", ">>", ">|", "&>", "2>", "1>", "> zz >"][..]), name())
            .prop_map(|(text, sign, to)| format!("echo {text} {sign} {to}")),
        2 => (name(), name()).prop_map(|(from, to)| format!("cp {from} {to}")),
        2 => (name(), name()).prop_map(|(from, to)| format!("mv {from} {to}")),
        2 => name().prop_map(|name| format!("rm -f {name}")),
        1 => name().prop_map(|name| format!("rm -r {name}")),
        1 => name().prop_map(|name| format!("touch {name}")),
        2 => name().prop_map(|name| format!("sed -i 's/a/b/' {name}")),
        1 => name().prop_map(|name| format!("sed -i.bak -e 1d {name}")),
        1 => name().prop_map(|name| format!("sed -n 'w out' {name}")),
        1 => name().prop_map(|name| format!("cat {name} | tee t1 -a t2")),
        1 => name().prop_map(|name| format!("tee {name} <<< words")),
        2 => name().prop_map(|name| format!("cd {name}")),
        1 => Just("cd -".to_owned()),
        1 => name().prop_map(|name| format!("F={name}")),
        1 => proptest::sample::select(&["F=sub/a", "D=sub", "D=$PWD/sub", "G='a b.txt'", "U=b.txt", "export D=sub/deep", "unset F", "read -r F < a", "set -e", "exit 1", "false", "true", "shopt -s nullglob"][..]).prop_map(str::to_owned),
        1 => name().prop_map(|name| format!("find {name} -name '*.txt' -delete")),
        1 => name().prop_map(|name| format!("find {name} -type f -exec sed -i 's/o/0/' {{}} +")),
        1 => name().prop_map(|name| format!("find . -type f | xargs cp -t {name}")),
        1 => name().prop_map(|name| format!("ls | xargs -I{{}} cp a {name}{{}}")),
        1 => name().prop_map(|name| format!("sort -o {name} a")),
        1 => name().prop_map(|name| format!("bash -c 'cd sub; echo x > {}'", name.replace('\'', ""))),
        1 => name().prop_map(|name| format!("cat > {name} <<'EOF'\nit's $F\nEOF\n")),
        1 => name().prop_map(|name| format!("cat <<EOF >> {name}\n$F $(touch made)\nEOF\n")),
        1 => name().prop_map(|name| format!("X=$(echo q > {name}) true")),
        1 => name().prop_map(|name| format!("f() {{ rm -f \"$1\"; F=sub/a; }}; f {name}")),
        1 => name().prop_map(|name| format!("eval \"echo e > {}\"", name.replace('"', ""))),
        1 => name().prop_map(|name| format!("cat < <(tee {name} < a)")),
        1 => name().prop_map(|name| format!("awk '{{print > \"w\"}}' {name}")),
        1 => name().prop_map(|name| format!("truncate -s 0 {name}; dd if=a of={name}")),
        1 => name().prop_map(|name| format!("perl -pi -e 's/o/0/' {name}")),
    ]
}

fn command() -> impl Strategy<Value = String> {
    let joints = proptest::sample::select(&[" && ", " || ", "; ", "\n", " | ", " & "][..]);
    simple().prop_recursive(3, 12, 4, move |inner| {
        prop_oneof![
            4 => (proptest::collection::vec((inner.clone(), joints.clone()), 1..4), inner.clone())
                .prop_map(|(parts, last)| parts.into_iter().map(|(part, joint)| join(part, joint)).collect::<String>() + &last),
            1 => inner.clone().prop_map(|inner| format!("( {inner}\n)")),
            1 => inner.clone().prop_map(|inner| format!("{{ {inner}\n}}")),
            1 => inner.clone().prop_map(|inner| format!("{{ {inner}\n}} > grouped")),
            1 => (inner.clone(), inner.clone()).prop_map(|(one, two)| format!("if {one}\nthen {two}\nelse {two}\nfi")),
            1 => (inner.clone(), proptest::collection::vec(name(), 1..3)).prop_map(|(inner, names)| format!("for F in {}; do {inner}\ndone", names.join(" "))),
            1 => inner.clone().prop_map(|inner| format!("i=0; while [ $i -lt 2 ]; do i=$((i+1)); {inner}\necho w > w$i; done")),
            1 => inner.clone().prop_map(|inner| format!("case $F in a*) {inner}\n;; *) echo c > cased ;; esac")),
            1 => inner.clone().prop_map(|inner| format!("echo \"$({inner}\n)\" > captured")),
            1 => inner.prop_map(|inner| format!("! {inner}")),
        ]
    })
}

/// A here-document ends on a line of its own: what joins follows on the next.
fn join(part: String, joint: &str) -> String {
    if part.ends_with('\n') { part } else { part + joint }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    #[ignore = "runs random commands in a temporary folder"]
    fn every_changed_file_is_told(command in command()) {
        check(&command).map_err(TestCaseError::fail)?;
    }
}
