//! Titles of turns: the first prose line of a prompt, cut short.

const WIDTH: usize = 48;
const FIRST_CUT: usize = 12;
const PASTED_LINES: usize = 3;
const WEAK_WORDS: &str = "yes yep yeah sure ok okay go on ahead continue proceed please do it that this both next step \
                          option start thanks and";

/// The title of a prompt by itself: its first prose line without Markdown marks, cut at the first sentence end, then
/// at a word.
pub fn of_prompt(prompt: &str, images: u32) -> String {
    match first_prose_line(prompt) {
        Some(line) => cut(&line),
        None if prompt.trim().is_empty() && images > 0 => "[image]".into(),
        None if prompt.trim().is_empty() => "[empty]".into(),
        None => format!("[pasted, {} lines]", prompt.lines().count()),
    }
}

/// Whether a prompt says nothing without the one before it: "yes", "do 1".
pub fn is_weak(prompt: &str) -> bool {
    let text = prompt.trim();
    if text.is_empty() || text.contains('\n') {
        return false;
    }
    let spaced = text.is_ascii() || text.chars().all(|c| !is_unspaced_script(c));
    if !spaced {
        return text.chars().filter(|c| c.is_alphanumeric()).count() <= 4;
    }
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let listed = |word: &str| {
        word.chars().all(|c| c.is_numeric())
            || WEAK_WORDS.split_whitespace().any(|weak| weak.eq_ignore_ascii_case(word))
    };
    words.clone().nth(2).is_none() || words.clone().all(listed)
}

/// The title of a weak prompt behind the title of the last prompt that was not. The earlier part is cut first.
pub fn after(strong: &str, weak: &str) -> String {
    let room = WIDTH.saturating_sub(weak.chars().count() + 3).max(FIRST_CUT);
    format!("{} → {weak}", at_word(strong, room))
}

/// For tab titles and URIs: `add-retry-to-the-loader`.
pub fn slug(title: &str) -> String {
    let mut slug = String::new();
    for c in title.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => slug.push(c.to_ascii_lowercase()),
            _ if slug.ends_with('-') || slug.is_empty() => {}
            _ => slug.push('-'),
        }
        if slug.len() >= WIDTH {
            break;
        }
    }
    let slug = slug.trim_matches('-');
    if slug.is_empty() { "untitled".into() } else { slug.into() }
}

fn is_unspaced_script(c: char) -> bool {
    matches!(c, '\u{0E00}'..='\u{0EFF}' | '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}')
}

fn first_prose_line(prompt: &str) -> Option<String> {
    let mut fence: Option<&str> = None;
    let mut lines = prompt.lines();
    let mut rest = lines.clone();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if let Some(mark) = fence {
            fence = if line.starts_with(mark) { None } else { Some(mark) };
        } else if line.starts_with("```") || line.starts_with("~~~") {
            fence = Some(&line[..3]);
        } else if !line.is_empty() && !line.starts_with('>') && line.chars().any(char::is_alphanumeric) {
            let pasted = rest.take_while(|line| looks_pasted(line)).count();
            if pasted < PASTED_LINES {
                return Some(strip_markdown(line));
            }
            // One of them is taken already.
            lines.nth(pasted - 2);
        }
        rest = lines.clone();
    }
    None
}

/// A line of a stack trace, a log or a compiler's output.
fn looks_pasted(line: &str) -> bool {
    let text = line.trim();
    let stamped = text.len() > 10 && text.as_bytes()[..4].iter().all(u8::is_ascii_digit) && text.as_bytes()[4] == b'-';
    let bracketed = text.starts_with('[') && text.contains(']');
    let starts = [
        "at ",
        "File \"",
        "Traceback",
        "error:",
        "error[",
        "warning:",
        "--> ",
        "| ",
        "INFO",
        "WARN",
        "ERROR",
        "DEBUG",
        "npm ERR!",
        "panicked at",
        "thread '",
        "note:",
        "help:",
        "= ",
        "#0",
        "$ ",
        "Caused by",
    ];
    stamped
        || bracketed
        || starts.iter().any(|start| text.starts_with(start))
        || (line.starts_with("    ") && text.contains([':', '(', ';', '{']))
}

fn strip_markdown(line: &str) -> String {
    let line = line.trim_start_matches(['#', '*', '-', '+', ' ', '\t']);
    let mut text = String::new();
    let mut shown = 0;
    for c in line.chars() {
        text.push(match c {
            '`' | '*' => continue,
            c if c.is_whitespace() && text.ends_with(' ') => continue,
            c if c.is_whitespace() => ' ',
            c if c.is_control() => '␛',
            // They turn the direction of writing: the text would read as what it is not.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c => c,
        });
        shown += 1;
        // More than any title has.
        if shown == 2 * WIDTH {
            break;
        }
    }
    text.trim().trim_end_matches('.').trim().to_owned()
}

fn cut(line: &str) -> String {
    // What ends behind that is cut at a word anyhow.
    let chars: Vec<char> = line.chars().take(WIDTH + 3).collect();
    for (at, pair) in chars.windows(2).enumerate() {
        let ends = match pair {
            ['.' | '!' | '?' | ':' | ';', next] => next.is_whitespace(),
            [space, '—' | '–' | '-'] if space.is_whitespace() => {
                chars.get(at + 2).is_some_and(|c| c.is_whitespace())
            }
            _ => false,
        };
        if ends && at >= FIRST_CUT {
            let end = if matches!(pair[0], '?' | '!') { at + 1 } else { at };
            return at_word(chars[..end].iter().collect::<String>().trim(), WIDTH);
        }
    }
    at_word(line, WIDTH)
}

fn at_word(text: &str, width: usize) -> String {
    if text.chars().nth(width).is_none() {
        return text.to_owned();
    }
    let head: String = text.chars().take(width - 1).collect();
    let end = match head.rfind(' ') {
        Some(at) if at >= FIRST_CUT => at,
        _ => head.len(),
    };
    format!("{}…", head[..end].trim_end_matches([' ', ',', '.', ';', ':']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(prompt: &str, expect: Expect) {
        expect.assert_eq(&format!("{}{}", of_prompt(prompt, 0), if is_weak(prompt) { " (weak)" } else { "" }));
    }

    #[test]
    fn titles() {
        check("Add retry to the loader: three attempts, back off 200 ms.", expect!["Add retry to the loader"]);
        check("yes", expect!["yes (weak)"]);
        check("do 1", expect!["do 1 (weak)"]);
        check("yes please go on and do that", expect!["yes please go on and do that (weak)"]);
        check("## Fix `parse` in **loader**.", expect!["Fix parse in loader"]);
        check("> quoted\n\nWhy is this so slow?", expect!["Why is this so slow?"]);
        check("```\ncode\n```\nExplain the code above", expect!["Explain the code above"]);
        check("error: a\nerror: b\nerror: c", expect!["[pasted, 3 lines]"]);
        check("error: a\nerror: b\nerror: c\nwhat is this about", expect!["what is this about"]);
        check(
            "Please look at the whole of the parser and make it faster everywhere",
            expect!["Please look at the whole of the parser and…"],
        );
        check("继续", expect!["继续 (weak)"]);
        check("给加载器添加重试机制并写测试", expect!["给加载器添加重试机制并写测试"]);
        check("", expect!["[empty]"]);
    }

    #[test]
    fn weak_after_strong() {
        assert_eq!(after("Add retry to the loader", "yes"), "Add retry to the loader → yes");
        assert_eq!(
            after("Please look at the whole of the parser and…", "yes, go on"),
            "Please look at the whole of the… → yes, go on"
        );
        assert_eq!(slug("Add retry to the loader → yes"), "add-retry-to-the-loader-yes");
        assert_eq!(slug("给加载器"), "untitled");
    }
}
