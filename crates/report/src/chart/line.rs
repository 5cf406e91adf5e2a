use super::{
    Frame, Scale, Setting,
    axis::AxisSpec,
    chart_methods,
    layer::{Layer, Shown},
    reference::Reference,
    series::Series,
    xy::Xy,
};
use crate::html::Html;

/// Series as lines: a training curve, a metric over time.
///
/// A point that is infinite, not a number, or not positive on a logarithmic axis is a gap. Of more than 2,000 points a series keeps those
/// that carry its shape (largest-triangle-three-buckets), so that a million of them make a small file.
///
/// ```
/// use jarre_report::{LineChart, Scale, Series};
///
/// let train = Series::new("train", (1..=100).map(|step| (f64::from(step), 4.0 / f64::from(step).sqrt())));
/// let svg = LineChart::new("Loss").series(train).x_label("step").y_label("nats a token").y_scale(Scale::Log).to_svg();
/// assert!(svg.starts_with("<svg xmlns="));
/// assert!(svg.contains("train: 100 points, first 4, last 0.4, least 0.4, greatest 4."));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LineChart {
    frame: Frame,
    x: AxisSpec,
    y: AxisSpec,
    series: Vec<Series>,
    x_references: Vec<Reference>,
    y_references: Vec<Reference>,
}

impl LineChart {
    /// An empty chart.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            frame: Frame::new(title),
            x: AxisSpec::default(),
            y: AxisSpec::default(),
            series: Vec::new(),
            x_references: Vec::new(),
            y_references: Vec::new(),
        }
    }

    /// Adds a series. The first eight have colours of their own.
    pub fn series(mut self, series: Series) -> Self {
        self.series.push(series);
        self
    }

    /// Spaces the horizontal axis.
    pub fn x_scale(mut self, scale: Scale) -> Self {
        self.x.scale = scale;
        self
    }

    /// Spaces the vertical axis.
    pub fn y_scale(mut self, scale: Scale) -> Self {
        self.y.scale = scale;
        self
    }

    /// Shows this part of the horizontal axis and no other. A range without length, or without a place on the scale, is no range.
    pub fn x_range(mut self, from: f64, to: f64) -> Self {
        self.x.range = Some((from, to));
        self
    }

    /// Shows this part of the vertical axis and no other, as [`LineChart::x_range`].
    pub fn y_range(mut self, from: f64, to: f64) -> Self {
        self.y.range = Some((from, to));
        self
    }

    /// Draws a line up at `x`: the end of warm-up, a checkpoint.
    pub fn reference_x(mut self, x: f64, label: impl Into<String>) -> Self {
        self.x_references.push(Reference { at: x, label: label.into() });
        self
    }

    /// Draws a line across at `y`: a target, a baseline.
    pub fn reference_y(mut self, y: f64, label: impl Into<String>) -> Self {
        self.y_references.push(Reference { at: y, label: label.into() });
        self
    }

    fn draw(&self, setting: Setting) -> Html {
        let layers = self.series.iter().enumerate().map(|(color, series)| Layer { series, color, shown: Shown::Line }).collect();
        let (x_references, y_references) = (&self.x_references[..], &self.y_references[..]);
        Xy { frame: &self.frame, kind: "Line chart.", x: self.x, y: self.y, layers, x_references, y_references }.draw(setting)
    }
}

chart_methods!(LineChart);
