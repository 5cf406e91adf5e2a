use std::collections::BTreeMap;

use pdf_oxide::{PdfDocument, layout::TextChar};

use super::script::{is_rtl, is_unspaced, plain};

/// Space between two letters that parts words, in font sizes.
const WORD_GAP: f32 = 0.18;
/// The same where a space character stands between them: some producers write spaces only to move the next letter by a hair.
const SPACE_GAP: f32 = 0.06;

/// A word and its place. `y` grows downwards, so that sorting by it sorts as a reader reads.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) text: String,
    /// Left edge, in points.
    pub(super) x0: f32,
    /// Right edge.
    pub(super) x1: f32,
    /// The baseline.
    pub(super) y: f32,
    /// Font size, in points.
    pub(super) size: f32,
    pub(super) bold: bool,
}

impl Word {
    fn of(glyphs: &[Glyph]) -> Self {
        let text: String = glyphs.iter().flat_map(|glyph| plain(glyph.c)).collect();
        // Glyphs come from left to right.
        let text = if is_rtl(&text) { text.chars().rev().collect() } else { text };
        let x1 = glyphs.iter().map(Glyph::end).fold(f32::NEG_INFINITY, f32::max);
        let size = most_common_size(glyphs.iter().map(|glyph| (glyph.size, 1)));
        let bold = glyphs.iter().filter(|glyph| glyph.bold).count() * 2 > glyphs.len();
        Self { text, x0: glyphs[0].x, x1, y: glyphs[0].y, size, bold }
    }

    /// Top of the letters, above the baseline.
    fn top(&self) -> f32 {
        self.y - 0.75 * self.size
    }

    /// Bottom of the letters that hang below the baseline.
    fn bottom(&self) -> f32 {
        self.y + 0.2 * self.size
    }

    /// How much of the lower of two words stands beside the other.
    fn beside(&self, other: &Self) -> f32 {
        let shared = self.bottom().min(other.bottom()) - self.top().max(other.top());
        shared / (0.95 * self.size.min(other.size))
    }
}

/// What runs in one direction on a page, seen upright.
#[derive(Debug)]
pub(super) struct Upright {
    pub(super) words: Vec<Word>,
    pub(super) turn: Turn,
}

/// The words of a page in no order, each once; most of the page comes first, then what runs across it: stamps in a margin, labels of an
/// axis.
pub(super) fn of_page(file: &PdfDocument, index: usize) -> pdf_oxide::Result<Vec<Upright>> {
    let shown = visible(file, index);
    let mut directions: BTreeMap<i32, Vec<Glyph>> = BTreeMap::new();
    for found in file.extract_chars(index)? {
        if let Some(glyph) = Glyph::of(&found).filter(|_| shown(&found)) {
            directions.entry(glyph.turn.0).or_default().push(glyph);
        }
    }
    let upright = |(turn, glyphs)| Upright { words: once(words(glyphs)), turn: Turn(turn) };
    let mut directions: Vec<Upright> = directions.into_iter().map(upright).collect();
    directions.sort_by_key(|upright| std::cmp::Reverse(upright.words.len()));
    directions.retain(|upright| !upright.words.is_empty());
    Ok(directions)
}

/// Whether a character stands on the page: printers' marks and what a crop hides do not.
fn visible(file: &PdfDocument, index: usize) -> impl Fn(&TextChar) -> bool + use<> {
    let page = file.get_page_visible_box(index).ok().filter(|page| page.2 - page.0 > 1.0 && page.3 - page.1 > 1.0);
    move |found| {
        page.is_none_or(|(left, bottom, right, top)| {
            let (x, y) = (found.origin_x, found.origin_y);
            left - 1.0 <= x && x <= right + 1.0 && bottom - 1.0 <= y && y <= top + 1.0
        })
    }
}

/// A direction of text, in degrees counter-clockwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn(i32);

impl Turn {
    /// Where a point of the page lies when text of this direction is seen upright; `y` grows downwards.
    pub(super) fn upright(self, x: f32, y: f32) -> (f32, f32) {
        match self.0 {
            0 => (x, -y),
            90 => (y, x),
            180 => (-x, y),
            -90 => (-y, -x),
            degrees => {
                let (sin, cos) = (degrees as f32).to_radians().sin_cos();
                (x * cos + y * sin, x * sin - y * cos)
            }
        }
    }

    /// The nearest quarter turn where one is near, else the nearest degree.
    fn of(degrees: f32) -> Self {
        let whole = (degrees.round() as i32).rem_euclid(360);
        let quarter = (whole + 45) / 90 * 90;
        let turn = if (whole - quarter).abs() <= 3 { quarter % 360 } else { whole };
        Self(if turn > 180 { turn - 360 } else { turn })
    }
}

/// A character and its place, seen upright.
#[derive(Clone, Copy, Debug)]
struct Glyph {
    c: char,
    x: f32,
    y: f32,
    advance: f32,
    size: f32,
    bold: bool,
    turn: Turn,
}

impl Glyph {
    fn of(found: &TextChar) -> Option<Self> {
        let turn = Turn::of(found.rotation_degrees);
        let (x, y) = turn.upright(found.origin_x, found.origin_y);
        let size = found.font_size.abs().max(1.0);
        let placed = [x, y, size, found.advance_width].iter().all(|value| value.is_finite());
        let shown = !found.char.is_control() && !matches!(found.char, '\u{ad}' | '\u{fffd}' | '\u{200b}' | '\u{feff}');
        let bold = found.font_weight.is_bold();
        (placed && (shown || found.char == '\t')).then(|| Self {
            c: found.char,
            x,
            y,
            advance: found.advance_width.max(0.0),
            size,
            bold,
            turn,
        })
    }

    fn is_space(&self) -> bool {
        self.c.is_whitespace()
    }

    fn end(&self) -> f32 {
        self.x + self.advance
    }
}

/// Puts glyphs together: first those on one baseline, then those between two spaces.
fn words(mut glyphs: Vec<Glyph>) -> Vec<Word> {
    glyphs.sort_by(|a, b| a.y.total_cmp(&b.y));
    let mut words = Vec::new();
    for baseline in glyphs.chunk_by_mut(|a, b| b.y - a.y <= 0.1 * a.size.min(b.size)) {
        baseline.sort_by(|a, b| a.x.total_cmp(&b.x));
        spread(baseline);
        words_of_baseline(baseline, &mut words);
    }
    words
}

/// Gives glyphs without a width, as those of turned text come, the space up to the next.
fn spread(baseline: &mut [Glyph]) {
    for index in 0..baseline.len() {
        let glyph = baseline[index];
        if glyph.advance < 0.01 {
            let next = baseline[index + 1..].iter().map(|next| next.x - glyph.x).find(|distance| *distance > 0.01);
            let usual = usual_width(glyph.c) * glyph.size;
            baseline[index].advance = next.map_or(usual, |distance| distance.min(usual));
        }
    }
}

/// The width of a character in most fonts, in font sizes, at the upper end.
fn usual_width(c: char) -> f32 {
    match c {
        'M' | 'W' | 'm' | 'w' | '@' | '%' | '\u{2014}' => 0.95,
        c if is_unspaced(c) => 1.0,
        c if c.is_uppercase() => 0.8,
        _ => 0.6,
    }
}

/// The space that a line puts between letters, in font sizes: most lines none, spaced-out titles some.
fn tracking(baseline: &[Glyph]) -> f32 {
    let letters = baseline.windows(2).filter(|pair| !pair[0].is_space() && !pair[1].is_space());
    let mut gaps: Vec<f32> = letters.map(|pair| (pair[1].x - pair[0].end()) / pair[0].size).collect();
    gaps.sort_by(f32::total_cmp);
    // A line of few letters has no habit: its gaps may be those between words.
    gaps.get(gaps.len() / 2).filter(|_| gaps.len() >= 8).map_or(0.0, |gap| gap.clamp(0.0, 0.5))
}

fn words_of_baseline(baseline: &[Glyph], words: &mut Vec<Word>) {
    let widest = tracking(baseline) + WORD_GAP;
    let mut word: Vec<Glyph> = Vec::new();
    let mut space = false;
    for glyph in baseline {
        if glyph.is_space() {
            space = true;
            continue;
        }
        if let Some(last) = word.last() {
            if last.c == glyph.c && (glyph.x - last.x).abs() < 0.12 * glyph.size {
                continue;
            }
            let gap = (glyph.x - last.end()) / glyph.size.min(last.size);
            if gap > widest || (space && gap > SPACE_GAP) {
                words.push(Word::of(&word));
                word.clear();
            }
        }
        space = false;
        word.push(*glyph);
    }
    if !word.is_empty() {
        words.push(Word::of(&word));
    }
}

/// Drops words that stand on a word of the same text.
fn once(mut words: Vec<Word>) -> Vec<Word> {
    words.sort_by(|a, b| a.text.cmp(&b.text).then(a.y.total_cmp(&b.y)).then(a.x0.total_cmp(&b.x0)));
    let covers = |a: &Word, b: &Word| a.text == b.text && (a.y - b.y).abs() < 0.2 * a.size && (a.x0 - b.x0).abs() < 0.3 * a.size;
    words.dedup_by(|b, a| covers(a, b));
    words
}

/// Words side by side, from left to right.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) words: Vec<Word>,
    /// The baseline of its largest words.
    pub(super) y: f32,
    /// Font size of most of its characters.
    pub(super) size: f32,
}

impl Line {
    /// Left edge.
    pub(super) fn x0(&self) -> f32 {
        self.words.iter().map(|word| word.x0).fold(f32::INFINITY, f32::min)
    }

    /// Right edge.
    pub(super) fn x1(&self) -> f32 {
        self.words.iter().map(|word| word.x1).fold(f32::NEG_INFINITY, f32::max)
    }

    /// Whether every word is bold.
    pub(super) fn bold(&self) -> bool {
        self.words.iter().all(|word| word.bold)
    }

    fn of(mut words: Vec<Word>) -> Self {
        words.sort_by(|a, b| a.x0.total_cmp(&b.x0));
        let largest = words.iter().map(|word| word.size).fold(0.0, f32::max);
        let y = words.iter().find(|word| word.size >= largest).map_or(0.0, |word| word.y);
        let size = most_common_size(words.iter().map(|word| (word.size, word.text.len())));
        Self { words, y, size }
    }
}

/// The size that most characters have; sizes are told apart to a tenth of a point.
pub(super) fn most_common_size(sizes: impl Iterator<Item = (f32, usize)>) -> f32 {
    let mut counts: BTreeMap<i32, usize> = BTreeMap::new();
    for (size, characters) in sizes {
        *counts.entry((size * 10.0).round() as i32).or_default() += characters;
    }
    counts.into_iter().max_by_key(|(_, characters)| *characters).map_or(0.0, |(tenths, _)| tenths as f32 / 10.0)
}

/// Groups words into lines, from top to bottom. Raised and lowered words, footnote marks among them, are of the line that they stand
/// beside.
pub(super) fn lines(mut words: Vec<Word>) -> Vec<Line> {
    words.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.x0.total_cmp(&b.x0)));
    let mut open: Vec<(Word, Vec<Word>)> = Vec::new();
    for word in words {
        let recent = open.iter_mut().rev().take(4);
        let line =
            recent.filter(|(widest, _)| widest.beside(&word) > 0.5).max_by(|(a, _), (b, _)| a.beside(&word).total_cmp(&b.beside(&word)));
        match line {
            Some((widest, line)) => {
                if word.text.len() > widest.text.len() && word.size >= widest.size {
                    *widest = word.clone();
                }
                line.push(word);
            }
            None => open.push((word.clone(), vec![word])),
        }
    }
    let mut lines: Vec<Line> = open.into_iter().map(|(_, words)| Line::of(words)).collect();
    lines.sort_by(|a, b| a.y.total_cmp(&b.y));
    lines
}
