//! One series on two numeric axes: its band, error bars, line or marks.

use super::{
    axis::Axis,
    canvas::{Canvas, LABEL_SIZE},
    downsample::{one_a_cell, thin},
    legend::{Entry, Mark, Swatch},
    series::{Bounds, Point, Series},
};
use crate::{
    color::{self, SERIES_COLORS},
    markup::{Px, append},
    number::short,
    text,
};

/// A series and how its points are shown.
#[derive(Debug)]
pub(super) struct Layer<'a> {
    pub(super) series: &'a Series,
    pub(super) color: usize,
    pub(super) shown: Shown,
}

/// How the points of a series are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// Behind everything: a curve that was computed, not measured.
    Curve,
    /// Joined by a line.
    Line,
    /// Each by a mark.
    Marks,
}

/// Points of one series that a chart draws: more than it has pixels across would not be seen.
const POINTS: usize = 2000;
/// Marks of one series that a scatter chart draws.
const MARKS: usize = 4000;
/// Points up to which a line shows where they are.
const DOTTED: usize = 30;

/// Axes and the pixels of a plot.
pub(super) struct Projection<'a> {
    pub(super) x: &'a Axis,
    pub(super) y: &'a Axis,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Projection<'_> {
    pub(super) fn point(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        Some((self.x.place(x)? * self.width, (1.0 - self.y.place(y)?) * self.height))
    }

    fn bound(&self, y: f64) -> Option<f64> {
        Some((1.0 - self.y.place_of_bound(y)?) * self.height)
    }

    fn bound_across(&self, x: f64) -> Option<f64> {
        Some(self.x.place_of_bound(x)? * self.width)
    }
}

impl Layer<'_> {
    pub(super) fn entry(&self) -> Entry<'_> {
        let swatch = match self.shown {
            Shown::Marks => Swatch::Mark(Mark::of_series(self.color)),
            Shown::Line | Shown::Curve => Swatch::Line { dashes: self.dashes() },
        };
        Entry { name: &self.series.name, color: self.color, swatch }
    }

    fn dashes(&self) -> Option<&'static str> {
        match self.color / SERIES_COLORS {
            _ if self.series.broken => Some("6 4"),
            0 => None,
            1 => Some("8 3"),
            2 => Some("3 3"),
            _ => Some("8 3 2 3"),
        }
    }

    pub(super) fn summary(&self, x: &Axis, y: &Axis) -> String {
        let name = if self.series.name.is_empty() { "Points" } else { &self.series.name };
        let total = self.series.points.len();
        let drawn: Vec<&Point> =
            self.series.points.iter().filter(|point| x.place(point.x).is_some() && y.place(point.y).is_some()).collect();
        let mut words = format!(" {name}: {} {}", drawn.len(), if drawn.len() == 1 { "point" } else { "points" });
        if let (Some(first), Some(last)) = (drawn.first(), drawn.last()) {
            let low = drawn.iter().map(|point| point.y).fold(f64::INFINITY, f64::min);
            let high = drawn.iter().map(|point| point.y).fold(f64::NEG_INFINITY, f64::max);
            let ends = format!(", first {}, last {}, least {}, greatest {}", short(first.y), short(last.y), short(low), short(high));
            words.push_str(&ends);
        }
        if drawn.len() < total {
            let left_out = format!("; {} without a place on the axes left out", total - drawn.len());
            words.push_str(&left_out);
        }
        words.push('.');
        words
    }

    /// Draws the points; of a line every so many, of marks all or none, tell their values under the pointer.
    pub(super) fn draw(&self, canvas: &mut Canvas, projection: &Projection<'_>, every: usize) {
        canvas.group(color::series(self.color));
        self.draw_errors(canvas, projection);
        match self.shown {
            Shown::Marks => self.draw_marks(canvas, projection),
            Shown::Line | Shown::Curve => self.draw_line(canvas, projection),
        }
        if self.shown == Shown::Line || self.shown == Shown::Marks && every <= 1 {
            self.draw_told(canvas, projection, every.max(1));
        }
        canvas.svg.close();
    }

    pub(super) fn draw_band(&self, canvas: &mut Canvas, projection: &Projection<'_>) {
        let outline = |bounds: &Bounds| {
            let x = projection.x.place(bounds.x)? * projection.width;
            Some((x, projection.bound(bounds.high)?, projection.bound(bounds.low)?))
        };
        let mut path = String::new();
        for run in runs(self.series.band.iter().map(outline)) {
            path.push_str(&band_path(&narrowed(run)));
        }
        if !path.is_empty() {
            canvas.group(color::series(self.color));
            canvas.svg.tag("path").attr("d", path).attr("fill", "currentColor").attr("opacity", 0.2).empty();
            canvas.svg.close();
        }
    }

    fn draw_errors(&self, canvas: &mut Canvas, projection: &Projection<'_>) {
        let mut path = String::new();
        for point in self.series.points.iter().take(MARKS) {
            let Some((x, y)) = projection.point(point.x, point.y) else { continue };
            let upright = point.bounds.and_then(|(low, high)| Some((projection.bound(low)?, projection.bound(high)?)));
            if let Some((low, high)) = upright {
                let (left, x, low, high) = (Px(x - 3.0), Px(x), Px(low), Px(high));
                append(&mut path, format_args!("M{x} {low}V{high}M{left} {low}h6M{left} {high}h6"));
            }
            let across = point.across.and_then(|(low, high)| Some((projection.bound_across(low)?, projection.bound_across(high)?)));
            if let Some((low, high)) = across {
                let (top, y, low, high) = (Px(y - 3.0), Px(y), Px(low), Px(high));
                append(&mut path, format_args!("M{low} {y}H{high}M{low} {top}v6M{high} {top}v6"));
            }
        }
        if !path.is_empty() {
            canvas.svg.tag("path").attr("d", path).attr("stroke", "currentColor").attr("fill", "none").attr("opacity", 0.75).empty();
        }
    }

    fn draw_line(&self, canvas: &mut Canvas, projection: &Projection<'_>) {
        let drawn = runs(self.series.points.iter().map(|point| projection.point(point.x, point.y)));
        let all = drawn.iter().map(Vec::len).sum::<usize>();
        let (mut line, mut dots) = (String::new(), String::new());
        for run in thin(drawn, POINTS) {
            if let [(x, y)] = run[..] {
                dot(&mut dots, x, y);
                continue;
            }
            line.push_str(&line_path(&run));
            if all <= DOTTED && self.shown == Shown::Line {
                for (x, y) in run {
                    dot(&mut dots, x, y);
                }
            }
        }
        if !line.is_empty() {
            let tag = canvas.svg.tag("path").attr("d", line).attr("fill", "none").attr("stroke", "currentColor").attr("stroke-width", 1.8);
            let tag = tag.attr("stroke-linejoin", "round");
            match self.dashes() {
                Some(dashes) => tag.attr("stroke-dasharray", dashes).empty(),
                None => tag.attr("stroke-linecap", "round").empty(),
            }
        }
        if !dots.is_empty() {
            canvas.svg.tag("path").attr("d", dots).attr("fill", "currentColor").empty();
        }
    }

    fn draw_marks(&self, canvas: &mut Canvas, projection: &Projection<'_>) {
        let points: Vec<(f64, f64)> = self.series.points.iter().filter_map(|point| projection.point(point.x, point.y)).collect();
        let opacity = if points.len() > 200 { 0.55 } else { 0.85 };
        let shape = Mark::of_series(self.color).path();
        let mut path = String::new();
        for (x, y) in one_a_cell(points, MARKS) {
            append(&mut path, format_args!("M{} {}{shape}", Px(x), Px(y)));
        }
        if !path.is_empty() {
            canvas.svg.tag("path").attr("d", path).attr("fill", "currentColor").attr("fill-opacity", opacity).empty();
        }
    }

    /// Invisible discs that tell the values under the pointer.
    fn draw_told(&self, canvas: &mut Canvas, projection: &Projection<'_>, every: usize) {
        for point in self.series.points.iter().step_by(every) {
            let Some((x, y)) = projection.point(point.x, point.y) else { continue };
            let tag = canvas.svg.tag("circle").px("cx", x).px("cy", y).attr("r", 6).attr("fill", "none").attr("pointer-events", "all");
            tag.open();
            canvas.svg.leaf("title", &self.told(point));
            canvas.svg.close();
        }
    }

    fn told(&self, point: &Point) -> String {
        let name = text::fit(&self.series.name, LABEL_SIZE, 300.0);
        let bounds = |bounds: Option<(f64, f64)>| match bounds {
            Some((low, high)) => format!(" [{}, {}]", short(low), short(high)),
            None => String::new(),
        };
        let (x, y) = (short(point.x) + &bounds(point.across), short(point.y) + &bounds(point.bounds));
        format!("{name}{}{x}: {y}", if name.is_empty() { "" } else { ", " })
    }
}

/// Unbroken stretches of what has a place.
fn runs<T>(places: impl Iterator<Item = Option<T>>) -> Vec<Vec<T>> {
    let mut runs = vec![Vec::new()];
    for place in places {
        match place {
            Some(place) => runs.last_mut().expect("there is always a run").push(place),
            None if runs.last().is_some_and(|run| !run.is_empty()) => runs.push(Vec::new()),
            None => {}
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

fn line_path(run: &[(f64, f64)]) -> String {
    let mut path = String::with_capacity(run.len() * 10);
    for (place, (x, y)) in run.iter().enumerate() {
        append(&mut path, format_args!("{}{} {}", if place == 0 { 'M' } else { 'L' }, Px(*x), Px(*y)));
    }
    path
}

fn dot(path: &mut String, x: f64, y: f64) {
    append(path, format_args!("M{} {}m-2.5 0a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0z", Px(x), Px(y)));
}

/// At most as many places as pixels: those of a group become one that is as high and as low as any of them.
fn narrowed(run: Vec<(f64, f64, f64)>) -> Vec<(f64, f64, f64)> {
    if run.len() <= POINTS / 2 {
        return run;
    }
    let group = run.len().div_ceil(POINTS / 2);
    let widest = |group: &[(f64, f64, f64)]| {
        group.iter().fold((group[0].0, f64::INFINITY, f64::NEG_INFINITY), |all, place| (all.0, all.1.min(place.1), all.2.max(place.2)))
    };
    run.chunks(group).map(widest).collect()
}

fn band_path(run: &[(f64, f64, f64)]) -> String {
    let upper = run.iter().map(|(x, high, _)| (*x, *high));
    let lower = run.iter().rev().map(|(x, _, low)| (*x, *low));
    let mut path = line_path(&upper.chain(lower).collect::<Vec<_>>());
    path.push('z');
    path
}
