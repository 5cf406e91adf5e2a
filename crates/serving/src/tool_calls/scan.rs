/// Levels at which a reader of JSON gives up.
const MAX_DEPTH: usize = 127;

/// Looks for the end of a JSON object that comes in pieces; every byte is looked at once.
#[derive(Clone, Debug, Default)]
pub(super) struct Scan {
    /// Bytes looked at.
    at: usize,
    depth: usize,
    in_string: bool,
    escaped: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The object ends before this byte.
    End(usize),
    /// No object begins like this.
    Not,
    More,
}

impl Scan {
    /// Goes on in `text`, which begins with `{` and what earlier calls were given.
    pub(super) fn advance(&mut self, text: &str) -> Found {
        let first = text[1..].trim_ascii_start().chars().next();
        if first.is_some_and(|first| !matches!(first, '"' | '}')) {
            return Found::Not;
        }
        for byte in &text.as_bytes()[self.at..] {
            self.at += 1;
            self.take(*byte);
            if self.depth == 0 {
                return Found::End(self.at);
            }
            if self.depth > MAX_DEPTH {
                return Found::Not;
            }
        }
        Found::More
    }

    fn take(&mut self, byte: u8) {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = self.in_string,
            b'"' => self.in_string = !self.in_string,
            _ if self.in_string => {}
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_strings_do_not_count() {
        let text = r#"{"a}\"]": ["{", {"b": "\\"}]} rest"#;
        for cut in 1..text.len() {
            let mut scan = Scan::default();
            let first = scan.advance(&text[..cut]);
            let last = if first == Found::More { scan.advance(text) } else { first };
            assert_eq!(last, Found::End(text.len() - 5), "{cut}");
        }
        assert_eq!(Scan::default().advance("{ x"), Found::Not);
        assert_eq!(Scan::default().advance(&"{\"\":".repeat(1000)), Found::Not);
    }
}
