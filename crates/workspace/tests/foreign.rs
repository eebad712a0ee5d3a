//! Lines that went from one file to another, in a commit, since the last one, or in a buffer.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use serde_json::json;
use tempfile::TempDir;
use trace::Agent;
use workspace::{Case, Env, FileView, Index, Settings, Workspace};

const BLOCK: &str = "    let baskets = harvest(apples, 12);\n    carry(baskets, into_the_barn(7));\n    weigh(baskets, on_the_scales(99));\n";

/// A repository of `a.rs`, `b.rs` and `c.rs`; to `a.rs` the call `t0` put the block, and each of `also` has it, too.
struct World {
    repo: PathBuf,
    workspace: Workspace,
    _folder: TempDir,
}

fn git(folder: &Path, args: &[&str]) {
    let names = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
    let done = Command::new("git").current_dir(folder).args(names).args(args).output().unwrap();
    assert!(done.status.success(), "{args:?}");
}

fn around(name: &str, block: &str) -> String {
    format!("fn {name}() {{\n{block}}}\nfn rest_of_{name}() {{}}\n")
}

impl World {
    fn new(also: &[&str]) -> World {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        let (repo, logs) = (base.join("repo"), base.join("logs"));
        fs::create_dir_all(&repo).unwrap();
        fs::create_dir_all(&logs).unwrap();
        git(&repo, &["init", "-q"]);
        for name in ["a", "b", "c"] {
            let block = if name == "a" || also.contains(&name) { BLOCK } else { "" };
            fs::write(repo.join(name).with_extension("rs"), around(name, block)).unwrap();
        }
        let (path, before, after) = (repo.join("a.rs"), around("a", ""), around("a", BLOCK));
        let edited = json!({"filePath": path, "oldString": "fn a() {\n", "newString": format!("fn a() {{\n{BLOCK}"),
            "originalFile": before, "structuredPatch": []});
        assert!(after.starts_with(&format!("fn a() {{\n{BLOCK}")));
        let record = |kind: &str, content: serde_json::Value, result: serde_json::Value| {
            json!({"type": kind, "uuid": kind, "timestamp": "2026-01-01T10:00:00.000Z", "sessionId": "s", "cwd": repo,
                "version": "2.1.0", "message": {"role": kind, "content": content}, "toolUseResult": result})
            .to_string()
        };
        let call = json!([{"type": "tool_use", "id": "t0", "name": "Edit",
            "input": {"file_path": path, "old_string": "fn a() {\n", "new_string": format!("fn a() {{\n{BLOCK}")}}]);
        let done = json!([{"type": "tool_result", "tool_use_id": "t0", "content": "done"}]);
        let log = [record("assistant", call, json!(null)), record("user", done, edited)];
        fs::write(logs.join("s.jsonl"), log.join("\n") + "\n").unwrap();
        let env = Env { home: None, vars: Default::default(), extra: vec![(Agent::ClaudeCode, logs)] };
        let index = Arc::new(Index::new(env));
        index.refresh(&|_| {});
        let world = World { repo, workspace: Workspace::new(index, Settings::default()), _folder: folder };
        world.commit();
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.repo.join(name).with_extension("rs")
    }

    fn write(&self, name: &str, block: &str) {
        fs::write(self.path(name), around(name, block)).unwrap();
    }

    fn commit(&self) {
        git(&self.repo, &["add", "."]);
        git(&self.repo, &["commit", "-q", "-m", "x"]);
    }

    /// The calls of the lines of a file, `.` for nobody's.
    fn file(&self, name: &str) -> String {
        calls(&self.workspace.moment().file(&self.path(name)).unwrap())
    }

    fn buffer(&self, name: &str, block: &str) -> String {
        calls(&self.workspace.moment().open_file(&self.path(name), &around(name, block)))
    }
}

fn calls(view: &FileView) -> String {
    let call = |line: usize| view.step(line).map_or(".".to_owned(), |step| step.call.to_string());
    (0..view.blame.lines.len()).map(call).collect::<Vec<_>>().join(" ")
}

const FOUND: &str = ". t0 t0 t0 . .";
const NOBODYS: &str = ". . . . . .";

#[test]
fn moved_and_committed() {
    for to in ["b", "d"] {
        let world = World::new(&[]);
        world.write("a", "");
        world.write(to, BLOCK);
        assert_eq!(world.file(to), FOUND, "not committed, to {to}");
        world.commit();
        assert_eq!(world.file(to), FOUND, "committed, to {to}");
        let view = world.workspace.moment().file(&world.path(to)).unwrap();
        let stood = view.stood_elsewhere(2).unwrap();
        assert_eq!((&stood.path, stood.there, stood.commit.is_some()), (&world.path("a"), 2, true));
        // Others came later, and one was changed.
        world.write(to, &BLOCK.replace("weigh(", "try_to_weigh("));
        world.write("c", "    by_hand();\n");
        world.commit();
        assert_eq!(world.file(to), NOBODYS, "two lines are too few, in {to}");
    }
}

#[test]
fn copied_or_from_two_files() {
    // It stayed where it was.
    let world = World::new(&[]);
    world.write("b", BLOCK);
    world.commit();
    assert_eq!(world.file("b"), NOBODYS);
    // It went from there later.
    world.write("a", "");
    world.commit();
    assert_eq!(world.file("b"), NOBODYS);
    // Two files lost it.
    let world = World::new(&["c"]);
    world.write("a", "");
    world.write("c", "");
    world.write("b", BLOCK);
    assert_eq!(world.file("b"), NOBODYS);
    world.commit();
    assert_eq!(world.file("b"), NOBODYS);
}

#[test]
fn moved_into_a_buffer() {
    let world = World::new(&[]);
    world.workspace.buffers.opened(&world.path("b"), &around("b", ""));
    assert_eq!(world.buffer("b", BLOCK), NOBODYS);
    // Now it is cut from the other one, and that is saved.
    world.workspace.buffers.opened(&world.path("a"), &around("a", BLOCK));
    world.write("a", "");
    world.workspace.buffers.opened(&world.path("a"), &around("a", ""));
    assert_eq!(world.buffer("b", BLOCK), FOUND);
    // And put back, with another file saved by nobody here.
    world.write("a", BLOCK);
    assert_eq!(world.buffer("b", BLOCK), NOBODYS);
}

#[test]
fn a_case_of_two_files() {
    let world = World::new(&[]);
    world.write("a", "");
    world.write("b", BLOCK);
    for committed in [false, true] {
        if committed {
            world.commit();
        }
        let moment = world.workspace.moment();
        for (line, expected) in [(0, None), (2, Some("moved"))] {
            let case = moment.case(&world.path("b"), line).unwrap();
            assert_eq!(case.answer().map(|answer| &*answer.evidence), expected);
            let read = Case::from_json(&case.disguised().to_json()).unwrap();
            assert_eq!(read.replay().as_ref(), case.answer());
        }
    }
}
