//! The cells of a heat map, their labels and the legend of their colours.

use super::{
    axis::Axis,
    canvas::{Canvas, LABEL_SIZE},
    heat_map::ColorScale,
};
use crate::{
    color::{DIM, LEVELS},
    markup::{Px, append},
    text,
};

const MOST_SIDE: usize = 256;
const LONGEST_LABEL: f64 = 130.0;
/// Width of the legend's strip of colours.
pub(super) const LEGEND: f64 = 14.0;

/// The cells as they are drawn.
pub(super) struct Matrix {
    pub(super) cells: Vec<f64>,
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Rows and columns that one cell stands for.
    pub(super) pooled: (usize, usize),
}

impl Matrix {
    /// The cells, or the means of blocks of them where a side is longer than can be told apart.
    pub(super) fn new(cells: &[f64], columns: usize) -> Self {
        let rows = cells.len() / columns;
        let pooled = (rows.div_ceil(MOST_SIDE).max(1), columns.div_ceil(MOST_SIDE).max(1));
        if pooled == (1, 1) {
            return Self { cells: cells.to_vec(), rows, columns, pooled };
        }
        let (to_rows, to_columns) = (rows.div_ceil(pooled.0), columns.div_ceil(pooled.1));
        let block = |cell: usize| (cell / to_columns * pooled.0, cell % to_columns * pooled.1);
        let means = (0..to_rows * to_columns).map(|cell| mean(cells, columns, block(cell), pooled)).collect();
        Self { cells: means, rows: to_rows, columns: to_columns, pooled }
    }
}

pub(super) fn level(axis: &Axis, value: f64) -> Option<usize> {
    axis.place(value).map(|place| (place.clamp(0.0, 1.0) * (LEVELS - 1) as f64).round() as usize)
}

/// One path a colour, in units of cells, with neighbours of one row and colour drawn as one.
pub(super) fn draw_cells(canvas: &mut Canvas, matrix: &Matrix, axis: &Axis, scale: ColorScale) {
    let mut paths = vec![String::new(); LEVELS];
    let levels: Vec<Option<usize>> = matrix.cells.iter().map(|value| level(axis, *value)).collect();
    for (row, levels) in levels.chunks(matrix.columns).enumerate() {
        let mut column = 0;
        for stretch in levels.chunk_by(|a, b| a == b) {
            if let Some(level) = stretch[0] {
                let length = stretch.len();
                append(&mut paths[level], format_args!("M{column} {row}h{length}v1h-{length}z"));
            }
            column += stretch.len();
        }
    }
    let plot = canvas.plot;
    let tag = canvas.svg.tag("svg").px("x", plot.left).px("y", plot.top).px("width", plot.width).px("height", plot.height);
    let tag = tag.attr("viewBox", format_args!("0 0 {} {}", matrix.columns, matrix.rows.max(1))).attr("preserveAspectRatio", "none");
    tag.attr("shape-rendering", "crispEdges").attr("fill", "currentColor").open();
    for (level, path) in paths.iter().enumerate().filter(|(_, path)| !path.is_empty()) {
        canvas
            .svg
            .tag("path")
            .attr("class", format_args!("{}{level}", scale.class()))
            .attr("color", scale.colors(level).0)
            .attr("d", path)
            .empty();
    }
    canvas.svg.close();
    canvas.group(DIM);
    let tag = canvas.svg.tag("rect").attr("fill", "none").attr("stroke", "currentColor").attr("stroke-opacity", 0.5);
    tag.px("x", plot.left).px("y", plot.top).px("width", plot.width).px("height", plot.height).empty();
    canvas.svg.close();
}

pub(super) fn labels(names: &[String], count: usize, pooled: usize) -> Vec<String> {
    (0..count).map(|place| names.get(place * pooled).map(|name| text::fit(name, LABEL_SIZE, LONGEST_LABEL)).unwrap_or_default()).collect()
}

pub(super) fn longest(labels: &[String]) -> f64 {
    labels.iter().map(|label| text::width(label, LABEL_SIZE)).fold(0.0, f64::max)
}

pub(super) fn draw_row_labels(canvas: &mut Canvas, labels: &[String]) {
    let plot = canvas.plot;
    let height = plot.height / labels.len().max(1) as f64;
    canvas.group(DIM);
    for (row, label) in labels.iter().enumerate().step_by(stride(height)).filter(|(_, label)| !label.is_empty()) {
        let tag = canvas.svg.tag("text").attr("fill", "currentColor").attr("text-anchor", "end");
        tag.px("x", plot.left - 6.0).px("y", plot.top + (row as f64 + 0.5) * height + 4.0).text(label);
    }
    canvas.svg.close();
}

pub(super) fn draw_column_labels(canvas: &mut Canvas, labels: &[String], turned: bool) {
    let plot = canvas.plot;
    let width = plot.width / labels.len().max(1) as f64;
    let bottom = plot.top + plot.height;
    canvas.group(DIM);
    for (column, label) in labels.iter().enumerate().step_by(if turned { stride(width) } else { 1 }).filter(|(_, label)| !label.is_empty())
    {
        let x = plot.left + (column as f64 + 0.5) * width;
        let tag = canvas.svg.tag("text").attr("fill", "currentColor");
        if turned {
            let turn = format!("translate({} {})rotate(-90)", Px(x + 4.0), Px(bottom + 7.0));
            tag.attr("text-anchor", "end").attr("transform", turn).text(label);
        } else {
            tag.attr("text-anchor", "middle").px("x", x).px("y", bottom + 17.0).text(label);
        }
    }
    canvas.svg.close();
}

/// Every how many rows, of the given height, a label has room.
fn stride(height: f64) -> usize {
    ((LABEL_SIZE + 1.0) / height).ceil().max(1.0) as usize
}

/// The colours from low at the bottom to high at the top, with the values they stand for.
pub(super) fn draw_legend(canvas: &mut Canvas, axis: &Axis, scale: ColorScale) {
    let plot = canvas.plot;
    let left = plot.left + plot.width + 18.0;
    let step = plot.height / LEVELS as f64;
    canvas.svg.tag("g").attr("fill", "currentColor").attr("shape-rendering", "crispEdges").open();
    for level in 0..LEVELS {
        let tag = canvas.svg.tag("rect").attr("class", format_args!("{}{level}", scale.class())).attr("color", scale.colors(level).0);
        // A little overlap hides the seams.
        tag.px("x", left)
            .px("y", plot.top + plot.height - step * (level + 1) as f64)
            .attr("width", LEGEND)
            .px("height", step + 0.5)
            .empty();
    }
    canvas.svg.close();
    canvas.group(DIM);
    for (at, label) in axis.ticks() {
        let tag = canvas.svg.tag("text").attr("fill", "currentColor").px("x", left + LEGEND + 6.0).px("y", plot.y(at) + 4.0);
        tag.text(label.unwrap_or_default());
    }
    canvas.svg.close();
}

/// The mean of what is finite in a block; not a number where nothing is.
fn mean(cells: &[f64], columns: usize, (row, column): (usize, usize), (height, width): (usize, usize)) -> f64 {
    let rows = cells.chunks(columns).skip(row).take(height);
    let block = || rows.clone().flat_map(|row| &row[column..(column + width).min(columns)]).filter(|value| value.is_finite());
    let count = block().count() as f64;
    // Dividing first keeps sums of the largest numbers finite.
    block().map(|value| value / count).sum::<f64>() / if count > 0.0 { 1.0 } else { 0.0 }
}
