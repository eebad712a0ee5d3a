//! Commands and what they do. A new case is one call of `check`.

mod git;
mod hostile;
mod programs;
mod scripts;
mod syntax;

use expect_test::Expect;
use trace::Target;

use crate::{Act, Effects, Sure, effects};

/// Each act on a line: `=` done, `~` tried, `?` maybe; what; which files; the text behind it.
fn check(command: &str, expect: Expect) {
    expect.assert_eq(&show(&effects(command)));
}

fn show(effects: &Effects) -> String {
    if effects.only_reads() {
        return "reads".into();
    }
    let mut lines: Vec<String> = Vec::new();
    for effect in &effects.acts {
        let sign = match effect.sure {
            Sure::Done => '=',
            Sure::Tried => '~',
            Sure::Maybe => '?',
        };
        lines.push(format!("{sign} {}", show_act(&effect.act)));
    }
    if effects.unchecked_cd {
        lines.push("cd unchecked".into());
    }
    lines.join("\n")
}

fn show_act(act: &Act) -> String {
    match act {
        Act::Write { target, text, append } => {
            let verb = if *append { "append" } else { "write" };
            let text = text.as_ref().map_or("…".to_owned(), |text| format!("{text:?}"));
            format!("{verb} {} {text}", name(target))
        }
        Act::Substitute { targets, script } => {
            let known = if script.compile().is_some() { "" } else { " by something" };
            format!("substitute {}{known}", names(targets))
        }
        Act::Format { name, targets, everywhere } => {
            format!("format {name} {}{}", names(targets), if *everywhere { " everywhere" } else { "" })
        }
        Act::Move { from, to } => format!("move {} to {}", names(from), name(to)),
        Act::Copy { from, to } => format!("copy {} to {}", names(from), name(to)),
        Act::Remove { targets, recursive } => {
            format!("remove {}{}", names(targets), if *recursive { " and below" } else { "" })
        }
        Act::Git(git) => {
            let at = match &git.at {
                Target::Path(path) if path.is_empty() => String::new(),
                at => format!(" at {}", name(at)),
            };
            format!("git {:?}{at} {:?} {}", git.verb, git.names, names(&git.targets))
        }
        Act::Build { name } => format!("build {name}"),
        Act::Program { name, names: named } => format!("program {name:?} {}", names(named)),
    }
}

fn names(targets: &[Target]) -> String {
    format!("[{}]", targets.iter().map(name).collect::<Vec<_>>().join(" "))
}

fn name(target: &Target) -> String {
    match target {
        Target::Path(path) if path.is_empty() => ".".into(),
        Target::Path(path) => path.to_string(),
        Target::Glob(pattern) => format!("glob:{pattern}"),
        Target::Ending(end) => format!("…{end}"),
    }
}
