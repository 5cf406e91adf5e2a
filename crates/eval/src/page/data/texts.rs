use std::collections::HashMap;

use jarre_report::visible;

use crate::page::{Answer, Item, Report};

/// Texts of the page, each once.
pub(super) struct Texts {
    /// Bytes that a text keeps.
    limit: usize,
    places: HashMap<String, i64>,
    all: Vec<String>,
}

/// Limits of a text in bytes, tried from the first on.
const LIMITS: [usize; 6] = [20_000, 10_000, 5_000, 2_000, 1_000, 500];
/// Bytes of all texts of a page: more takes a browser long to open.
const TOTAL: usize = 48 << 20;

impl Texts {
    /// An empty list, whose limit is the largest that leaves the page of this report small enough.
    pub(super) fn for_all_of(report: &Report) -> Self {
        let lengths: Vec<usize> = report.items.iter().flat_map(lengths).collect();
        let fits = |limit: &usize| lengths.iter().map(|length| length.min(limit)).sum::<usize>() <= TOTAL;
        let limit = LIMITS.into_iter().find(fits).unwrap_or(LIMITS[LIMITS.len() - 1]);
        Self { limit, places: HashMap::new(), all: Vec::new() }
    }

    /// The place of a text.
    pub(super) fn place(&mut self, text: &str) -> i64 {
        let shown = visible(&cut(text, self.limit));
        let next = self.all.len() as i64;
        let place = *self.places.entry(shown.clone()).or_insert(next);
        if place == next {
            self.all.push(shown);
        }
        place
    }

    /// The place of a text, or -1.
    pub(super) fn optional(&mut self, text: Option<&str>) -> i64 {
        text.map_or(-1, |text| self.place(text))
    }

    pub(super) fn all(&self) -> &[String] {
        &self.all
    }
}

/// The lengths of the long texts of an item.
fn lengths(item: &Item) -> Vec<usize> {
    let reasons = |answer: &Answer| answer.scores.iter().filter_map(|score| score.explanation.as_ref()).map(String::len).sum::<usize>();
    let answers = item.answers.iter().flatten().flat_map(|answer| [answer.output.len(), reasons(answer)]);
    answers.chain([item.input.len(), item.target.as_ref().map_or(0, String::len)]).collect()
}

/// The text, or three quarters of `limit` bytes of its beginning and a quarter of its end, with a note between them: the answer often stands
/// at the end.
fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let (head, rest) = text.split_at(text.floor_char_boundary(limit / 4 * 3));
    let (left_out, tail) = rest.split_at(rest.ceil_char_boundary(rest.len().saturating_sub(limit / 4)));
    let missing = left_out.chars().count();
    let all = head.chars().count() + missing + tail.chars().count();
    format!("{head}\n⟨… {missing} of {all} characters are left out here …⟩\n{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(items: usize, length: usize) -> Report {
        let item = Item { input: "x".repeat(length), ..Item::default() };
        Report { items: vec![item; items], ..Report::default() }
    }

    #[test]
    fn a_text_stands_once() {
        let mut texts = Texts::for_all_of(&report(0, 0));
        assert_eq!((texts.place("a"), texts.place("b"), texts.place("a"), texts.optional(None)), (0, 1, 0, -1));
        assert_eq!(texts.all(), ["a", "b"]);
    }

    #[test]
    fn long_texts_keep_both_ends() {
        let text = format!("begin {} end", "ä".repeat(5_000_000));
        let kept = cut(&text, 20_000);
        assert!(kept.starts_with("begin ä") && kept.ends_with("ä end") && kept.len() < 20_200);
        assert!(kept.contains("of 5000010 characters are left out here"), "{}", &kept[14_900..15_200]);
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("ääää", 5).matches('ä').count(), 1, "three bytes at the front, none at the end");
    }

    #[test]
    fn many_texts_are_cut_shorter() {
        assert_eq!(Texts::for_all_of(&report(100, 10_000_000)).limit, 20_000);
        assert_eq!(Texts::for_all_of(&report(10_000, 10_000)).limit, 5_000);
        assert_eq!(Texts::for_all_of(&report(10_000, 3_000)).limit, 20_000, "30 MB fit");
        assert_eq!(Texts::for_all_of(&report(200_000, 1_000)).limit, 500);
    }
}
