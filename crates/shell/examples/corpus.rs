//! What the commands of real logs do: `cargo run -p shell --example corpus FOLDER…`
//!
//! Reads every `*.jsonl` below the folders, takes what was run in a shell, and prints which share of it only reads, is
//! told exactly, builds, or may do anything. With `--list CLASS` it prints the commands of a class.

#![allow(clippy::print_stdout, reason = "it is a tool that prints")]

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use shell::{Act, effects};

fn main() {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let listed = args.iter().position(|arg| arg == "--list").map(|at| args.drain(at..).nth(1).unwrap_or_default());
    let mut commands = Vec::new();
    args.iter().for_each(|folder| read_folder(Path::new(folder), &mut commands));
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut programs: BTreeMap<String, usize> = BTreeMap::new();
    let start = std::time::Instant::now();
    for command in &commands {
        let effects = effects(command);
        let mut class = "reads";
        for effect in &effects.acts {
            let this = match &effect.act {
                Act::Program { name, .. } => {
                    *programs.entry(name.clone()).or_default() += 1;
                    "program"
                }
                Act::Build { .. } => "build",
                Act::Git(_) => "git",
                Act::Format { .. } => "format",
                Act::Write { .. }
                | Act::Substitute { .. }
                | Act::Move { .. }
                | Act::Copy { .. }
                | Act::Remove { .. } => "told",
            };
            let rank = |class: &str| {
                ["reads", "build", "git", "format", "told", "program"].iter().position(|known| *known == class)
            };
            class = if rank(this) > rank(class) { this } else { class };
        }
        *classes.entry(class).or_default() += 1;
        if listed.as_deref() == Some(class) {
            println!("----\n{command}\n{:?}", effects.acts);
        }
    }
    let took = start.elapsed();
    let bytes: usize = commands.iter().map(String::len).sum();
    println!("{} commands, {bytes} bytes, {took:?}", commands.len());
    for (class, count) in classes {
        println!("{class:8} {count:6} {:5.1} %", 100.0 * count as f64 / commands.len().max(1) as f64);
    }
    let mut programs: Vec<(String, usize)> = programs.into_iter().collect();
    programs.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    println!("{:?}", programs.iter().take(60).collect::<Vec<_>>());
}

fn read_folder(path: &Path, commands: &mut Vec<String>) {
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            read_folder(&path, commands);
        } else if path.extension().is_some_and(|ending| ending == "jsonl") {
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_default()).into_owned();
            for line in text.lines().filter(|line| line.contains("command") || line.contains("\"cmd")) {
                if let Ok(value) = serde_json::from_str::<Value>(line) {
                    find_calls(&value, commands);
                }
            }
        }
    }
}

/// Calls of tools as Claude Code and Codex write them.
fn find_calls(value: &Value, commands: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            let is = |key: &str, wanted: &str| object.get(key).and_then(Value::as_str) == Some(wanted);
            if is("type", "tool_use") && is("name", "Bash") {
                commands.extend(value["input"]["command"].as_str().map(str::to_owned));
            }
            if is("type", "function_call")
                && let Some(Ok(input)) = value["arguments"].as_str().map(serde_json::from_str::<Value>)
            {
                commands.extend(["cmd", "command"].iter().filter_map(|key| input[*key].as_str()).map(str::to_owned));
            }
            object.values().for_each(|inner| find_calls(inner, commands));
        }
        Value::Array(values) => values.iter().for_each(|inner| find_calls(inner, commands)),
        _ => {}
    }
}
