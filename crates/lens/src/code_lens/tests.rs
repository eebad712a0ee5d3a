use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::fixture::{at, view};

/// Each line of the fixture: an owner's letter or a blank, then `|`, then the line. Lower case letters are old
/// turns, upper case recent ones, `i` is inferred, `x` another agent.
fn parse(fixture: &str) -> (Vec<&str>, Vec<Option<u32>>) {
    let lines = fixture.lines().filter_map(|line| line.split_once('|'));
    lines.map(|(owner, text)| (text, owner.trim().chars().next().map(letter))).unzip()
}

const LETTERS: &str = "abcdeABCDEix";

fn letter(c: char) -> u32 {
    number(LETTERS.chars().position(|known| known == c).unwrap_or_else(|| panic!("no owner {c}")))
}

fn table() -> Vec<Owner> {
    let owner = |(index, letter): (usize, char)| Owner {
        agent: if letter == 'x' { "Codex".into() } else { "Claude".into() },
        title: format!("turn {letter}").into(),
        at: Some(match letter {
            'A'..='E' => at(&format!("2026-11-20 14:{:02}", index)),
            _ => at(&format!("2026-11-{:02} 14:00", index + 1)),
        }),
        turn: index as u64,
        inferred: letter == 'i',
        recent: letter.is_ascii_uppercase(),
    };
    LETTERS.chars().enumerate().map(owner).collect()
}

fn show(lines: &[&str], lenses: &[Lens]) -> String {
    let mut shown = String::new();
    for (number, line) in (0..).zip(lines) {
        let row: Vec<&str> = lenses.iter().filter(|lens| lens.line == number).map(|lens| lens.title.as_str()).collect();
        if !row.is_empty() {
            shown.push_str(&format!("⟦ {} ⟧\n{line}\n", row.join(" | ")));
        }
    }
    shown
}

fn check_scope(scope: Scope, fixture: &str, expect: Expect) {
    let (lines, owners) = parse(fixture);
    let lenses = code_lenses(&lines, &owners, &table(), false, scope, &view());
    assert!(lenses.is_sorted_by_key(|lens| lens.line));
    expect.assert_eq(&show(&lines, &lenses));
}

fn check(fixture: &str, expect: Expect) {
    check_scope(Scope::Auto, fixture, expect);
}

fn check_units(text: &str, expect: Expect) {
    let lines: Vec<&str> = text.lines().collect();
    let mut shown = String::new();
    for unit in units(&lines) {
        let Range { start, end } = unit.lines;
        shown.push_str(&format!("{start}..{end} {}\n", lines[unit.head as usize].trim_end()));
    }
    expect.assert_eq(&shown);
}

#[test]
fn units_of_rust() {
    check_units(
        "//! A module.\n\nuse a;\nuse b;\n\n/// Loads.\n#[must_use]\npub fn load(\n    url: &Url,\n) -> Body {\n    get(url)\n}\n\nconst A: u32 = 1;\nstruct S {\n    a: u32,\n}\nimpl S {\n    fn f() {}\n\n    fn g() {}\n}\n",
        expect![[r#"
                0..2 //! A module.
                2..5 use a;
                5..13 pub fn load(
                13..14 const A: u32 = 1;
                14..17 struct S {
                17..22 impl S {
            "#]],
    );
}

#[test]
fn units_of_python() {
    check_units(
        "import a\nimport b\n\n@decorated\ndef f(x):\n    if x:\n        return 1\n    else:\n        return 2\n# about g\ndef g():\n    pass\n\nx = 1\ny = 2\n",
        expect![[r#"
                0..3 import a
                3..9 def f(x):
                9..13 def g():
                13..15 x = 1
            "#]],
    );
}

#[test]
fn comments_and_attributes() {
    check_units(
        "a();\n/**\n * About b.\n */\nfunction b() {\n  c();\n}\n@route(\n    path,\n)\ndef d():\n    e\n# left in\n    f\n",
        expect![[r#"
                0..1 a();
                1..7 function b() {
                7..14 def d():
            "#]],
    );
    check_units(
        "a {\n  b\n}\n@media x {\n  c\n}\n",
        expect![[r#"
            0..3 a {
            3..6 @media x {
        "#]],
    );
}

#[test]
fn units_of_other_shapes() {
    check_units(
        "int\nmain(void)\n{\n\treturn 0;\n}\n\nint x;\n",
        expect![[r#"
            0..6 int
            6..7 int x;
        "#]],
    );
    check_units(
        "    indented\n      deeper\n    second\n      deeper\n",
        expect![[r#"
            0..2     indented
            2..4     second
        "#]],
    );
    check_units(
        "[a]\nb = 1\nc = 2\n\n[d]\ne = 1\n",
        expect![[r#"
            0..4 [a]
            4..6 [d]
        "#]],
    );
    check_units("\n\n}\n", expect![]);
    check_units(
        "// only a comment",
        expect![[r#"
            0..1 // only a comment
        "#]],
    );
    check_units("", expect![]);
}

#[test]
fn a_long_unit_has_units_inside() {
    let method = |name: &str| format!("    fn {name}() {{\n{}    }}\n\n", "        a();\n".repeat(30));
    check_units(
        &format!("impl S {{\n    const A: u32 = 1;\n\n{}{}}}\nfn h() {{}}\n", method("f"), method("g")),
        expect![[r#"
            0..1 impl S {
            1..3     const A: u32 = 1;
            3..36     fn f() {
            36..70     fn g() {
            70..71 fn h() {}
        "#]],
    );
}

#[test]
fn head_and_others() {
    check(
        "\
a|/// Loads a body.
a|pub fn load() {
 |    let client = Client::new();
A|    retry();
b|}
 |
 |fn other() {
 |    x();
 |}
",
        expect![[r#"
                ⟦ Claude · 3 turns · 4 of 9 lines ⟧
                /// Loads a body.
                ⟦ Claude · turn A · 14:05 | +2 turns ⟧
                pub fn load() {
            "#]],
    );
}

#[test]
fn neighbours_with_the_same_newest_turn() {
    check(
        "\
A|fn f() {
a|    x();
A|}
 |
A|fn g() {
b|    x();
A|}
 |
a|fn h() {
a|    x();
a|}
 |
A|fn i() {}
",
        expect![[r#"
                ⟦ Claude · 3 turns · 10 of 13 lines | Claude · turn A · 14:05 | +2 turns ⟧
                fn f() {
                ⟦ Claude · turn a · 1 Nov ⟧
                fn h() {
                ⟦ Claude · turn A · 14:05 ⟧
                fn i() {}
            "#]],
    );
}

#[test]
fn one_turn_one_lens() {
    check(
        "\
A|fn f() {
A|    x();
A|}
 |
 |fn of_a_person() {}
 |
A|fn g() {
A|    x();
A|}
",
        expect![[r#"
                ⟦ Claude · turn A · 14:05 ⟧
                fn f() {
            "#]],
    );
    check(
        "\
 |fn f() {
A|    x();
 |    x();
 |}
 |
 |fn of_a_person() {}
 |
 |fn g() {
A|    x();
 |}
",
        expect![[r#"
                ⟦ Claude · turn A · 14:05 ⟧
                fn f() {
                ⟦ Claude · turn A · 14:05 ⟧
                fn g() {
            "#]],
    );
}

#[test]
fn inferred_and_other_agents() {
    check(
        "i|fn f() {\ni|}\n",
        expect![[r#"
            ⟦ Claude? · turn i · 11 Nov ⟧
            fn f() {
        "#]],
    );
    check(
        "i|fn f() {\nx|    a();\n |}\n",
        expect![[r#"
            ⟦ Claude, Codex · 2 turns · 2 of 3 lines | Codex · turn x · 12 Nov | +1 turn ⟧
            fn f() {
        "#]],
    );
}

#[test]
fn recent_before_old_within_the_budget() {
    let old: String = "abcde".repeat(4).chars().map(|c| format!("{c}|fn f() {{}}\n |\n")).collect();
    check(
        &old,
        expect![[r#"
            ⟦ Claude · 5 turns · 20 of 40 lines ⟧
            fn f() {}
            ⟦ Claude · turn e · 5 Nov ⟧
            fn f() {}
            ⟦ Claude · turn e · 5 Nov ⟧
            fn f() {}
        "#]],
    );
    check(
        &format!("{old}A|fn g() {{}}\n |\nB|fn h() {{}}\n"),
        expect![[r#"
            ⟦ Claude · 7 turns · 22 of 43 lines ⟧
            fn f() {}
            ⟦ Claude · turn A · 14:05 ⟧
            fn g() {}
            ⟦ Claude · turn B · 14:06 ⟧
            fn h() {}
        "#]],
    );
    let recent: String = "ABCDE".repeat(5).chars().map(|c| format!("{c}|fn f() {{}}\n |\n")).collect();
    check(
        &recent,
        expect![[r#"
            ⟦ Claude · 5 turns · 25 of 50 lines ⟧
            fn f() {}
            ⟦ Claude · turn E · 14:09 ⟧
            fn f() {}
            ⟦ Claude · turn E · 14:09 ⟧
            fn f() {}
        "#]],
    );
}

#[test]
fn scopes() {
    let fixture = "a|fn f() {}\n |\nA|fn g() {}\n |\nb|fn h() {}\n |\nc|fn i() {}\n |\nd|fn j() {}\n";
    check_scope(
        Scope::Auto,
        fixture,
        expect![[r#"
            ⟦ Claude · 5 turns · 5 of 9 lines ⟧
            fn f() {}
            ⟦ Claude · turn A · 14:05 ⟧
            fn g() {}
            ⟦ Claude · turn d · 4 Nov ⟧
            fn j() {}
        "#]],
    );
    check_scope(
        Scope::Recent,
        fixture,
        expect![[r#"
            ⟦ Claude · 5 turns · 5 of 9 lines ⟧
            fn f() {}
            ⟦ Claude · turn A · 14:05 ⟧
            fn g() {}
        "#]],
    );
    check_scope(
        Scope::All,
        fixture,
        expect![[r#"
            ⟦ Claude · 5 turns · 5 of 9 lines | Claude · turn a · 1 Nov ⟧
            fn f() {}
            ⟦ Claude · turn A · 14:05 ⟧
            fn g() {}
            ⟦ Claude · turn b · 2 Nov ⟧
            fn h() {}
            ⟦ Claude · turn c · 3 Nov ⟧
            fn i() {}
            ⟦ Claude · turn d · 4 Nov ⟧
            fn j() {}
        "#]],
    );
    check_scope(
        Scope::File,
        fixture,
        expect![[r#"
            ⟦ Claude · 5 turns · 5 of 9 lines ⟧
            fn f() {}
        "#]],
    );
    check_scope(Scope::Off, fixture, expect![""]);
    check_scope(Scope::All, " |fn f() {}\n", expect![""]);
}

#[test]
fn excluded_files_have_none() {
    let (lines, owners) = parse("A|fn f() {}\n");
    assert_eq!(code_lenses(&lines, &owners, &table(), true, Scope::All, &view()), []);
}

fn files() -> impl Strategy<Value = (Vec<&'static str>, Vec<Option<u32>>)> {
    let line = prop_oneof![
        Just("fn f() {"),
        Just("}"),
        Just("    x();"),
        Just("        y();"),
        Just("    fn g() {"),
        Just("    }"),
        Just("use a;"),
        Just("// comment"),
        Just("\tz"),
        Just("")
    ];
    let owner = prop::option::of(0..number(LETTERS.len()));
    prop::collection::vec((line, owner), 0..400).prop_map(|lines| lines.into_iter().unzip())
}

proptest! {
    #[test]
    fn rows_keep_to_the_budget((lines, owners) in files()) {
        let table = table();
        let lenses = code_lenses(&lines, &owners, &table, false, Scope::Auto, &view());
        let mut rows: Vec<u32> = lenses.iter().map(|lens| lens.line).collect();
        rows.dedup();
        let recent = owners.iter().flatten().any(|owner| table[*owner as usize].recent);
        let most = (lines.len() / if recent { 15 } else { 50 }).max(3);
        prop_assert!(rows.len() <= most, "{} rows in {} lines", rows.len(), lines.len());
        let heads: Vec<u32> = units(&lines).iter().map(|unit| unit.head).collect();
        let is_file = |line: u32| lenses.iter().any(|lens| lens.line == line && lens.kind == LensKind::File);
        for row in &rows {
            prop_assert!(heads.contains(row) || is_file(*row), "row {row} is no head");
        }
        let again = code_lenses(&lines, &owners, &table, false, Scope::Auto, &view());
        prop_assert_eq!(lenses, again);
    }

    #[test]
    fn units_are_all_of_a_file((lines, _) in files()) {
        let units = units(&lines);
        let mut next = 0;
        for unit in &units {
            prop_assert!(unit.lines.contains(&unit.head));
            prop_assert!(lines[next as usize..unit.lines.start as usize].iter().all(|line| line.is_empty()));
            next = unit.lines.end;
        }
        if !units.is_empty() {
            prop_assert!(lines[next as usize..].iter().all(|line| line.is_empty()));
        }
        // No head stands inside a unit of the file's lowest indentation that is not long.
        let lowest = lines.iter().filter(|line| !line.is_empty() && Shape::of(line).kind != Kind::Tail);
        let lowest = lowest.filter_map(|line| Shape::of(line).indent).min();
        for pair in units.windows(2) {
            let deeper = |unit: &Unit| Shape::of(lines[unit.head as usize]).indent > lowest;
            if !deeper(&pair[0]) && deeper(&pair[1]) {
                let next = units.iter().find(|unit| unit.head > pair[0].head && !deeper(unit));
                let end = next.map_or(number(lines.len()), |unit| unit.lines.start);
                prop_assert!(end - pair[0].lines.start > 60, "units inside {:?}", pair[0]);
            }
        }
    }
}
