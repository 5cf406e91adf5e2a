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

/// Series as points, with error bars and fitted curves: quality against cost, loss against compute.
///
/// Each series has a shape beside its colour. What has no place on the axes is left out and counted in the description. Of more than 4,000
/// points that lie on each other, one stands for its neighbourhood.
///
/// ```
/// use jarre_report::{Scale, ScatterChart, Series};
///
/// let runs = Series::with_errors("runs", [(1e6, 4.1, 4.0, 4.2), (1e7, 3.2, 3.1, 3.3), (1e8, 2.5, 2.45, 2.55)]);
/// let fit = Series::new("fit", (0..=20).map(|step| 10_f64.powf(6.0 + 0.1 * f64::from(step))).map(|n| (n, 18.0 * n.powf(-0.107))));
/// let chart = ScatterChart::new("Scaling").series(runs).curve(fit).x_scale(Scale::Log).y_scale(Scale::Log);
/// assert!(chart.to_svg().contains("runs, 10M: 3.2 [3.1, 3.3]"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ScatterChart {
    frame: Frame,
    x: AxisSpec,
    y: AxisSpec,
    series: Vec<Series>,
    curves: Vec<(Series, usize)>,
    x_references: Vec<Reference>,
    y_references: Vec<Reference>,
}

impl ScatterChart {
    /// An empty chart.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            frame: Frame::new(title),
            x: AxisSpec::default(),
            y: AxisSpec::default(),
            series: Vec::new(),
            curves: Vec::new(),
            x_references: Vec::new(),
            y_references: Vec::new(),
        }
    }

    /// Adds a series of points.
    pub fn series(mut self, series: Series) -> Self {
        self.series.push(series);
        self
    }

    /// Adds a line, in the colour of the series added before it: the curve fitted to that series.
    pub fn curve(mut self, curve: Series) -> Self {
        self.curves.push((curve, self.series.len().saturating_sub(1)));
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

    /// Shows this part of the vertical axis and no other, as [`ScatterChart::x_range`].
    pub fn y_range(mut self, from: f64, to: f64) -> Self {
        self.y.range = Some((from, to));
        self
    }

    /// Draws a line up at `x`.
    pub fn reference_x(mut self, x: f64, label: impl Into<String>) -> Self {
        self.x_references.push(Reference { at: x, label: label.into() });
        self
    }

    /// Draws a line across at `y`.
    pub fn reference_y(mut self, y: f64, label: impl Into<String>) -> Self {
        self.y_references.push(Reference { at: y, label: label.into() });
        self
    }

    fn draw(&self, setting: Setting) -> Html {
        let curves = self.curves.iter().map(|(series, color)| Layer { series, color: *color, shown: Shown::Curve });
        let points = self.series.iter().enumerate().map(|(color, series)| Layer { series, color, shown: Shown::Marks });
        let layers = points.chain(curves).collect();
        let (x_references, y_references) = (&self.x_references[..], &self.y_references[..]);
        Xy { frame: &self.frame, kind: "Scatter chart.", x: self.x, y: self.y, layers, x_references, y_references }.draw(setting)
    }
}

chart_methods!(ScatterChart);
