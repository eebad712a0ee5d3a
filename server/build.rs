//! Lists the files of the Neovim plugin, which `turnlens setup nvim` writes out again.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = Path::new(&env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../editors/nvim");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    walk(&root, &mut files)?;
    files.sort();
    let mut list = String::from("&[\n");
    for file in &files {
        let name = file.strip_prefix(&root).unwrap_or(file).to_string_lossy().replace('\\', "/");
        let path = file.canonicalize()?;
        let _ = writeln!(list, "    ({name:?}, include_bytes!({:?})),", path.to_string_lossy());
    }
    list.push_str("]\n");
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("nvim_plugin.rs"), list)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // Help tags are made anew, and settings of tools are no part of the plugin.
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_left_out = path.ends_with("doc/tags") || name.starts_with('.');
        if path.is_dir() {
            walk(&path, files)?;
        } else if !is_left_out {
            files.push(path);
        }
    }
    Ok(())
}
