//! Scripts of `sed` and `perl`, and what they make of texts.

use expect_test::{Expect, expect};

use super::check;
use crate::{Act, effects};

/// What the only substitution of the command makes of a text, and of its lines each by itself.
fn check_text(command: &str, text: &str, expect: Expect) {
    let acts = effects(command).acts;
    let script = acts.iter().find_map(|effect| match &effect.act {
        Act::Substitute { script, .. } => Some(script),
        _ => None,
    });
    let Some(ready) = script.and_then(|script| script.compile()) else { return expect.assert_eq("not known") };
    let lines = text.lines().map(|line| match ready.line(line) {
        Some(lines) => lines.join("|"),
        None => "-".into(),
    });
    let lines: Vec<String> = lines.collect();
    expect.assert_eq(&format!("{:?}  {}", ready.text(text).unwrap_or_default(), lines.join(" ")));
}

#[test]
fn which_files() {
    check("sed -i 's/a/b/' x.rs src/*.rs \"$F\"", expect!["= substitute [x.rs glob:src/*.rs …]"]);
    check(
        "sed -i.bak -e 's/a/b/' -e 's/c/d/' x; sed -i '' 's/a/b/' y; sed -i'' -E 's/(a)/\\1/' z",
        expect![[r#"
        ~ copy [x] to x.bak
        ~ substitute [x]
        ~ substitute [y]
        = substitute [z]"#]],
    );
    check(
        "sed --in-place=.orig 's/a/b/' x; gsed -Ei 's/a/b/' y; sed -n -i p z; sed -ni.b p w",
        expect![[r#"
        ~ copy [x] to x.orig
        ~ substitute [x]
        ~ substitute [y]
        ~ substitute [z]
        = copy [w] to w.b
        = substitute [w]"#]],
    );
    check(
        "sed -i bak 's/a/b/' x; sed 's/a/b/' x -i",
        expect![[r#"
        ~ substitute [s/a/b x] by something
        = substitute [x]"#]],
    );
    check(
        "sed -i '.bak' 's/a/b/' x",
        expect![[r#"
        = copy [x] to x.bak
        = substitute [x]"#]],
    );
    check(
        "cd src && sed -i \"s/$A/$B/\" x; sed -i -f script.sed y; sed -i \"s/a/b/\" $F",
        expect![[r#"
        ~ program "sed" […]
        ~ program "sed" [src/script.sed]
        = program "sed" [src/s/a/b …]
        cd unchecked"#]],
    );
    check(
        "perl -pi -e 's/a/b/' x; perl -i.bak -pe 's/a/b/g; s/c/d/' y z; perl -0777 -pi -e 's/a\\n//' w",
        expect![[r#"
        ~ substitute [x]
        ~ copy [y] to y.bak
        ~ copy [z] to z.bak
        ~ substitute [y z]
        = substitute [w]"#]],
    );
    check(
        "perl -pi -e 'open F, \">x\"' y; perl -i -ne 'print' z; perl -pe 's/a/b/' w; perl -pi -e 's/a/system(1)/e' v",
        expect![[r#"
        ~ program "perl" []
        ~ program "perl" []
        ~ program "perl" [s/a/b]
        = program "perl" [s/a/system(1)/e]"#]],
    );
}

#[test]
fn substitutions() {
    check_text("sed -i 's/a/b/' f", "aa\nca\nx\n", expect![[r#""ba\ncb\nx\n"  ba cb x"#]]);
    check_text("sed -i 's/a/<&>/g;s|x/y|\\&|' f", "aa\nx/y\n", expect![[r#""<a><a>\n&\n"  <a><a> &"#]]);
    check_text("sed -i 's/a/b/2' f", "aaa", expect![[r#""aba"  aba"#]]);
    check_text(
        "sed -i -E 's/(\\w+) (\\w+)/\\2 \\1/' f",
        "one two three\n",
        expect![[r#""two one three\n"  two one three"#]],
    );
    check_text("sed -i 's/\\(a*\\)b\\+/[\\1]/I' f", "AABBc\n", expect![[r#""[AA]c\n"  [AA]c"#]]);
    check_text(
        "sed -i 's#input.load(#input.fetch(#' f",
        "let x = input.load(1);\n",
        expect![[r#""let x = input.fetch(1);\n"  let x = input.fetch(1);"#]],
    );
    check_text("sed -i 's/x/a\\nb/' f", "1x2\n", expect![[r#""1a\nb2\n"  1a|b2"#]]);
    check_text("sed -i 's/[[:space:]]*$//' f", "a  \nb\t\n", expect![[r#""a\nb\n"  a b"#]]);
    check_text("sed -i 's/^/\\t/; s/[/]/-/' f", "a/b\n", expect![[r#""\ta-b\n"  	a-b"#]]);
    check_text("sed -i 'y/abc/xyz/' f", "aabbcc\n", expect![[r#""xxyyzz\n"  xxyyzz"#]]);
    check_text("sed -i 's/a*/x/g' f", "baaac\n", expect![[r#""xbxcx\n"  xbxcx"#]]);
    check_text("sed -i -e 's/a/b/' -e 's/b/c/' f", "ab\n", expect![[r#""cb\n"  cb"#]]);
}

#[test]
fn lines_and_ranges() {
    check_text("sed -i '2d' f", "a\nb\nc\n", expect![[r#""a\nc\n"  - - -"#]]);
    check_text("sed -i '2,3s/^/> /' f", "a\nb\nc\nd\n", expect![[r#""a\n> b\n> c\nd\n"  - - - -"#]]);
    check_text("sed -i '/b/,/c/d' f", "a\nb\nx\nc\nd\n", expect![[r#""a\nd\n"  - - - - -"#]]);
    check_text("sed -i '$d; 1!s/a/b/' f", "a\na\na\n", expect![[r#""a\nb\n"  - - -"#]]);
    check_text("sed -i '/b/a\\after' f", "a\nb\nc", expect![[r#""a\nb\nafter\nc"  a b|after c"#]]);
    check_text("sed -i '1i\\\n// head' f", "a\nb\n", expect![[r#""// head\na\nb\n"  - -"#]]);
    check_text("sed -i '$a last' f", "a\nb", expect![[r#""a\nb\nlast\n"  - -"#]]);
    check_text("sed -i '/old/c new' f", "a\nold one\nb\n", expect![[r#""a\nnew\nb\n"  a new b"#]]);
    check_text("sed -i '/use/{s/a/b/;s/$/;/}' f", "use a\nno a\n", expect![[r#""use b;\nno a\n"  use b; no a"#]]);
    check_text("sed -i -n '/a/p' f", "a\nb\nba\n", expect![[r#""a\nba\n"  a  ba"#]]);
    check_text("sed -i '0,/a/s/a/b/' f", "a\na\n", expect![[r#""b\na\n"  - -"#]]);
    check_text("sed -i '/a/,+1d; 1~2s/$/!/' f", "x\na\ny\nz\nw\n", expect![[r#""x!\nz\nw!\n"  - - - - -"#]]);
    check_text("sed -i '/^$/d;/^#/d' f", "a\n\n# b\nc\n", expect![[r#""a\nc\n"  a   c"#]]);
    check_text("sed -i -n '/^$/p' f", "a\n\nb", expect![[r#""\n"    "#]]);
    check_text("sed -i d f", "a\nb\n", expect![[r#"""   "#]]);
}

#[test]
fn what_is_not_known_is_left_alone() {
    check_text("sed -i 's/a/\\U&/' f", "a\n", expect!["not known"]);
    check_text("sed -i 'N;s/\\n/ /' f", "a\nb\n", expect!["not known"]);
    check_text("sed -i -E 's/(a|ab)c?/x/' f", "ab\n", expect!["not known"]);
    check_text("sed -i 's/\\(a\\)\\1/x/' f", "aa\n", expect!["not known"]);
    check_text("sed -i 's/a/b/;bend;:end' f", "a\n", expect!["not known"]);
    check_text("sed -i 'r other' f", "a\n", expect!["not known"]);
    check_text("perl -pi -e 's/\\s+$//' f", "a \nb\n", expect!["not known"]);
    check_text("perl -pi -e 's/(?<=a)b/c/' f", "ab\n", expect!["not known"]);
    check_text("perl -pi -e 's/a/$x/' f", "ab\n", expect!["not known"]);
    check_text("perl -pi -e 's/x*/y/g' f", "ab\n", expect!["not known"]);
    check_text("sed -i '/a/d;2,3s/b/c/' f", "a\nb\n", expect!["not known"]);
}

#[test]
fn perl() {
    check_text("perl -pi -e 's/a(.)/$1a/g' f", "abac\n", expect![[r#""baca\n"  baca"#]]);
    check_text("perl -pi -e 's{/x/}{/y/}; s/b$/c/' f", "/x/ab\n", expect![[r#""/y/ac\n"  /y/ac"#]]);
    check_text("perl -pi -e 's/\\n/,/' f", "a\nb\n", expect![[r#""a,b,"  - -"#]]);
    check_text("perl -0777 -pi -e 's/a\\nb/c/' f", "a\nb\na\n", expect![[r#""c\na\n"  - - -"#]]);
    check_text(
        "perl -pi -e 's/\\bold\\b/new/gi' f",
        "Old older old\n",
        expect![[r#""new older new\n"  new older new"#]],
    );
    check_text("perl -i -pe \"s/it's/its/\" f", "it's\n", expect![[r#""its\n"  its"#]]);
    check_text(
        "perl -pi -e 's/price: \\$(\\d+)/cost: \\$${1}0/' f",
        "price: $5\n",
        expect![[r#""cost: $50\n"  cost: $50"#]],
    );
}
