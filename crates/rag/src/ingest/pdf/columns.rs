use super::{
    rules::Rules,
    words::{Line, Word, lines, most_common_size},
};

/// Fewest lines that make a column.
const LINES: usize = 4;
/// Narrowest space between two columns, in font sizes.
const GUTTER: f32 = 0.8;
/// Most gutters of one run of lines: more are those of a table.
const GUTTERS: usize = 8;
/// Narrowest column, in font sizes.
const WIDTH: f32 = 9.0;
/// Share of a column's width above which a line counts as full.
const FULL: f32 = 0.7;
/// Share of a column's lines that are full, or nearly so.
const FULL_LINES: f32 = 0.45;

/// The parts of a page that are read one after the other, each as its lines: what stands above columns, each column, what stands below.
///
/// Columns are set apart by a strip that no word and no rule crosses and that has running text on both sides. The columns of a table have
/// none: their lines are short or of unlike length.
pub(super) fn regions(words: Vec<Word>, rules: &Rules) -> Vec<Vec<Line>> {
    let mut regions = Vec::new();
    let mut waiting = vec![words];
    while let Some(words) = waiting.pop() {
        let lines = lines(words);
        match widest_band(&lines, rules) {
            Some(band) => waiting.extend(band.split(lines)),
            None if lines.is_empty() => {}
            None => regions.push(lines),
        }
    }
    regions
}

/// Lines `from..to` that have a gutter at `x`.
#[derive(Debug)]
struct Band {
    from: usize,
    to: usize,
    x: f32,
}

impl Band {
    /// The words below, right, left and above, the last to be read first.
    fn split(&self, lines: Vec<Line>) -> [Vec<Word>; 4] {
        let [mut below, mut right, mut left, mut above] = [const { Vec::new() }; 4];
        for (index, line) in lines.into_iter().enumerate() {
            for word in line.words {
                let part = match index {
                    _ if index < self.from => &mut above,
                    _ if index >= self.to => &mut below,
                    _ if word.x0 >= self.x => &mut right,
                    _ => &mut left,
                };
                part.push(word);
            }
        }
        [below, right, left, above]
    }
}

/// A stretch of `x` without text.
type Gap = (f32, f32);

/// The longest run of lines that columns stand in.
fn widest_band(lines: &[Line], rules: &Rules) -> Option<Band> {
    let least = GUTTER * most_common_size(lines.iter().map(|line| (line.size, line.words.len())));
    let gaps: Vec<Vec<Gap>> = (0..lines.len()).map(|index| gaps(lines, index, rules, least)).collect();
    let mut best: Option<Band> = None;
    for from in 0..lines.len() {
        let longest = best.as_ref().map_or(LINES, |band| band.to - band.from + 1);
        if lines.len() - from < longest {
            break;
        }
        best = band_from(lines, &gaps, from, least).filter(|band| band.to - band.from >= longest).or(best);
    }
    best
}

/// The stretches, from left to right, that neither a word of a line nor a rule above it covers.
fn gaps(lines: &[Line], index: usize, rules: &Rules, least: f32) -> Vec<Gap> {
    let line = &lines[index];
    let mut covered: Vec<Gap> = line.words.iter().map(|word| (word.x0, word.x1)).collect();
    if let Some(above) = index.checked_sub(1).map(|above| &lines[above]) {
        covered.extend(rules.between(above.y, line.y - 0.5 * line.size).map(|rule| (rule.from, rule.to)));
    }
    covered.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut gaps = Vec::new();
    let mut end = f32::NEG_INFINITY;
    for (x0, x1) in covered {
        if x0 - end >= least {
            gaps.push((end, x0));
        }
        end = end.max(x1);
    }
    gaps.push((end, f32::INFINITY));
    gaps
}

/// The longest run of lines from `from` on that one gutter passes through.
fn band_from(lines: &[Line], gaps: &[Vec<Gap>], from: usize, least: f32) -> Option<Band> {
    // A rule above the first line ends nothing.
    let mut free = self::gaps(lines, from, &Rules::default(), least);
    let mut to = from + 1;
    while let Some(next) = gaps.get(to).map(|gaps| shared(&free, gaps, least)).filter(|next| inner(next).next().is_some()) {
        free = next;
        to += 1;
    }
    let gutters: Vec<f32> = inner(&free).map(|gap| f32::midpoint(gap.0, gap.1)).collect();
    if gutters.len() > GUTTERS || to - from < LINES {
        return None;
    }
    gutters.into_iter().find(|&x| parts_prose(&lines[from..to], x)).map(|x| Band { from, to, x })
}

/// The gaps that have text on both sides.
fn inner(gaps: &[Gap]) -> impl Iterator<Item = &Gap> {
    gaps.iter().filter(|gap| gap.0.is_finite() && gap.1.is_finite())
}

/// What two lists of gaps, each from left to right, share; pieces narrower than `least` are none.
fn shared(a: &[Gap], b: &[Gap], least: f32) -> Vec<Gap> {
    let (mut i, mut j) = (0, 0);
    let mut shared = Vec::new();
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        let gap = (x.0.max(y.0), x.1.min(y.1));
        if gap.1 - gap.0 >= least {
            shared.push(gap);
        }
        if x.1 < y.1 { i += 1 } else { j += 1 }
    }
    shared
}

/// Whether the text on both sides of `x` runs as that of a column does.
fn parts_prose(lines: &[Line], x: f32) -> bool {
    let side = |keep: &dyn Fn(&Word) -> bool| {
        let line = |line: &Line| line.words.iter().filter(|word| keep(word)).cloned().collect::<Vec<_>>();
        lines.iter().map(line).filter(|words| !words.is_empty()).collect::<Vec<_>>()
    };
    is_prose(&side(&|word| word.x1 <= x)) && is_prose(&side(&|word| word.x0 >= x))
}

fn is_prose(lines: &[Vec<Word>]) -> bool {
    let Some(size) = lines.first().map(|words| most_common_size(words.iter().map(|word| (word.size, word.text.len())))) else {
        return false;
    };
    let left = lines.iter().flatten().map(|word| word.x0).fold(f32::INFINITY, f32::min);
    let right = lines.iter().flatten().map(|word| word.x1).fold(f32::NEG_INFINITY, f32::max);
    let width = right - left;
    let inked = |words: &Vec<Word>| words.iter().map(|word| word.x1 - word.x0).sum::<f32>();
    let full = lines.iter().filter(|words| inked(words) >= FULL * width).count() as f32;
    lines.len() >= LINES && width >= WIDTH * size && full >= FULL_LINES * lines.len() as f32 && !is_short_words(lines)
}

/// Whether lines hold one or two words each, as the cells of a table do. A word of Chinese is a phrase.
fn is_short_words(lines: &[Vec<Word>]) -> bool {
    let words: usize = lines.iter().map(Vec::len).sum();
    let characters: usize = lines.iter().flatten().map(|word| word.text.len()).sum();
    words < 3 * lines.len() && characters < 30 * lines.len()
}
