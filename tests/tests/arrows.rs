//! Which crate may use which: the arrows of ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Each of our crates with those of ours that it uses.
const ARROWS: &[(&str, &[&str])] = &[
    ("trace", &[]),
    ("shell", &["trace"]),
    ("provenance", &["trace"]),
    ("lens", &["trace"]),
    ("agents", &["shell", "trace"]),
    ("repo", &["trace"]),
    ("caches", &[]),
    ("search", &["caches"]),
    ("index", &["agents", "caches", "trace"]),
    ("workspace", &["index", "provenance", "repo", "search", "shell", "trace"]),
    ("turnlens", &["caches", "lens", "provenance", "trace", "workspace"]),
    ("tests", &[]),
    ("benches", &[]),
];

/// Crates that only the server may use: the protocol's, and the runtime that goes with it.
const OF_THE_SERVER: &[&str] = &["tower-lsp", "lsp-types", "tokio", "clap"];

/// Crates that compute and never read a file, and all that they may use of others.
const PURE: &[(&str, &[&str])] = &[
    // The derive of the form in which the index keeps it.
    ("trace", &["bitcode"]),
    ("shell", &["regex"]),
    ("provenance", &["hashbrown", "imara-diff", "memchr", "rustc-hash"]),
    ("lens", &["imara-diff"]),
];

#[test]
fn arrows_point_one_way() {
    let uses = dependencies();
    let ours: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    assert_eq!(uses.keys().map(String::as_str).collect::<BTreeSet<_>>(), ours, "a crate that ARROWS does not know");
    for (name, allowed) in ARROWS {
        let inner: Vec<&str> = uses[*name].iter().map(String::as_str).filter(|used| ours.contains(used)).collect();
        let new: Vec<&&str> = inner.iter().filter(|used| !allowed.contains(used)).collect();
        // The end-to-end tests and benches use crates of ours as they like.
        assert!(new.is_empty() || ["tests", "benches"].contains(name), "{name} uses {new:?}");
    }
}

#[test]
fn the_protocol_stays_in_the_server() {
    for (name, uses) in dependencies() {
        if name != "turnlens" && name != "benches" {
            let protocol: Vec<&str> = OF_THE_SERVER.iter().copied().filter(|used| uses.contains(*used)).collect();
            assert!(protocol.is_empty(), "{name} uses {protocol:?}");
        }
    }
}

#[test]
fn what_computes_does_not_read() {
    let uses = dependencies();
    for (name, allowed) in PURE {
        let others = uses[*name].iter().filter(|used| *used != "trace" && !allowed.contains(&used.as_str()));
        assert_eq!(others.collect::<Vec<_>>(), Vec::<&String>::new(), "{name}");
    }
}

/// The workspace's crates and what each uses when it is built, not tested.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(root).no_deps().exec().expect("cargo metadata");
    let of_build = |package: &cargo_metadata::Package| {
        let built = package.dependencies.iter().filter(|used| used.kind != DependencyKind::Development);
        built.map(|used| used.name.clone()).collect()
    };
    metadata.packages.iter().map(|package| (package.name.to_string(), of_build(package))).collect()
}
