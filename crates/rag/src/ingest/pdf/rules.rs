use pdf_oxide::{
    PdfDocument,
    elements::{PathContent, PathOperation},
};

use super::words::Turn;

/// Longest side, in points, that a drawn line may have across its direction.
const THIN: f32 = 2.5;
/// Shortest drawn line that can part rows or columns.
const SHORTEST: f32 = 8.0;
/// Most paths of a page that are looked at: a map or a plot has no table in its strokes.
const MOST_PATHS: usize = 20_000;

/// A straight line along one axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// Where it lies across its direction.
    pub(super) at: f32,
    /// Where it begins along its direction.
    pub(super) from: f32,
    /// Where it ends.
    pub(super) to: f32,
}

/// The drawn lines of a page, and the edges of its boxes. As with words, `y` grows downwards.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// `at` is a `y`, `from` and `to` are `x`.
    pub(super) horizontal: Vec<Rule>,
    /// `at` is an `x`, `from` and `to` are `y`.
    pub(super) vertical: Vec<Rule>,
}

impl Rules {
    /// The rules of a page as they lie when text of direction `turn` is seen upright; none where its drawings cannot be read.
    pub(super) fn of_page(file: &PdfDocument, index: usize, turn: Turn) -> Self {
        let paths = file.extract_paths(index).unwrap_or_default();
        let mut rules = Self::default();
        for path in paths.iter().take(MOST_PATHS) {
            rules.add(path, turn);
        }
        rules
    }

    /// The horizontal rules between two heights that reach over `x`.
    pub(super) fn between(&self, top: f32, bottom: f32) -> impl Iterator<Item = &Rule> {
        self.horizontal.iter().filter(move |rule| top < rule.at && rule.at < bottom)
    }

    /// Whether a vertical rule stands at `y` between `left` and `right`.
    pub(super) fn part(&self, left: f32, right: f32, y: f32) -> bool {
        self.vertical.iter().any(|rule| left - 1.0 <= rule.at && rule.at <= right + 1.0 && rule.from <= y && y <= rule.to)
    }

    fn add(&mut self, path: &PathContent, turn: Turn) {
        let (mut start, mut here) = ((0.0, 0.0), (0.0, 0.0));
        for operation in &path.operations {
            match *operation {
                PathOperation::MoveTo(x, y) => {
                    here = turn.upright(x, y);
                    start = here;
                }
                PathOperation::LineTo(x, y) => {
                    let next = turn.upright(x, y);
                    self.stroke(here, next);
                    here = next;
                }
                PathOperation::CurveTo(.., x, y) => here = turn.upright(x, y),
                PathOperation::ClosePath => {
                    self.stroke(here, start);
                    here = start;
                }
                PathOperation::Rectangle(x, y, width, height) => self.rectangle(turn.upright(x, y), turn.upright(x + width, y + height)),
            }
        }
    }

    fn rectangle(&mut self, (x0, y0): (f32, f32), (x1, y1): (f32, f32)) {
        if (y1 - y0).abs() <= THIN || (x1 - x0).abs() <= THIN {
            self.stroke((x0, y0), (x1, y1));
            return;
        }
        self.stroke((x0, y0), (x1, y0));
        self.stroke((x0, y1), (x1, y1));
        self.stroke((x0, y0), (x0, y1));
        self.stroke((x1, y0), (x1, y1));
    }

    fn stroke(&mut self, (x0, y0): (f32, f32), (x1, y1): (f32, f32)) {
        let (width, height) = ((x1 - x0).abs(), (y1 - y0).abs());
        if !(width.is_finite() && height.is_finite()) {
            return;
        }
        if height <= THIN && width >= SHORTEST {
            self.horizontal.push(Rule { at: f32::midpoint(y0, y1), from: x0.min(x1), to: x0.max(x1) });
        } else if width <= THIN && height >= SHORTEST {
            self.vertical.push(Rule { at: f32::midpoint(x0, x1), from: y0.min(y1), to: y0.max(y1) });
        }
    }
}
