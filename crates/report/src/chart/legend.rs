//! The legend: rows of entries above the plot, where no data is.

use super::canvas::LABEL_SIZE;
use crate::{color, markup::Markup, text};

/// One entry.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry<'a> {
    pub(super) name: &'a str,
    pub(super) color: usize,
    pub(super) swatch: Swatch,
}

/// What stands before the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Swatch {
    Line { dashes: Option<&'static str> },
    Mark(Mark),
    Box,
}

/// The shape of a point, the second sign of a series beside its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Circle,
    Square,
    Triangle,
    Diamond,
    Cross,
    Plus,
}

impl Mark {
    pub(super) fn of_series(index: usize) -> Self {
        [Self::Circle, Self::Square, Self::Triangle, Self::Diamond, Self::Cross, Self::Plus][index % 6]
    }

    /// Path commands that draw the shape from its centre on.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Circle => "m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z",
            Self::Square => "m-3-3h6v6h-6z",
            Self::Triangle => "m0-4l4 7h-8z",
            Self::Diamond => "m0-4.4l4.4 4.4l-4.4 4.4l-4.4-4.4z",
            Self::Cross => "m-3.9-2.7l1.2-1.2l2.7 2.7l2.7-2.7l1.2 1.2l-2.7 2.7l2.7 2.7l-1.2 1.2l-2.7-2.7l-2.7 2.7l-1.2-1.2l2.7-2.7z",
            Self::Plus => "m-0.9-4h1.8v3.1h3.1v1.8h-3.1v3.1h-1.8v-3.1h-3.1v-1.8h3.1z",
        }
    }
}

/// Entries in their rows.
#[derive(Debug, Default)]
pub(super) struct Legend<'a> {
    rows: Vec<Vec<(f64, Entry<'a>, String)>>,
    left_out: usize,
}

const MOST_ROWS: usize = 4;
const LONGEST_NAME: f64 = 220.0;
const SWATCH: f64 = 22.0;
const GAP: f64 = 18.0;

impl<'a> Legend<'a> {
    /// Breaks entries into rows no wider than `width`.
    pub(super) fn new(entries: impl IntoIterator<Item = Entry<'a>>, width: f64) -> Self {
        let mut legend = Self::default();
        let mut x = f64::INFINITY;
        for entry in entries {
            let name = text::fit(entry.name, LABEL_SIZE, LONGEST_NAME.min(width - SWATCH));
            let length = SWATCH + text::width(&name, LABEL_SIZE);
            if x + length > width {
                if legend.rows.len() == MOST_ROWS {
                    legend.left_out += 1;
                    continue;
                }
                legend.rows.push(Vec::new());
                x = 0.0;
            }
            if let (Some(row), 0) = (legend.rows.last_mut(), legend.left_out) {
                row.push((x, entry, name));
                x += length + GAP;
            } else {
                legend.left_out += 1;
            }
        }
        legend
    }

    /// Rows that it takes; what had no room is told in one of its own.
    pub(super) fn rows(&self) -> usize {
        self.rows.len() + usize::from(self.left_out > 0)
    }

    pub(super) fn draw(&self, svg: &mut Markup, left: f64, top: f64, row_height: f64) {
        for (row, entries) in self.rows.iter().enumerate() {
            for (x, entry, name) in entries {
                draw_entry(svg, left + x, top + row_height * (row as f64 + 0.5), entry, name);
            }
        }
        if self.left_out > 0 {
            let y = top + row_height * (self.rows.len() as f64 + 0.5);
            let text = format!("and {} more", self.left_out);
            svg.tag("text")
                .attr("class", "dim")
                .attr("fill", "currentColor")
                .attr("color", color::DIM.light)
                .px("x", left)
                .px("y", y + 4.0)
                .text(&text);
        }
    }
}

fn draw_entry(svg: &mut Markup, x: f64, y: f64, entry: &Entry<'_>, name: &str) {
    let role = color::series(entry.color);
    svg.tag("g").attr("class", role.class).attr("color", role.light).open();
    match entry.swatch {
        Swatch::Line { dashes } => {
            let line = svg.tag("path").attr("d", format_args!("M{} {}h16", crate::markup::Px(x), crate::markup::Px(y)));
            let line = line.attr("stroke", "currentColor").attr("stroke-width", 2);
            match dashes {
                Some(dashes) => line.attr("stroke-dasharray", dashes).empty(),
                None => line.empty(),
            }
        }
        Swatch::Mark(mark) => {
            let at = format!("M{} {}{}", crate::markup::Px(x + 8.0), crate::markup::Px(y), mark.path());
            svg.tag("path").attr("fill", "currentColor").attr("d", at).empty();
        }
        Swatch::Box => {
            let rect = svg.tag("rect").attr("fill", "currentColor").px("x", x + 2.0).px("y", y - 5.0);
            rect.attr("width", 12).attr("height", 10).attr("rx", 1.5).empty();
        }
    }
    svg.close();
    svg.tag("text").attr("fill", "currentColor").px("x", x + SWATCH).px("y", y + 4.0).text(name);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn legend(count: usize, width: f64) -> (usize, usize) {
        let names: Vec<String> = (0..count).map(|index| format!("series {index}")).collect();
        let entries = names.iter().map(|name| Entry { name, color: 0, swatch: Swatch::Box });
        let legend = Legend::new(entries, width);
        for row in &legend.rows {
            let (x, _, name) = row.last().unwrap();
            assert!(x + SWATCH + text::width(name, LABEL_SIZE) <= width);
        }
        (legend.rows(), legend.left_out)
    }

    #[test]
    fn entries_wrap_and_too_many_are_counted() {
        assert_eq!(legend(0, 500.0), (0, 0));
        assert_eq!(legend(3, 500.0), (1, 0));
        assert_eq!(legend(12, 500.0), (3, 0));
        let (rows, left_out) = legend(100, 500.0);
        assert_eq!(rows, MOST_ROWS + 1);
        assert!(left_out > 70);
    }
}
