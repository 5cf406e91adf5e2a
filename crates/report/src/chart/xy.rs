//! Points on two numeric axes: what line and scatter charts share.

use super::{
    Frame, Setting,
    axis::{Axis, AxisSpec, Ends},
    canvas::{Canvas, LABEL_SIZE, Margins},
    layer::{Layer, Projection, Shown},
    legend::{Entry, Legend},
    reference::{self, Reference},
};
use crate::{html::Html, markup::append, number::short, text};

/// Points of a whole chart up to which each tells its values under the pointer.
const TOLD: usize = 400;

/// What is to be drawn.
#[derive(Debug)]
pub(super) struct Xy<'a> {
    pub(super) frame: &'a Frame,
    pub(super) kind: &'static str,
    pub(super) x: AxisSpec,
    pub(super) y: AxisSpec,
    pub(super) layers: Vec<Layer<'a>>,
    pub(super) x_references: &'a [Reference],
    pub(super) y_references: &'a [Reference],
}

impl Xy<'_> {
    pub(super) fn draw(&self, setting: Setting) -> Html {
        let legend = Legend::new(self.entries(), self.frame.legend_width(setting));
        let y = self.vertical_axis();
        let mut margins = Margins {
            left: y.labels().map(|label| text::width(label, LABEL_SIZE)).fold(0.0, f64::max) + 10.0,
            right: reference::room_right(self.y_references).max(10.0),
            bottom: 22.0,
            top: 0.0,
        };
        let x = self.horizontal_axis(self.frame.plot_width(setting, margins));
        margins.top = reference::room_above(self.x_references, &x, self.frame.plot_width(setting, margins));
        let mut canvas = Canvas::new(self.frame, setting, None, &legend, margins, &self.summary(&x, &y));
        canvas.vertical_axis(&y);
        canvas.horizontal_axis(&x, true);
        self.draw_data(&mut canvas, &x, &y);
        canvas.base_line();
        reference::draw_horizontal(&mut canvas, self.y_references, &y);
        reference::draw_vertical(&mut canvas, self.x_references, &x);
        canvas.finish()
    }

    fn entries(&self) -> Vec<Entry<'_>> {
        if self.layers.len() < 2 {
            return Vec::new();
        }
        self.layers.iter().filter(|layer| !layer.series.name.is_empty()).map(Layer::entry).collect()
    }

    fn vertical_axis(&self) -> Axis {
        let values = self.layers.iter().flat_map(|layer| layer.series.ys()).chain(self.y_references.iter().map(|line| line.at));
        Axis::new(self.y, values, Ends::Ticks, (self.frame.height / 64.0) as usize + 1)
    }

    fn horizontal_axis(&self, width: f64) -> Axis {
        let values = || self.layers.iter().flat_map(|layer| layer.series.xs()).chain(self.x_references.iter().map(|line| line.at));
        let count = (width / 80.0) as usize + 1;
        let axis = Axis::new(self.x, values(), Ends::Padded, count);
        // Long labels want fewer ticks.
        let widest = axis.labels().map(|label| text::width(label, LABEL_SIZE)).fold(0.0, f64::max) + 14.0;
        let fitting = (width / widest) as usize;
        if axis.labels().count() <= fitting.max(1) { axis } else { Axis::new(self.x, values(), Ends::Padded, (fitting / 2).max(1)) }
    }

    fn draw_data(&self, canvas: &mut Canvas, x: &Axis, y: &Axis) {
        let projection = Projection { x, y, width: canvas.plot.width, height: canvas.plot.height };
        let drawable = |layer: &Layer<'_>| layer.series.points.iter().filter(|point| projection.point(point.x, point.y).is_some()).count();
        let shown: usize = self.layers.iter().map(drawable).sum();
        if shown == 0 && self.layers.iter().all(|layer| layer.series.band.is_empty()) {
            canvas.note("no data");
        }
        canvas.open_plot();
        for layer in &self.layers {
            layer.draw_band(canvas, &projection);
        }
        let (curves, others): (Vec<_>, Vec<_>) = self.layers.iter().partition(|layer| layer.shown == Shown::Curve);
        for layer in curves.into_iter().chain(others) {
            layer.draw(canvas, &projection, shown.div_ceil(TOLD));
        }
        canvas.svg.close();
    }

    /// The data in words.
    fn summary(&self, x: &Axis, y: &Axis) -> String {
        let mut words = self.kind.to_owned();
        for (name, label, axis) in [("x", &self.frame.x_label, x), ("y", &self.frame.y_label, y)] {
            let shown: Vec<&str> = axis.labels().collect();
            if let (Some(first), Some(last)) = (shown.first(), shown.last()) {
                let label = if label.is_empty() { String::new() } else { format!(" ({label})") };
                append(&mut words, format_args!(" {name}{label} from {first} to {last}."));
            }
        }
        for layer in self.layers.iter().take(12) {
            words.push_str(&layer.summary(x, y));
        }
        if self.layers.len() > 12 {
            append(&mut words, format_args!(" And {} more series.", self.layers.len() - 12));
        }
        for line in self.x_references.iter().chain(self.y_references) {
            append(&mut words, format_args!(" Line at {}: {}.", short(line.at), line.label));
        }
        words
    }
}
