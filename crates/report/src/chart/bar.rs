use super::{
    Frame, Setting,
    axis::{Axis, AxisSpec, Ends},
    canvas::{Canvas, LABEL_SIZE, Margins},
    category::Labels,
    chart_methods,
    legend::{Entry, Legend, Swatch},
    reference::{self, Reference},
};
use crate::{
    color::{self, DIM},
    html::Html,
    markup::{Px, append},
    number::short,
    text,
};

/// Values by category as bars from zero, side by side where there are several groups, with error bars.
///
/// A value that is not finite, or missing, is a gap. The first 200 categories are drawn; [`Histogram`](crate::Histogram) is for more.
///
/// ```
/// use jarre_report::{BarChart, Bars};
///
/// let chart = BarChart::new("Recall@5", ["BM25", "dense", "hybrid"])
///     .bars(Bars::with_errors("test", [(0.61, 0.58, 0.64), (0.66, 0.63, 0.69), (0.74, 0.71, 0.77)]))
///     .bars(Bars::new("dev", [0.63, 0.65]));
/// assert!(chart.to_svg().contains("hybrid, test: 0.74 [0.71, 0.77]"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BarChart {
    frame: Frame,
    categories: Vec<String>,
    bars: Vec<Bars>,
    y: AxisSpec,
    references: Vec<Reference>,
    printed: bool,
}

/// A value for each category under one name.
#[derive(Clone, Debug, PartialEq)]
pub struct Bars {
    name: String,
    values: Vec<(f64, Option<(f64, f64)>)>,
}

impl Bars {
    /// Values in the order of the categories.
    pub fn new(name: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Self {
        Self { name: name.into(), values: values.into_iter().map(|value| (value, None)).collect() }
    }

    /// Values with error bars: `(value, low, high)`.
    pub fn with_errors(name: impl Into<String>, values: impl IntoIterator<Item = (f64, f64, f64)>) -> Self {
        let values = values.into_iter().map(|(value, low, high)| (value, Some((low.min(high), low.max(high)))));
        Self { name: name.into(), values: values.collect() }
    }
}

const MOST_CATEGORIES: usize = 200;

impl BarChart {
    /// A chart of these categories, without bars.
    pub fn new<C: Into<String>>(title: impl Into<String>, categories: impl IntoIterator<Item = C>) -> Self {
        Self {
            frame: Frame::new(title),
            categories: categories.into_iter().map(Into::into).collect(),
            bars: Vec::new(),
            y: AxisSpec::default(),
            references: Vec::new(),
            printed: false,
        }
    }

    /// Adds a bar to each category.
    pub fn bars(mut self, bars: Bars) -> Self {
        self.bars.push(bars);
        self
    }

    /// Prints each value above its bar.
    pub fn print_values(mut self) -> Self {
        self.printed = true;
        self
    }

    /// Shows this part of the vertical axis. A range without zero cuts the bars, whose length then says little.
    pub fn y_range(mut self, from: f64, to: f64) -> Self {
        self.y.range = Some((from, to));
        self
    }

    /// Draws a line across at `y`.
    pub fn reference_y(mut self, y: f64, label: impl Into<String>) -> Self {
        self.references.push(Reference { at: y, label: label.into() });
        self
    }

    fn draw(&self, setting: Setting) -> Html {
        let entries = self.bars.iter().enumerate().map(|(color, bars)| Entry { name: &bars.name, color, swatch: Swatch::Box });
        let legend = Legend::new(entries.filter(|_| self.bars.len() > 1), self.frame.legend_width(setting));
        let empty = !self.values().any(f64::is_finite);
        // Without a bar there is nothing below zero either.
        let spec = if empty { AxisSpec { range: Some((0.0, 1.0)), ..self.y } } else { self.y };
        let axis = Axis::new(
            spec,
            self.values().chain(self.references.iter().map(|line| line.at)).chain([0.0]),
            Ends::Ticks,
            (self.frame.height / 64.0) as usize + 1,
        );
        let mut margins = Margins {
            left: axis.labels().map(|label| text::width(label, LABEL_SIZE)).fold(0.0, f64::max) + 10.0,
            right: reference::room_right(&self.references).max(10.0),
            bottom: 0.0,
            top: if self.printed { LABEL_SIZE } else { 0.0 },
        };
        let names = &self.categories[..self.count()];
        margins.left = margins.left.max(Labels::new(names, self.frame.plot_width(setting, margins)).overhang());
        let labels = Labels::new(names, self.frame.plot_width(setting, margins));
        margins.bottom = labels.depth();
        let mut canvas = Canvas::new(&self.frame, setting, None, &legend, margins, &self.summary());
        canvas.vertical_axis(&axis);
        if empty {
            canvas.note("no data");
        }
        self.draw_bars(&mut canvas, &axis);
        labels.draw(&mut canvas);
        draw_zero(&mut canvas, &axis);
        reference::draw_horizontal(&mut canvas, &self.references, &axis);
        canvas.finish()
    }

    fn count(&self) -> usize {
        self.categories.len().min(MOST_CATEGORIES)
    }

    fn values(&self) -> impl Iterator<Item = f64> {
        self.bars.iter().flat_map(|bars| bars.values.iter().take(self.count())).flat_map(|(value, bounds)| {
            let (low, high) = bounds.unwrap_or((*value, *value));
            [*value, low, high]
        })
    }

    fn draw_bars(&self, canvas: &mut Canvas, axis: &Axis) {
        let plot = canvas.plot;
        let slot = plot.width / self.count().max(1) as f64;
        let bar = slot * 0.76 / self.bars.len().max(1) as f64;
        let told = self.count() * self.bars.len() <= 400;
        canvas.open_plot();
        for (color, bars) in self.bars.iter().enumerate() {
            canvas.group(color::series(color));
            for (place, (value, bounds)) in bars.values.iter().take(self.count()).enumerate() {
                let left = slot * (place as f64 + 0.12) + bar * color as f64;
                let told = told.then(|| self.told(place, bars));
                draw_bar(canvas, axis, (left, bar), *value, *bounds, told.as_deref());
            }
            canvas.svg.close();
        }
        canvas.svg.close();
        if self.printed {
            self.print(canvas, axis, slot, bar);
        }
    }

    /// Values over their bars, where they fit.
    fn print(&self, canvas: &mut Canvas, axis: &Axis, slot: f64, bar: f64) {
        let plot = canvas.plot;
        for (color, bars) in self.bars.iter().enumerate() {
            for (place, (value, bounds)) in bars.values.iter().take(self.count()).enumerate() {
                let top = bounds.map_or(*value, |(_, high)| high).max(0.0);
                let (Some(_), Some(top)) = (axis.place(*value), axis.place_of_bound(top)) else { continue };
                let middle = plot.left + slot * (place as f64 + 0.12) + bar * (color as f64 + 0.5);
                let label = short(*value);
                if text::width(&label, LABEL_SIZE - 1.0) <= bar.max(slot * 0.5) {
                    let tag = canvas.svg.tag("text").attr("fill", "currentColor").attr("font-size", LABEL_SIZE - 1.0);
                    tag.attr("text-anchor", "middle").px("x", middle).px("y", plot.y(top.clamp(0.0, 1.0)) - 4.0).text(&label);
                }
            }
        }
    }

    fn told(&self, place: usize, bars: &Bars) -> String {
        let name = if bars.name.is_empty() { String::new() } else { format!(", {}", bars.name) };
        let (value, bounds) = bars.values[place];
        let bounds = bounds.map(|(low, high)| format!(" [{}, {}]", short(low), short(high))).unwrap_or_default();
        format!("{}{name}: {}{bounds}", self.categories[place], short(value))
    }

    fn summary(&self) -> String {
        let mut words = format!("Bar chart of {} categories.", self.categories.len());
        if self.categories.len() > MOST_CATEGORIES {
            append(&mut words, format_args!(" The first {MOST_CATEGORIES} are drawn."));
        }
        for place in 0..self.count().min(24) {
            for bars in self.bars.iter().take(6).filter(|bars| place < bars.values.len()) {
                append(&mut words, format_args!(" {}.", self.told(place, bars)));
            }
        }
        words
    }
}

chart_methods!(BarChart);

/// The line that bars stand on, at zero or at the end of the axis next to it.
fn draw_zero(canvas: &mut Canvas, axis: &Axis) {
    let plot = canvas.plot;
    let zero = axis.place(0.0).unwrap_or_default().clamp(0.0, 1.0);
    canvas.group(DIM);
    let path = format!("M{} {}h{}", Px(plot.left), Px(plot.y(zero)), Px(plot.width));
    canvas.svg.tag("path").attr("d", path).attr("stroke", "currentColor").empty();
    canvas.svg.close();
}

fn draw_bar(canvas: &mut Canvas, axis: &Axis, (left, width): (f64, f64), value: f64, bounds: Option<(f64, f64)>, told: Option<&str>) {
    let height = canvas.plot.height;
    let (Some(end), Some(zero)) = (axis.place(value), axis.place(0.0)) else { return };
    let (top, bottom) = ((1.0 - end.max(zero)) * height, (1.0 - end.min(zero)) * height);
    let (inner, gap) = (width * 0.92, width * 0.04);
    let tag = canvas.svg.tag("rect").attr("fill", "currentColor");
    tag.px("x", left + gap).px("y", top).px("width", inner.max(0.5)).px("height", (bottom - top).max(0.5)).open();
    if let Some(told) = told {
        canvas.svg.leaf("title", told);
    }
    canvas.svg.close();
    if let Some((Some(low), Some(high))) = bounds.map(|(low, high)| (axis.place_of_bound(low), axis.place_of_bound(high))) {
        let (middle, cap) = (left + width / 2.0, (width * 0.2).clamp(1.0, 5.0));
        let (low, high) = (Px((1.0 - low) * height), Px((1.0 - high) * height));
        let (x, left, across) = (Px(middle), Px(middle - cap), Px(2.0 * cap));
        let path = format!("M{x} {low}V{high}M{left} {low}h{across}M{left} {high}h{across}");
        canvas.group(color::INK);
        canvas.svg.tag("path").attr("d", path).attr("stroke", "currentColor").attr("fill", "none").empty();
        canvas.svg.close();
    }
}
