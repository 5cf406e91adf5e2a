/// Colours, where they are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Paint {
    pub(super) is_on: bool,
}

pub(super) const PLAIN: &str = "";
pub(super) const BOLD: &str = "1";
pub(super) const DIM: &str = "2";
pub(super) const RED: &str = "31";
pub(super) const GREEN: &str = "32";
pub(super) const YELLOW: &str = "33";
pub(super) const CYAN: &str = "36";

impl Paint {
    /// The text within the codes of `look`. It ends with the look that the terminal had.
    pub(super) fn with(self, look: &str, text: &str) -> String {
        if self.is_on && !look.is_empty() && !text.is_empty() { format!("\u{1b}[{look}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The code for a look of a state.
pub(super) fn of(look: &str) -> &'static str {
    match look {
        "good" => GREEN,
        "bad" => RED,
        "wait" => YELLOW,
        _ => CYAN,
    }
}
