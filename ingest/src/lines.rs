//! A record's lines.

/// The lines of a record that aren't blank, with their numbers from 1.
pub fn lines(payload: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    (1..).zip(payload.split(|&byte| byte == b'\n')).filter(|(_, line)| !line.trim_ascii().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(payload: &str, expected: &[(u64, &str)]) {
        let expected: Vec<(u64, &[u8])> = expected.iter().map(|&(number, line)| (number, line.as_bytes())).collect();
        assert_eq!(lines(payload.as_bytes()).collect::<Vec<_>>(), expected, "{payload:?}");
    }

    #[test]
    fn blank_lines_are_counted_but_not_yielded() {
        check("{}", &[(1, "{}")]);
        check("{}\n", &[(1, "{}")]);
        check("a\n\n \r\nb\n", &[(1, "a"), (4, "b")]);
        check("", &[]);
    }
}
