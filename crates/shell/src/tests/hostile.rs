//! Texts that were made to break a reader: nothing panics, the work is bounded by the length, and what is not understood
//! may have done anything.

use proptest::prelude::*;

use crate::{Act, Effects, effects, touches};

fn is_open(effects: &Effects) -> bool {
    effects.acts.iter().any(|effect| matches!(effect.act, Act::Program { .. }))
}

/// The same shape at two sizes: what is told must not grow faster than the text.
fn check_growth(make: impl Fn(usize) -> String) {
    const SMALL: usize = 500;
    let count = |effects: &Effects| effects.acts.len();
    let (small, large) = (make(SMALL), make(20 * SMALL));
    let (few, many) = (effects(&small), effects(&large));
    let bound = 8 * large.len() + 20_000;
    assert!(count(&many) <= bound, "{} acts of {} bytes", count(&many), large.len());
    assert!(is_open(&many) || count(&many) <= 20 * count(&few) + 20, "{} and {}", count(&few), count(&many));
}

#[test]
fn nested() {
    for (open, close) in [
        ("( ", " )"),
        ("$(", ")"),
        ("{ ", "; }"),
        ("\"$(", ")\""),
        ("if ", ""),
        ("`", "`"),
        ("${x:-", "}"),
        ("<(", ")"),
        ("bash -c '", "'"),
        ("a() ", ""),
        ("[", "]"),
        ("{a,", "}"),
        ("!(", ")"),
    ] {
        let text = |n: usize| format!("{}rm a{}", open.repeat(n), close.repeat(n));
        check_growth(text);
        let deep = effects(&text(5_000));
        assert!(!deep.only_reads(), "{open}");
    }
    // Arithmetic, in which nothing is run.
    check_growth(|n| format!("(({}rm a{}))", "(".repeat(n), ")".repeat(n)));
    check_growth(|n| format!("echo {}1{}", "$((".repeat(n), "))".repeat(n)));
}

#[test]
fn multiplied() {
    check_growth(|n| (0..n).map(|n| format!("A{n}=$A{}$A{};", n.saturating_sub(1), n.saturating_sub(1))).collect());
    check_growth(|n| format!("A=x;{}", "A=$A$A;".repeat(n)));
    check_growth(|n| "for i in 1 2 3 4 5 6 7 8; do ".repeat(n.min(30)) + "rm a$i" + &"; done".repeat(n.min(30)));
    check_growth(|n| {
        format!(
            "f0() {{ rm a; }}; {} f{n}",
            (1..=n).map(|n| format!("f{n}() {{ f{0}; f{0}; }};", n - 1)).collect::<String>()
        )
    });
    check_growth(|n| format!("rm {}", "{a,b}".repeat(n)));
    check_growth(|n| "{".repeat(n) + "a,b" + &"}".repeat(n));
    check_growth(|n| {
        format!("{} x=1{}", "(".repeat(n.min(30)), ")".repeat(n.min(30)))
            + &(0..n).map(|n| format!("; V{n}=1; (W=1)")).collect::<String>()
    });
    check_growth(|n| "cat <<A ".repeat(n) + "\nx\n");
    check_growth(|n| "a[".repeat(n));
    check_growth(|n| "cat > f <<EOF\n$(".repeat(n.min(100)) + "\nEOF");
    check_growth(|n| "eval \"eval '".repeat(n));
    check_growth(|n| format!("sed -i '{}' f", "{".repeat(n)));
    check_growth(|n| format!("sed -i -E 's/{}/x/' f", "(".repeat(n)));
    check_growth(|n| format!(":(){{ :|:& }};:{}", ":".repeat(n)));
}

#[test]
fn patterns_that_are_dear() {
    let command = format!("sed -i -E 's/({}){{200}}{{200}}/x/' f", "a{200}".repeat(20));
    for effect in effects(&command).acts {
        if let Act::Substitute { script, .. } = effect.act {
            assert!(script.compile().is_none());
        }
    }
}

/// Pieces of which commands are made.
fn fragment() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "rm",
        "sed -i",
        "'s/a/b/'",
        "'",
        "\"",
        "$(",
        ")",
        "`",
        "${",
        "}",
        "{",
        "((",
        "))",
        "<<EOF",
        "\nEOF\n",
        "\n",
        ";",
        "&&",
        "||",
        "|",
        "&",
        ">",
        ">>",
        "2>&1",
        "<",
        "<(",
        "if",
        "then",
        "fi",
        "for x in",
        "do",
        "done",
        "case",
        "in",
        "esac",
        "a.rs",
        "$x",
        "x=1",
        "*",
        "[a",
        "]",
        "~",
        "\\",
        "#",
        "cd",
        "..",
        "/",
        "find . -exec",
        "xargs",
        "bash -c",
        "perl -pi -e",
        "git",
        "checkout",
        "--",
        "echo -e",
        "printf",
        "%s",
        "é",
        "\u{1F600}",
        "\r",
        "\t",
        "function f",
        "()",
        "[[",
        "]]",
        "!",
        "-i",
        "-n",
        "EOF",
        "cat",
        "{a,b}",
        "$'\\x",
        "y/",
        "s{",
        "1,2",
        "curl -o",
        "-",
        "=",
        "tee",
        "while",
    ];
    prop_oneof![4 => proptest::sample::select(WORDS).prop_map(str::to_owned), 1 => ".{0,4}"]
}

/// Pieces behind which a new line begins a new command.
const CLOSED: &[&str] = &[
    "rm",
    "sed -i",
    "'s/a/b/'",
    "\n",
    ";",
    "&&",
    "||",
    "2>&1",
    "if",
    "then",
    "fi",
    "done",
    "esac",
    "a.rs",
    "$x",
    "x=1",
    "*",
    "[a",
    "]",
    "~",
    "cd",
    "..",
    "/",
    "find . -exec",
    "xargs",
    "bash -c",
    "perl -pi -e",
    "git",
    "checkout",
    "--",
    "printf",
    "%s",
    "!",
    "-i",
    "-n",
    "cat",
    "{a,b}",
    "s{",
    "1,2",
    "curl -o",
    "tee",
    "while",
    "exit",
    "set -e",
    "cat <<EOF\nx\nEOF\n",
    "( ls )",
    "\"a\nb\"",
    "$(ls)",
    "|",
    "&",
    "# x",
    "do",
    "{",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nothing_panics(text in ".{0,80}", fragments in proptest::collection::vec(fragment(), 0..24), glue in any::<bool>()) {
        for command in [text, fragments.join(if glue { " " } else { "" })] {
            let effects = effects(&command);
            touches(&command);
            for effect in &effects.acts {
                if let Act::Substitute { script, .. } = &effect.act
                    && let Some(ready) = script.compile()
                {
                    ready.text("a b\nc\n\nlast");
                    ready.line("a b");
                }
            }
        }
    }

    /// A line of its own that writes is seen, whatever stands on the lines around it that opens nothing.
    #[test]
    fn a_write_is_always_seen(
        before in proptest::collection::vec(proptest::sample::select(CLOSED), 0..6),
        after in proptest::collection::vec(fragment(), 0..6),
    ) {
        let command = format!("{}\necho hidden > secret.txt\n{}", before.join(" "), after.join(" "));
        let seen = effects(&command).acts.iter().any(|effect| match &effect.act {
            Act::Program { .. } => true,
            // Wherever `cd` went before.
            Act::Write { target, .. } => format!("{target:?}").contains("secret.txt"),
            _ => false,
        });
        prop_assert!(seen, "{command}");
    }
}
