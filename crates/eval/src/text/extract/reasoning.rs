/// What follows the last `</think>`, all of the text where none is in it; `None` where a `<think>` is not closed. A text may begin inside:
/// chat templates write the opening tag themselves.
pub(super) fn answer(text: &str) -> Option<&str> {
    const CLOSE: &str = "</think>";
    let rest = text.rfind(CLOSE).map_or(text, |at| &text[at + CLOSE.len()..]);
    (!rest.contains("<think>")).then_some(rest)
}
