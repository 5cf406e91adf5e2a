//! Lines across the plot at a value: a target, a baseline, the end of warm-up. Their labels stand outside the plot, moved apart.

use super::{
    axis::Axis,
    canvas::{Canvas, LABEL_SIZE},
};
use crate::{color::DIM, markup::Px, text};

/// A value and what it is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reference {
    pub(super) at: f64,
    pub(super) label: String,
}

const LINE: f64 = 13.0;
const LONGEST: f64 = 130.0;

/// Room to the right of the plot for the labels of horizontal lines.
pub(super) fn room_right(references: &[Reference]) -> f64 {
    references.iter().map(|reference| text::width(&label(reference), LABEL_SIZE) + 8.0).fold(0.0, f64::max)
}

/// Room above the plot for the labels of vertical lines.
pub(super) fn room_above(references: &[Reference], axis: &Axis, width: f64) -> f64 {
    let rows = staggered(references, axis, width).iter().map(|(_, row, _)| row + 1).max().unwrap_or(0);
    rows as f64 * LINE
}

/// Horizontal lines with their labels to the right.
pub(super) fn draw_horizontal(canvas: &mut Canvas, references: &[Reference], axis: &Axis) {
    let plot = canvas.plot;
    let mut lines: Vec<(f64, &Reference)> = references.iter().filter_map(|reference| Some((inside(axis, reference)?, reference))).collect();
    lines.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut free_from = f64::NEG_INFINITY;
    for (place, reference) in lines {
        let y = plot.y(place);
        draw(
            canvas,
            format!("M{} {}h{}", Px(plot.left), Px(y), Px(plot.width)),
            plot.left + plot.width + 6.0,
            (y + 4.0).max(free_from),
            "start",
            reference,
        );
        free_from = (y + 4.0).max(free_from) + LINE;
    }
}

/// Vertical lines with their labels above.
pub(super) fn draw_vertical(canvas: &mut Canvas, references: &[Reference], axis: &Axis) {
    let plot = canvas.plot;
    for (middle, row, reference) in staggered(references, axis, plot.width) {
        let x = plot.left + inside(axis, reference).unwrap_or_default() * plot.width;
        let path = format!("M{} {}V{}", Px(x), Px(plot.top), Px(plot.top + plot.height));
        draw(canvas, path, plot.left + middle, plot.top - 4.0 - row as f64 * LINE, "middle", reference);
    }
}

/// For each vertical line the middle of its label, from the left of the plot, and its row: the lowest in which it overlaps no other.
fn staggered<'a>(references: &'a [Reference], axis: &Axis, width: f64) -> Vec<(f64, usize, &'a Reference)> {
    let mut lines: Vec<(f64, &Reference)> = references.iter().filter_map(|reference| Some((inside(axis, reference)?, reference))).collect();
    lines.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut ends: Vec<f64> = Vec::new();
    let place = |(place, reference): (f64, &'a Reference)| {
        let half = text::width(&label(reference), LABEL_SIZE) / 2.0;
        let middle = (place * width).clamp(half.min(width / 2.0), (width - half).max(width / 2.0));
        let row = ends.iter().position(|end| end + 6.0 <= middle - half).unwrap_or(ends.len());
        if row == ends.len() {
            ends.push(0.0);
        }
        ends[row] = middle + half;
        (middle, row, reference)
    };
    lines.into_iter().map(place).collect()
}

fn inside(axis: &Axis, reference: &Reference) -> Option<f64> {
    axis.place(reference.at).filter(|place| (0.0..=1.0).contains(place))
}

fn label(reference: &Reference) -> String {
    text::fit(&reference.label, LABEL_SIZE, LONGEST)
}

fn draw(canvas: &mut Canvas, path: String, x: f64, y: f64, anchor: &str, reference: &Reference) {
    let svg = &mut canvas.svg;
    svg.tag("g").attr("class", DIM.class).attr("color", DIM.light).open();
    svg.tag("path").attr("d", path).attr("stroke", "currentColor").attr("stroke-dasharray", "5 4").empty();
    svg.tag("text").attr("fill", "currentColor").attr("text-anchor", anchor).px("x", x).px("y", y).text(&label(reference));
    svg.close();
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the figures are exact")]
mod tests {
    use super::*;
    use crate::chart::axis::{AxisSpec, Ends};

    #[test]
    fn labels_that_would_overlap_take_another_row() {
        let axis = Axis::new(AxisSpec::default(), [0.0, 100.0].into_iter(), Ends::Ticks, 5);
        let references: Vec<Reference> = [10.0, 12.0, 90.0, 500.0].map(|at| Reference { at, label: "warm-up ends".to_owned() }).into();
        let placed = staggered(&references, &axis, 600.0);
        assert_eq!(placed.iter().map(|line| line.1).collect::<Vec<_>>(), [0, 1, 0], "the last is outside of the axis");
        assert_eq!(room_above(&references, &axis, 600.0), 2.0 * LINE);
        assert!(placed[0].0 >= text::width("warm-up ends", LABEL_SIZE) / 2.0, "kept inside on the left");
    }
}
