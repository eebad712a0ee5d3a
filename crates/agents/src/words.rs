//! What readers of several agents say of texts.

/// The first line that says something, cut to what fits one line of a document.
pub(crate) fn head(text: &str) -> String {
    const WIDTH: usize = 120;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    match line.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line.to_owned(),
    }
}

/// The commit in `[branch abc1234] message`, as `git commit` prints it.
pub(crate) fn commit_in_line(line: &str) -> Option<&str> {
    let (inside, _) = line.trim_start().strip_prefix('[')?.split_once("] ")?;
    let (_, sha) = inside.rsplit_once(' ')?;
    ((7..=40).contains(&sha.len()) && sha.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(sha)
}

/// Lines added and removed between two texts, without the lines that both begin and end with.
pub(crate) fn lines_changed(old: &str, new: &str) -> (u32, u32) {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let head = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[head..], &new[head..]);
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    (count(new.iter()) - tail as u32, count(old.iter()) - tail as u32)
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
