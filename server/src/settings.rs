//! The settings, from `initializationOptions`, `workspace/didChangeConfiguration` and `workspace/configuration`.
//!
//! They come nested or with dotted keys, with or without `turnlens` before them, in camel or snake case. What is not
//! understood keeps its default and is told once.

use globset::Glob;
use serde_json::Value;
use trace::Agent;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) enable: bool,
    pub(crate) code_lens: LensScope,
    pub(crate) recent_hours: f64,
    pub(crate) hover: HoverForm,
    pub(crate) inlay_hints: bool,
    pub(crate) definition: Definition,
    pub(crate) workspace_symbols: WorkspaceSymbols,
    /// Globs of files without lens and hover.
    pub(crate) exclude: Vec<String>,
    /// Ids of the agents to read; `None`: all.
    pub(crate) agents: Option<Vec<String>>,
    /// Further homes of agents.
    pub(crate) log_folders: Vec<LogFolder>,
    /// Paths in logs, and what they are here.
    pub(crate) path_mappings: Vec<(String, String)>,
    pub(crate) output_lines: usize,
    pub(crate) thinking: Thinking,
    pub(crate) follow_end: bool,
    pub(crate) notify_waiting: bool,
    /// A table of prices that goes over the built-in one; empty: none.
    pub(crate) prices: String,
    /// `None`: logs are not kept.
    pub(crate) archive_bytes: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogFolder {
    pub(crate) agent: String,
    pub(crate) path: String,
}

/// A setting with a few words as values.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name { $($variant),+ }

        impl $name {
            const WORDS: &[(&str, $name)] = &[$(($word, $name::$variant)),+];
        }
    };
}

words!(LensScope { Auto = "auto", Recent = "recent", All = "all", File = "file", Off = "off" });
words!(HoverForm { Auto = "auto", Full = "full", Compact = "compact", Line = "line", Off = "off" });
words!(
    /// Where `textDocument/definition` answers in code: on blank lines and leading white space, anywhere, nowhere.
    Definition { Margin = "margin", Always = "always", Off = "off" }
);
words!(
    /// Which queries find turns: those that begin with `?`, all, none.
    WorkspaceSymbols { Prefixed = "prefixed", Always = "always", Off = "off" }
);
words!(Thinking { Folded = "folded", Open = "open", Hidden = "hidden" });

const DEFAULT_ARCHIVE_BYTES: u64 = 500_000_000;

impl Default for Settings {
    fn default() -> Settings {
        let exclude = [
            "**/Cargo.lock",
            "**/package-lock.json",
            "**/npm-shrinkwrap.json",
            "**/yarn.lock",
            "**/pnpm-lock.yaml",
            "**/bun.lock",
            "**/poetry.lock",
            "**/uv.lock",
            "**/Pipfile.lock",
            "**/Gemfile.lock",
            "**/composer.lock",
            "**/go.sum",
            "**/flake.lock",
            "**/*.min.*",
            "**/node_modules/**",
            "**/vendor/**",
            "**/target/**",
            "**/dist/**",
        ];
        Settings {
            enable: true,
            code_lens: LensScope::Auto,
            recent_hours: 24.0,
            hover: HoverForm::Auto,
            inlay_hints: false,
            definition: Definition::Margin,
            workspace_symbols: WorkspaceSymbols::Prefixed,
            exclude: exclude.map(str::to_owned).into(),
            agents: None,
            log_folders: Vec::new(),
            path_mappings: Vec::new(),
            output_lines: 12,
            thinking: Thinking::Folded,
            follow_end: true,
            notify_waiting: false,
            prices: String::new(),
            archive_bytes: None,
        }
    }
}

/// What a value can be.
enum Kind {
    Bool,
    Number,
    Text,
    /// One of these words.
    Words(Vec<&'static str>),
    Globs,
    Agents,
    LogFolders,
    Mappings,
    Size,
    /// Read elsewhere: by `profile`, or by the editor's plugin.
    NotOurs,
}

/// Every key that may stand in the settings, in the order of the documentation.
fn keys() -> Vec<(&'static str, Kind)> {
    fn words<T>(words: &'static [(&'static str, T)]) -> Kind {
        Kind::Words(words.iter().map(|(word, _)| *word).collect())
    }
    vec![
        ("enable", Kind::Bool),
        ("codeLens.scope", words(LensScope::WORDS)),
        ("recentHours", Kind::Number),
        ("hover.code", words(HoverForm::WORDS)),
        ("statusBar.enable", Kind::NotOurs),
        ("currentLine.enable", Kind::NotOurs),
        ("inlayHints.enable", Kind::Bool),
        ("definition", words(Definition::WORDS)),
        ("workspaceSymbols", words(WorkspaceSymbols::WORDS)),
        ("files.exclude", Kind::Globs),
        ("agents", Kind::Agents),
        ("logs.folders", Kind::LogFolders),
        ("logs.pathMappings", Kind::Mappings),
        ("document.outputLines", Kind::Number),
        ("document.showThinking", words(Thinking::WORDS)),
        ("document.followEnd", Kind::Bool),
        ("notifications.waiting", Kind::Bool),
        ("prices", Kind::Text),
        ("archive.enable", Kind::Bool),
        ("archive.maxSize", Kind::Size),
        ("virtualDocuments", Kind::NotOurs),
        ("server.path", Kind::NotOurs),
        ("server.extraArgs", Kind::NotOurs),
        ("trace.server", Kind::NotOurs),
        ("lens.position", Kind::NotOurs),
        ("checktime", Kind::NotOurs),
        ("commands", Kind::NotOurs),
        ("hoverLinks", Kind::NotOurs),
    ]
}

/// What was set, by key, as far as it is understood.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Layer(Vec<(&'static str, Value)>);

impl Layer {
    /// Reads settings that may stand among those of other servers. The sentences name what was not understood.
    pub(crate) fn read(json: &Value) -> (Layer, Vec<String>) {
        let mut reading = Reading { keys: keys(), layer: Layer::default(), complaints: Vec::new() };
        let Value::Object(all) = json else { return (reading.layer, reading.complaints) };
        let ours = |key: &str| key == "turnlens" || key.starts_with("turnlens.");
        if all.keys().any(|key| ours(key)) {
            for (key, value) in all.iter().filter(|(key, _)| ours(key)) {
                let key = key.strip_prefix("turnlens").unwrap_or(key);
                reading.read(key.strip_prefix('.').unwrap_or(key), value);
            }
        } else {
            reading.read("", json);
        }
        (reading.layer, reading.complaints)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().rev().find(|(known, _)| *known == key).map(|(_, value)| value)
    }
}

impl Settings {
    /// The defaults under the layers; a later layer goes over an earlier one.
    pub(crate) fn from_layers(layers: &[&Layer]) -> Settings {
        let get = |key: &str| layers.iter().rev().find_map(|layer| layer.get(key));
        let mut settings = Settings::default();
        set_bool(&mut settings.enable, get("enable"));
        set_word(&mut settings.code_lens, get("codeLens.scope"), LensScope::WORDS);
        if let Some(hours) = get("recentHours").and_then(Value::as_f64) {
            settings.recent_hours = hours;
        }
        set_word(&mut settings.hover, get("hover.code"), HoverForm::WORDS);
        set_bool(&mut settings.inlay_hints, get("inlayHints.enable"));
        set_word(&mut settings.definition, get("definition"), Definition::WORDS);
        set_word(&mut settings.workspace_symbols, get("workspaceSymbols"), WorkspaceSymbols::WORDS);
        if let Some(globs) = get("files.exclude") {
            settings.exclude = texts(globs);
        }
        settings.agents = get("agents").filter(|agents| agents.is_array()).map(texts);
        if let Some(folders) = get("logs.folders").and_then(Value::as_array) {
            settings.log_folders = folders.iter().filter_map(log_folder).collect();
        }
        if let Some(mappings) = get("logs.pathMappings").and_then(Value::as_object) {
            let text = |(from, to): (&String, &Value)| Some((from.clone(), to.as_str()?.to_owned()));
            settings.path_mappings = mappings.iter().filter_map(text).collect();
        }
        if let Some(lines) = get("document.outputLines").and_then(Value::as_f64) {
            // Saturates; nobody wants half a line.
            settings.output_lines = lines as usize;
        }
        set_word(&mut settings.thinking, get("document.showThinking"), Thinking::WORDS);
        set_bool(&mut settings.follow_end, get("document.followEnd"));
        set_bool(&mut settings.notify_waiting, get("notifications.waiting"));
        if let Some(path) = get("prices").and_then(Value::as_str) {
            settings.prices = path.to_owned();
        }
        if get("archive.enable").and_then(Value::as_bool) == Some(true) {
            settings.archive_bytes = Some(get("archive.maxSize").and_then(size).unwrap_or(DEFAULT_ARCHIVE_BYTES));
        }
        settings
    }
}

struct Reading {
    keys: Vec<(&'static str, Kind)>,
    layer: Layer,
    complaints: Vec<String>,
}

impl Reading {
    /// Reads what stands under `key`, the dotted path so far.
    fn read(&mut self, key: &str, value: &Value) {
        // Unset, as VS Code sends what has no default.
        if value.is_null() {
            return;
        }
        let known = self.keys.iter().find(|(known, _)| *known == camel_case(key));
        match (known, value) {
            (Some((_, Kind::NotOurs)), _) => {}
            (Some((known, kind)), value) => match kind.complaint(value) {
                None => {
                    let doubts = kind.doubts(value).into_iter();
                    self.complaints.extend(doubts.map(|doubt| format!("turnlens.{known} {doubt}")));
                    self.layer.0.push((known, value.clone()));
                }
                Some(complaint) => self.complaints.push(format!("turnlens.{known} {complaint}")),
            },
            (None, Value::Object(children)) => {
                for (child, value) in children {
                    let path = if key.is_empty() { child.clone() } else { format!("{key}.{child}") };
                    self.read(&path, value);
                }
            }
            (None, _) => {
                let hint = self.nearest(key).map(|near| format!(" Did you mean turnlens.{near}?"));
                self.complaints.push(format!("turnlens.{key} is not a setting.{}", hint.unwrap_or_default()));
            }
        }
    }

    /// The key that was most likely meant.
    fn nearest(&self, key: &str) -> Option<&'static str> {
        let key = camel_case(key).to_lowercase();
        let last = key.rsplit('.').next().unwrap_or(&key);
        let distance = |known: &str| {
            let known = known.to_lowercase();
            let ends = known.match_indices('.').map(|(dot, _)| dot).chain([known.len()]);
            // `codelens` for `codeLens.scope`, `document.outputlines` for itself, `outputLines` for its last word.
            let beginnings = ends.map(|end| edit_distance(&key, &known[..end]));
            let last_word = known.rsplit('.').next().unwrap_or(&known);
            beginnings.chain([edit_distance(last, last_word) + 1]).min().unwrap_or(usize::MAX)
        };
        let (distance, near) =
            self.keys.iter().map(|(known, _)| (distance(known), *known)).min_by_key(|near| near.0)?;
        (distance <= 1 + key.len() / 4).then_some(near)
    }
}

impl Kind {
    /// `None` if the value is of this kind, else how it is not.
    fn complaint(&self, value: &Value) -> Option<String> {
        let fits = match self {
            Kind::Bool => value.is_boolean(),
            Kind::Number => value.as_f64().is_some_and(|n| n >= 0.0),
            Kind::Text => value.is_string(),
            Kind::Words(words) => value.as_str().is_some_and(|word| words.contains(&word)),
            Kind::Globs => is_list_of(value, Value::is_string),
            Kind::Agents => value == "all" || is_list_of(value, Value::is_string),
            Kind::LogFolders => is_list_of(value, |folder| log_folder(folder).is_some()),
            Kind::Mappings => value.as_object().is_some_and(|all| all.values().all(Value::is_string)),
            Kind::Size => size(value).is_some(),
            Kind::NotOurs => true,
        };
        let should = || match self {
            Kind::Bool => "It is true or false.".to_owned(),
            Kind::Number => "It is a number from 0.".to_owned(),
            Kind::Text | Kind::NotOurs => "It is a string.".to_owned(),
            Kind::Words(words) => format!("It is one of {}.", words.join(", ")),
            Kind::Globs => "It is a list of strings.".to_owned(),
            Kind::Agents => "It is \"all\" or a list of agents.".to_owned(),
            Kind::LogFolders => "It is a list of { \"agent\", \"path\" }.".to_owned(),
            Kind::Mappings => "It is an object: { \"/path/in/log\": \"/path/here\" }.".to_owned(),
            Kind::Size => "It is a size as in \"500MB\".".to_owned(),
        };
        (!fits).then(|| format!("cannot be {value}. {}", should()))
    }

    /// What of a value that is of this kind says nothing to us; the rest of it counts.
    fn doubts(&self, value: &Value) -> Vec<String> {
        let no_agent = |id: String| {
            let known = Agent::ALL.map(Agent::id).join(", ");
            Agent::from_id(&id)
                .is_none()
                .then(|| format!("names {id:?}, no agent whose logs Turnlens reads. It reads: {known}."))
        };
        match self {
            Kind::Globs => {
                let wrong = |glob: String| Some(format!("has a glob that is none: {}.", Glob::new(&glob).err()?));
                texts(value).into_iter().filter_map(wrong).collect()
            }
            Kind::Agents => texts(value).into_iter().filter_map(no_agent).collect(),
            Kind::LogFolders => {
                let agents = value.as_array().into_iter().flatten().filter_map(log_folder).map(|folder| folder.agent);
                agents.filter_map(no_agent).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn set_bool(target: &mut bool, value: Option<&Value>) {
    if let Some(value) = value.and_then(Value::as_bool) {
        *target = value;
    }
}

fn set_word<T: Copy>(target: &mut T, value: Option<&Value>, words: &[(&str, T)]) {
    let word = value.and_then(Value::as_str);
    if let Some((_, value)) = words.iter().find(|(known, _)| Some(*known) == word) {
        *target = *value;
    }
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn is_list_of(value: &Value, item: impl FnMut(&Value) -> bool) -> bool {
    value.as_array().is_some_and(|list| list.iter().all(item))
}

fn log_folder(value: &Value) -> Option<LogFolder> {
    let text = |key: &str| Some(value.get(key)?.as_str()?.to_owned());
    Some(LogFolder { agent: text("agent")?, path: text("path")? })
}

/// `"500MB"`, `"2 GB"`, or bytes as a number.
fn size(value: &Value) -> Option<u64> {
    let Some(text) = value.as_str() else { return value.as_u64() };
    let text = text.trim().to_ascii_uppercase();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim() {
        "" | "B" => 1,
        "KB" | "K" => 1_000,
        "MB" | "M" => 1_000_000,
        "GB" | "G" => 1_000_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// `code_lens.scope` as `codeLens.scope`.
fn camel_case(key: &str) -> String {
    let mut camel = String::with_capacity(key.len());
    let mut chars = key.chars().peekable();
    while let Some(c) = chars.next() {
        match chars.peek() {
            Some(next) if c == '_' && next.is_ascii_alphanumeric() && !camel.is_empty() => {
                camel.push(next.to_ascii_uppercase());
                chars.next();
            }
            _ => camel.push(c),
        }
    }
    camel
}

/// Levenshtein's distance, in characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use serde_json::json;

    /// What is not as by default, then the complaints.
    fn check(json: Value, expect: Expect) {
        let (layer, complaints) = Layer::read(&json);
        let set = format!("{:#?}", Settings::from_layers(&[&layer]));
        let default = format!("{:#?}", Settings::default());
        let mut lines: Vec<&str> = set.lines().filter(|line| !default.lines().any(|other| other == *line)).collect();
        lines.extend(complaints.iter().map(String::as_str));
        expect.assert_eq(&lines.iter().map(|line| format!("{}\n", line.trim())).collect::<String>());
    }

    #[test]
    fn forms_of_a_key() {
        for json in [
            json!({ "turnlens": { "codeLens": { "scope": "all" } } }),
            json!({ "turnlens": { "codeLens.scope": "all" } }),
            json!({ "turnlens.codeLens.scope": "all", "other.codeLens": 3 }),
            json!({ "turnlens.codeLens": { "scope": "all" } }),
            json!({ "codeLens": { "scope": "all" } }),
            json!({ "codeLens.scope": "all" }),
            json!({ "code_lens": { "scope": "all" } }),
            json!({ "turnlens": { "code_lens.scope": "all" }, "rust-analyzer": { "lens": true } }),
        ] {
            check(
                json,
                expect![[r#"
                code_lens: All,
            "#]],
            );
        }
    }

    #[test]
    fn every_setting() {
        check(
            json!({
                "enable": false, "codeLens": { "scope": "recent" }, "recentHours": 1.5, "hover": { "code": "line" },
                "statusBar": { "enable": false }, "currentLine.enable": true, "inlayHints": { "enable": true },
                "definition": "always", "workspaceSymbols": "off", "files": { "exclude": ["**/gen/**"] },
                "agents": ["claude-code"], "logs": {
                    "folders": [{ "agent": "claude-code", "path": "/mnt/c/Users/a/.claude" }],
                    "path_mappings": { "/path_in/log.d": "/path/here" } },
                "document": { "output_lines": 30, "showThinking": "open", "followEnd": false },
                "notifications": { "waiting": true }, "prices": "/p.json",
                "archive": { "enable": true, "maxSize": "2GB" },
                "virtualDocuments": "files", "server": { "path": "/x", "extraArgs": [] }, "trace": { "server": "off" },
                "lens": { "position": "eol" }, "checktime": false, "commands": [], "hoverLinks": "none",
            }),
            expect![[r#"
                enable: false,
                code_lens: Recent,
                recent_hours: 1.5,
                hover: Line,
                inlay_hints: true,
                definition: Always,
                workspace_symbols: Off,
                "**/gen/**",
                agents: Some(
                [
                "claude-code",
                ],
                ),
                log_folders: [
                LogFolder {
                agent: "claude-code",
                path: "/mnt/c/Users/a/.claude",
                },
                path_mappings: [
                (
                "/path_in/log.d",
                "/path/here",
                ),
                output_lines: 30,
                thinking: Open,
                follow_end: false,
                notify_waiting: true,
                prices: "/p.json",
                archive_bytes: Some(
                2000000000,
                ),
            "#]],
        );
    }

    #[test]
    fn unknown_keys() {
        check(
            json!({ "turnlens": { "codelens": "all" } }),
            expect![[r#"
            turnlens.codelens is not a setting. Did you mean turnlens.codeLens.scope?
        "#]],
        );
        check(
            json!({ "turnlens": { "codelens": { "scope": "all" }, "hover": true } }),
            expect![[r#"
            turnlens.codelens.scope is not a setting. Did you mean turnlens.codeLens.scope?
            turnlens.hover is not a setting. Did you mean turnlens.hover.code?
        "#]],
        );
        check(
            json!({ "output_line": 3, "document.folowEnd": true, "statusbar.enable": true }),
            expect![[r#"
            turnlens.document.folowEnd is not a setting. Did you mean turnlens.document.followEnd?
            turnlens.output_line is not a setting. Did you mean turnlens.document.outputLines?
            turnlens.statusbar.enable is not a setting. Did you mean turnlens.statusBar.enable?
        "#]],
        );
        check(
            json!({ "zzz": 1, "files": { "watcher": 3 } }),
            expect![[r#"
            turnlens.files.watcher is not a setting.
            turnlens.zzz is not a setting.
        "#]],
        );
    }

    #[test]
    fn wrong_values() {
        check(
            json!({
                "codeLens.scope": "loud", "enable": "yes", "recentHours": -1, "files.exclude": "*", "agents": "claude-code",
                "logs.folders": [{ "path": "/x" }], "logs.pathMappings": { "/a": 1 }, "archive.maxSize": "big", "prices": 3,
            }),
            expect![[r#"
                turnlens.agents cannot be "claude-code". It is "all" or a list of agents.
                turnlens.archive.maxSize cannot be "big". It is a size as in "500MB".
                turnlens.codeLens.scope cannot be "loud". It is one of auto, recent, all, file, off.
                turnlens.enable cannot be "yes". It is true or false.
                turnlens.files.exclude cannot be "*". It is a list of strings.
                turnlens.logs.folders cannot be [{"path":"/x"}]. It is a list of { "agent", "path" }.
                turnlens.logs.pathMappings cannot be {"/a":1}. It is an object: { "/path/in/log": "/path/here" }.
                turnlens.prices cannot be 3. It is a string.
                turnlens.recentHours cannot be -1. It is a number from 0.
            "#]],
        );
    }

    #[test]
    fn what_of_a_value_says_nothing() {
        check(
            json!({
                "agents": ["claude-code", "cluade"], "files.exclude": ["**/gen/**", "{a"],
                "logs.folders": [{ "agent": "claude", "path": "/x" }],
            }),
            expect![[r#"
                "**/gen/**",
                "{a",
                agents: Some(
                [
                "claude-code",
                "cluade",
                ],
                ),
                log_folders: [
                LogFolder {
                agent: "claude",
                path: "/x",
                },
                turnlens.agents names "cluade", no agent whose logs Turnlens reads. It reads: claude-code, codex, gemini-cli.
                turnlens.files.exclude has a glob that is none: error parsing glob '{a': unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?).
                turnlens.logs.folders names "claude", no agent whose logs Turnlens reads. It reads: claude-code, codex, gemini-cli.
            "#]],
        );
    }

    #[test]
    fn nothing_and_null() {
        for json in
            [json!(null), json!({}), json!([1]), json!("x"), json!({ "turnlens": null }), json!({ "enable": null })]
        {
            check(json, expect![""]);
        }
    }

    #[test]
    fn later_layers_go_over_earlier_ones() {
        let layer = |json: Value| Layer::read(&json).0;
        let (first, second) = (layer(json!({ "enable": false, "recentHours": 1 })), layer(json!({ "recentHours": 2 })));
        let settings = Settings::from_layers(&[&first, &second]);
        assert_eq!((settings.enable, settings.recent_hours), (false, 2.0));
    }

    #[test]
    fn sizes() {
        assert_eq!(size(&json!("500MB")), Some(500_000_000));
        assert_eq!(size(&json!("2 gb")), Some(2_000_000_000));
        assert_eq!(size(&json!(17)), Some(17));
        assert_eq!(size(&json!("99999999999GB")), None);
        assert_eq!(size(&json!("1.5GB")), None);
    }
}
