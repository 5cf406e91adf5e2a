use super::host;

/// An address, read as a browser would.
#[derive(Debug, Default)]
pub(super) struct Target {
    /// In lower case.
    pub(super) scheme: Option<String>,
    /// In lower case, decoded; none where the address stays on the page's own host.
    pub(super) host: Option<String>,
    /// Whether something before an `@` looks like a host.
    pub(super) userinfo: bool,
    pub(super) path: String,
    pub(super) query: String,
}

impl Target {
    pub(super) fn read(written: &str) -> Self {
        let clean: String = unescaped(written).chars().filter(|character| !matches!(character, '\t' | '\n' | '\r')).collect();
        let clean = clean.trim_matches(|character: char| character.is_whitespace() || character.is_control());
        let (scheme, rest) = scheme(clean);
        let rest = match scheme.as_deref() {
            Some("javascript" | "vbscript" | "data") => return Self { scheme, path: rest.to_owned(), ..Self::default() },
            // However many slashes, and whichever way they lean.
            Some("http" | "https" | "ftp" | "ws" | "wss") => rest.trim_start_matches(['/', '\\']),
            _ if rest.starts_with("//") || rest.starts_with("\\\\") || rest.starts_with("/\\") || rest.starts_with("\\/") => {
                rest.trim_start_matches(['/', '\\'])
            }
            _ if clean.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("www.")) => clean,
            _ => return Self { scheme, ..Self::default() },
        };
        Self::after_slashes(scheme, rest)
    }

    fn after_slashes(scheme: Option<String>, rest: &str) -> Self {
        let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let (userinfo, name) = authority.rsplit_once('@').unwrap_or(("", authority));
        let name = match name.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
            _ => name,
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let host = Some(host::normal(name)).filter(|name| !name.is_empty());
        Self { scheme, host, userinfo: userinfo.contains(['.', '%']), path: decoded(path), query: decoded(query) }
    }
}

fn scheme(text: &str) -> (Option<String>, &str) {
    let end = text.find(|character: char| !(character.is_ascii_alphanumeric() || matches!(character, '+' | '-' | '.')));
    match end {
        Some(end) if end > 0 && text[end..].starts_with(':') && text.starts_with(|first: char| first.is_ascii_alphabetic()) => {
            (Some(text[..end].to_ascii_lowercase()), &text[end + 1..])
        }
        _ => (None, text.strip_prefix(':').unwrap_or(text)),
    }
}

/// `text` with `%xx` read; what is no UTF-8 then is replaced.
pub(super) fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = (bytes[at] == b'%').then(|| bytes.get(at + 1..at + 3)).flatten().and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            out.push(byte);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// `text` with the entities read that hide addresses: numbers, and the names of their marks.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(12).position(|byte| byte == b';');
        let read = end.and_then(|end| Some((entity(&rest[1..end])?, end + 1)));
        let (character, length) = read.unwrap_or(('&', 1));
        out.push(character);
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => number.parse(),
        };
        return code.ok().and_then(char::from_u32);
    }
    let known = [
        ("amp", '&'),
        ("colon", ':'),
        ("sol", '/'),
        ("bsol", '\\'),
        ("period", '.'),
        ("commat", '@'),
        ("Tab", '\t'),
        ("NewLine", '\n'),
        ("quest", '?'),
    ];
    known.into_iter().find(|(known, _)| *known == name).map(|(_, character)| character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_browsers_do() {
        let cases = [
            ("https://good.example@evil.example/x", "evil.example"),
            ("https:\\\\evil.example\\x", "evil.example"),
            ("HTTP:///evil.example", "evil.example"),
            ("//evil.example:8080/a?b#c", "evil.example"),
            ("h&#116;tps&colon;//evil.example", "evil.example"),
            ("ht\ntps://ev\til.example", "evil.example"),
            ("https://%65vil.example", "evil.example"),
            ("https://evil。example", "evil.example"),
            ("www.evil.example.", "www.evil.example"),
            ("https://[2001:db8::1]:443/", "[2001:db8::1]"),
        ];
        for (written, host) in cases {
            assert_eq!(Target::read(written).host.as_deref(), Some(host), "{written}");
        }
        for relative in ["/a/b", "a.png", "#top", "mailto:a@b.example", ""] {
            assert_eq!(Target::read(relative).host, None, "{relative}");
        }
        assert_eq!(Target::read(" jAvascript&#x3A;alert(1)").scheme.as_deref(), Some("javascript"));
    }
}
