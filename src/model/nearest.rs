//! The known name that is nearest to one nobody knows, for "did you mean".

/// The candidate nearest to `word`, if one is near enough to be what was meant.
///
/// Case and the kind of separator do not count: `workingDir` and `working-dir` are `working_dir`.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // No known name is longer than this, and the distance costs the product of the lengths.
    if word.len() > 64 {
        return None;
    }
    let letters = fold(word);
    candidates
        .into_iter()
        .map(|candidate| (distance(&letters, &fold(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len().min(word.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, candidate)| *distance < candidate.len())
        .map(|(_, candidate)| candidate)
}

/// The letters that are compared: lower case, without separators.
fn fold(word: &str) -> Vec<char> {
    word.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// How many characters have to be inserted, removed, replaced or swapped with their neighbour
/// (the optimal string alignment distance).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &y) in b.iter().enumerate() {
            let replaced = last[j] + usize::from(x != y);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && x == b[j - 1] && a[i - 1] == y {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 6] = ["command", "args", "env", "working_dir", "tty", "image"];

    #[test]
    fn slips_of_the_finger_are_recognised() {
        for (typed, meant) in [
            ("comand", "command"),
            ("commnad", "command"),
            ("workingDir", "working_dir"),
            ("working-dir", "working_dir"),
            ("arg", "args"),
            ("imgae", "image"),
            ("ENV", "env"),
        ] {
            assert_eq!(nearest(typed, KEYS), Some(meant), "{typed}");
        }
    }

    #[test]
    fn other_words_are_not() {
        for typed in ["volumes", "x", "", "é", "healthcheck", &"a".repeat(10_000)] {
            assert_eq!(nearest(typed, KEYS), None, "{typed}");
        }
    }
}
