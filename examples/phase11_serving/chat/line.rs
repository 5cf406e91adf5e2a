//! What a line of input asks for.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Nothing.
    Empty,
    /// A turn of the conversation.
    Say(&'a str),
    /// `/reset`: forgets the conversation and keeps the instructions.
    Reset,
    /// `/system TEXT`: sets the instructions, or with no text takes them away; and forgets the conversation.
    System(Option<&'a str>),
    /// `/quit`.
    Quit,
    /// A command that there is not.
    Unknown(&'a str),
}

impl<'a> Line<'a> {
    /// A line begins with one slash where it is a command; two stand for one that is said.
    pub(super) fn parse(line: &'a str) -> Self {
        let line = line.trim();
        if line.is_empty() {
            return Self::Empty;
        }
        let Some(command) = line.strip_prefix('/') else { return Self::Say(line) };
        if command.starts_with('/') {
            return Self::Say(command);
        }
        let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        let rest = rest.trim();
        match name {
            "reset" if rest.is_empty() => Self::Reset,
            "quit" if rest.is_empty() => Self::Quit,
            "system" => Self::System(Some(rest).filter(|rest| !rest.is_empty())),
            _ => Self::Unknown(line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_turns_or_commands() {
        for (line, expected) in [
            ("", Line::Empty),
            ("  \t\r\n", Line::Empty),
            (" hello there \n", Line::Say("hello there")),
            ("a /reset within", Line::Say("a /reset within")),
            ("/reset\n", Line::Reset),
            ("/reset now", Line::Unknown("/reset now")),
            ("/quit", Line::Quit),
            ("/quitting", Line::Unknown("/quitting")),
            ("/system  Be brief. \n", Line::System(Some("Be brief."))),
            ("/system", Line::System(None)),
            ("/systematic", Line::Unknown("/systematic")),
            ("//etc/passwd", Line::Say("/etc/passwd")),
            ("/", Line::Unknown("/")),
        ] {
            assert_eq!(Line::parse(line), expected, "{line:?}");
        }
    }
}
