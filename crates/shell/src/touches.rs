//! The summary of a command line that is kept for each step.

use trace::{Target, Touch, TouchKind};

use crate::act::{Act, Effects, GitVerb};
use crate::run::{Cd, run};

/// What the command may do to which files, without texts. Empty: it only reads.
pub fn touches(command: &str) -> Vec<Touch> {
    let effects = run(command, Cd::Works);
    let mut touches = Vec::new();
    add(&effects, &mut touches);
    if effects.unchecked_cd {
        add(&run(command, Cd::Fails), &mut touches);
    }
    touches
}

fn add(effects: &Effects, touches: &mut Vec<Touch>) {
    for effect in &effects.acts {
        let (kind, targets) = of(&effect.act);
        // Which comes first does not matter here: one entry of each kind is enough.
        match touches.iter_mut().find(|known| known.kind == kind) {
            Some(known) => join(&mut known.targets, targets),
            None => touches.push(Touch { kind, targets: targets.map(Into::into) }),
        }
    }
}

fn join(known: &mut Option<Box<[Target]>>, more: Option<Vec<Target>>) {
    *known = match (known.take(), more) {
        (Some(known), Some(more)) => {
            let mut all = known.into_vec();
            more.into_iter().for_each(|target| {
                if !all.contains(&target) {
                    all.push(target);
                }
            });
            Some(all.into())
        }
        _ => None,
    };
}

/// `None`: any file.
fn of(act: &Act) -> (TouchKind, Option<Vec<Target>>) {
    match act {
        Act::Write { target, .. } => (TouchKind::Write, Some(vec![target.clone()])),
        Act::Substitute { targets, .. } => (TouchKind::Substitute, Some(targets.clone())),
        Act::Format { targets, everywhere, .. } => (TouchKind::Format, (!everywhere).then(|| targets.clone())),
        Act::Move { from, to } => (TouchKind::Move, Some(from.iter().chain([to]).cloned().collect())),
        Act::Copy { to, .. } => (TouchKind::Copy, Some(vec![to.clone()])),
        Act::Remove { targets, .. } => (TouchKind::Remove, Some(targets.clone())),
        // Their hooks are like a build: they may write any file and normally write no source.
        Act::Git(git) if matches!(git.verb, GitVerb::Commit | GitVerb::Push) => (TouchKind::Build, None),
        Act::Git(git) => (TouchKind::Git, (!git.targets.is_empty()).then(|| git.targets.clone())),
        Act::Build { .. } => (TouchKind::Build, None),
        Act::Program { .. } => (TouchKind::Program, None),
    }
}
