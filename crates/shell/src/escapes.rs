//! Escapes with a backslash, as `$'…'`, `printf` and `echo -e` read them.

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// `$'…'`
    Quoted,
    /// The format of `printf`.
    Format,
    /// `echo -e`, `%b`
    Echo,
}

/// `None`: the outcome is no text, or not the same in all shells.
pub(crate) fn decode(text: &str, style: Style) -> Option<String> {
    if !text.contains('\\') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let mut digits = |radix: u32, most: usize| {
            let mut value = None;
            for _ in 0..most {
                let Some(digit) = chars.peek().and_then(|c| c.to_digit(radix)) else { break };
                chars.next();
                value = Some(value.unwrap_or(0) * radix + digit);
            }
            value
        };
        if let Some(octal) = match style {
            Style::Echo => None,
            Style::Quoted | Style::Format => digits(8, 3),
        } {
            bytes.push(u8::try_from(octal).ok()?);
            continue;
        }
        match chars.next()? {
            'n' => bytes.push(b'\n'),
            't' => bytes.push(b'\t'),
            'r' => bytes.push(b'\r'),
            'a' => bytes.push(7),
            'b' => bytes.push(8),
            'f' => bytes.push(12),
            'v' => bytes.push(11),
            'e' | 'E' => bytes.push(27),
            '\\' => bytes.push(b'\\'),
            c @ ('"' | '\'' | '?') if style != Style::Echo => bytes.push(c as u8),
            'x' => {
                let value = take(&mut chars, 16, 2)?;
                bytes.push(u8::try_from(value).ok()?);
            }
            'u' => push_char(&mut bytes, take(&mut chars, 16, 4)?)?,
            'U' => push_char(&mut bytes, take(&mut chars, 16, 8)?)?,
            _ => return None,
        }
    }
    // A NUL ends the text in some shells and is dropped in others.
    if bytes.contains(&0) {
        return None;
    }
    String::from_utf8(bytes).ok()
}

fn take(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, radix: u32, most: usize) -> Option<u32> {
    let mut value = None;
    for _ in 0..most {
        let Some(digit) = chars.peek().and_then(|c| c.to_digit(radix)) else { break };
        chars.next();
        value = Some(value.unwrap_or(0u32).checked_mul(radix)?.checked_add(digit)?);
    }
    value
}

fn push_char(bytes: &mut Vec<u8>, value: u32) -> Option<()> {
    let c = char::from_u32(value)?;
    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    Some(())
}

/// What `printf FORMAT ARGS…` prints.
pub(crate) fn printf(format: &str, args: &[&str]) -> Option<String> {
    let mut out = String::new();
    let mut args = args.iter();
    loop {
        let before = args.len();
        let mut rest = format;
        while let Some(at) = rest.find('%') {
            out.push_str(&decode(&rest[..at], Style::Format)?);
            rest = &rest[at + 1..];
            let kind = rest.chars().next()?;
            rest = &rest[kind.len_utf8()..];
            match kind {
                '%' => out.push('%'),
                's' => out.push_str(args.next().copied().unwrap_or_default()),
                'b' => out.push_str(&decode(args.next().copied().unwrap_or_default(), Style::Echo)?),
                'd' => {
                    let number: i64 = args.next().copied().unwrap_or("0").parse().ok()?;
                    out.push_str(&number.to_string());
                }
                _ => return None,
            }
        }
        out.push_str(&decode(rest, Style::Format)?);
        // The format is used again as long as there are arguments, if it takes any.
        if args.len() == 0 || args.len() == before {
            return Some(out);
        }
    }
}
