//! Which document a URI means, however the client writes it.

use std::fmt::Write as _;
use std::path::PathBuf;

use url::Url;

/// A document's name. Two URIs that mean the same document have equal keys: `file:///c%3A/a` and `file:///C:/a`,
/// `turnlens:/x` and `turnlens:///x`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct DocumentKey(Box<str>);

impl DocumentKey {
    /// Any text gives a key; one that is no URI stands for itself.
    pub(crate) fn parse(uri: &str) -> DocumentKey {
        match Url::parse(uri) {
            Ok(url) => DocumentKey::from_url(&url),
            Err(_) => DocumentKey(uri.into()),
        }
    }

    pub(crate) fn from_url(url: &Url) -> DocumentKey {
        let path = decode(url.path());
        let path = if url.scheme() == "file" { upper_case_drive(path) } else { path };
        let authority = match url.authority() {
            "localhost" if url.scheme() == "file" => "",
            authority => authority,
        };
        let mut key = format!("{}://{authority}{path}", url.scheme());
        for (mark, part) in [('?', url.query()), ('#', url.fragment())] {
            if let Some(part) = part {
                key.push(mark);
                key.push_str(part);
            }
        }
        DocumentKey(key.into())
    }

    #[cfg(test)]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn scheme(&self) -> &str {
        self.0.split_once(':').map_or("", |(scheme, _)| scheme)
    }

    /// The path of a `file:` URI on this system.
    pub(crate) fn file_path(&self) -> Option<PathBuf> {
        let path = self.0.strip_prefix("file://")?;
        if cfg!(windows) {
            // `/C:/a` is `C:/a`; `server/share` is `//server/share`.
            return match path.strip_prefix('/') {
                Some(local) => Some(PathBuf::from(local)),
                None => Some(PathBuf::from(format!("//{path}"))),
            };
        }
        path.starts_with('/').then(|| PathBuf::from(path))
    }
}

/// Percent escapes as characters. An escape that is no UTF-8 stays, in capitals.
fn decode(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = (first == b'%').then(|| after.get(..2)).flatten();
        let escaped = escaped.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match escaped {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

fn upper_case_drive(mut path: String) -> String {
    if let [b'/', drive, b':', ..] = path.as_bytes()
        && drive.is_ascii_lowercase()
        && let Some(drive) = path.get_mut(1..2)
    {
        drive.make_ascii_uppercase();
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    fn check(uri: &str, expect: Expect) {
        expect.assert_eq(DocumentKey::parse(uri).as_str());
    }

    #[test]
    fn files() {
        check("file:///home/a/b.rs", expect!["file:///home/a/b.rs"]);
        check("file:///c%3A/a.rs", expect!["file:///C:/a.rs"]);
        check("file:///c:/a.rs", expect!["file:///C:/a.rs"]);
        check("file:///C:/a.rs", expect!["file:///C:/a.rs"]);
        check("FILE:///a/../b/./c%20d", expect!["file:///b/c d"]);
        check("file://localhost/a", expect!["file:///a"]);
        check("file:///%E6%BC%A2", expect!["file:///漢"]);
        check("file:///漢", expect!["file:///漢"]);
        check("file:///%ff%zz%", expect!["file:///%FF%zz%"]);
    }

    #[test]
    fn ours() {
        check("turnlens://claude-code/9f3c/12/a.trace.md", expect!["turnlens://claude-code/9f3c/12/a.trace.md"]);
        check("turnlens:///x", expect!["turnlens:///x"]);
        check("turnlens:/x", expect!["turnlens:///x"]);
    }

    #[test]
    fn others() {
        check("untitled:Untitled-1", expect!["untitled://Untitled-1"]);
        check("git:/a/b.rs?%7B%22ref%22%3A%22HEAD%22%7D", expect!["git:///a/b.rs?%7B%22ref%22%3A%22HEAD%22%7D"]);
        check("no uri", expect!["no uri"]);
        check("", expect![""]);
    }

    #[cfg(unix)]
    #[test]
    fn paths() {
        let path = |uri| DocumentKey::parse(uri).file_path().map(|path| path.display().to_string());
        assert_eq!(path("file:///a%20b").as_deref(), Some("/a b"));
        assert_eq!(path("turnlens:///a"), None);
    }

    proptest! {
        #[test]
        fn any_text_gives_a_key(uri in ".{0,40}") {
            DocumentKey::parse(&uri);
        }

        /// Escaping more of a path than is needed names the same document.
        #[test]
        fn escapes_do_not_matter(path in "(/[a-zé漢:+]{1,8}){1,4}") {
            let escaped: String = path.bytes().map(|b| if b == b'/' { "/".into() } else { format!("%{b:02x}") }).collect();
            let key = DocumentKey::parse(&format!("file://{path}"));
            prop_assert_eq!(&key, &DocumentKey::parse(&format!("file://{escaped}")));
            prop_assert_eq!(key.scheme(), "file");
        }
    }
}
