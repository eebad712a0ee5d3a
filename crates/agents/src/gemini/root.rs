//! Where the project of a log lies: the log itself tells only a hash of it.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::record::{Log, with_message};
use crate::json::{self, Raw, Str};

/// Paths of a log of which the project may be a folder above.
const MOST_PATHS: usize = 64;
/// Bytes of the client's own lists that are read.
const LONGEST_LIST: u64 = 4 << 20;

/// The project's folder, as the client itself notes it; else the folder above a path of the log whose hash is the
/// project's.
pub(super) fn root_of(path: &Path, log: &Log<'_>) -> Option<String> {
    let project = path.ancestors().find(|folder| folder.file_name() == Some(OsStr::new("chats")))?.parent()?;
    let name = project.file_name()?.to_str()?;
    let noted = || small_file(&project.join(".project_root")).map(|text| text.trim().to_owned());
    let is_told = |root: &String| !root.is_empty();
    noted().filter(is_told).or_else(|| listed(project, name)).filter(is_told).or_else(|| {
        let hash =
            log.head.project_hash.as_deref().filter(|hash| is_hash(hash)).or(Some(name).filter(|name| is_hash(name)))?;
        let paths = log.head.folder.iter().cloned().chain(paths(log));
        paths.take(MOST_PATHS).find_map(|path| above_with_hash(&path, hash))
    })
}

fn small_file(path: &Path) -> Option<String> {
    let is_small = fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() <= LONGEST_LIST);
    is_small.then(|| fs::read_to_string(path).ok())?
}

/// The project whose folder of logs has this name, as `projects.json` lists it.
fn listed(project: &Path, name: &str) -> Option<String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Projects<'a> {
        #[serde(borrow)]
        projects: Option<Raw<'a>>,
    }
    let text = small_file(&project.parent()?.parent()?.join("projects.json"))?;
    let list: Projects<'_> = json::from_str(&text).ok()?;
    let names: std::collections::BTreeMap<String, Str<'_>> = json::read(list.projects);
    names.into_iter().find(|(_, of)| of.is(name)).map(|(root, _)| root)
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Absolute paths that the log's tools name.
fn paths(log: &Log<'_>) -> impl Iterator<Item = String> {
    let of_message = |raw: &str| {
        with_message(raw, |message| {
            let mut paths = Vec::new();
            for call in message.tool_calls.objects() {
                let (args, shown) = (call.args(), call.shown());
                let shown = shown.as_ref().and_then(|shown| shown.file_path.filled());
                let asked = [&args.file_path, &args.absolute_path, &args.dir_path, &args.path];
                let described = call.description.get().and_then(working_folder);
                let all = asked.into_iter().filter_map(Str::filled).chain(shown).chain(described);
                paths.extend(all.filter(|path| path.contains(['/', '\\'])).map(str::to_owned));
            }
            paths
        })
    };
    log.messages.iter().flat_map(move |slot| of_message(slot.raw).unwrap_or_default())
}

/// The folder in `git status [current working directory /w] (…)`.
fn working_folder(description: &str) -> Option<&str> {
    let (_, behind) = description.split_once("[current working directory ")?;
    behind.split_once(']').map(|(folder, _)| folder)
}

/// By what the client calls a project.
pub(super) fn hash_of(folder: &str) -> String {
    Sha256::digest(folder.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn above_with_hash(path: &str, hash: &str) -> Option<String> {
    let mut folder = path.trim_end_matches(['/', '\\']);
    while !folder.is_empty() {
        if hash_of(folder).eq_ignore_ascii_case(hash) {
            return Some(folder.to_owned());
        }
        folder = &folder[..folder.rfind(['/', '\\'])?];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_known_by_its_hash() {
        let hash = "b2adda0afa7fbbbc1a2ee4ef9e9d5a06b7e3c3cb0cf2ee7aa04d1ba0d8f8f9d0";
        assert_eq!(above_with_hash("/w/app/src/a.rs", hash), None);
        let hash = hash_of("/w/app");
        assert_eq!(above_with_hash("/w/app/src/a.rs", &hash).as_deref(), Some("/w/app"));
        assert_eq!(above_with_hash("a.rs", &hash), None);
        assert_eq!(working_folder("ls [current working directory /w/app] (list)"), Some("/w/app"));
    }
}
