//! The sheet that a chart is drawn on: title, legend, plot area, axes.

use super::{Frame, Setting, axis::Axis, heat_map::ColorScale, legend::Legend};
use crate::{
    color::{self, DIM, GRID, INK, PAPER, Role},
    html::Html,
    markup::{Markup, Px},
    text,
};

/// Size of the title's letters, in pixels.
pub(super) const TITLE_SIZE: f64 = 15.0;
/// Size of all other letters.
pub(super) const LABEL_SIZE: f64 = 12.0;
/// Height of a row of the legend.
const ROW: f64 = 19.0;
/// Room between the sheet's edge and what is on it, in a file; a page has its own.
const FILE_MARGIN: f64 = 14.0;
const PAGE_MARGIN: f64 = 2.0;

/// How far marks may reach over the edge of the plot.
const BLEED: f64 = 5.0;

const FONTS: &str = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', sans-serif";

/// Room around the plot for what the kind of chart puts there.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Margins {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

/// The area of the data, in pixels from the top left of the sheet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plot {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Plot {
    /// From a fraction of the vertical axis, which grows upwards, to pixels, which grow downwards.
    pub(super) fn y(&self, fraction: f64) -> f64 {
        self.top + self.height * (1.0 - fraction)
    }
}

/// A chart being drawn.
#[derive(Debug)]
pub(super) struct Canvas {
    pub(super) svg: Markup,
    pub(super) plot: Plot,
    height: f64,
}

impl Frame {
    /// Width left for the plot between the margins.
    pub(super) fn plot_width(&self, setting: Setting, margins: Margins) -> f64 {
        let label = if self.y_label.is_empty() { 0.0 } else { LABEL_SIZE + 8.0 };
        (self.width - 2.0 * setting.margin() - label - margins.left - margins.right).max(40.0)
    }

    /// Width for the legend.
    pub(super) fn legend_width(&self, setting: Setting) -> f64 {
        self.width - 2.0 * setting.margin()
    }
}

impl Setting {
    fn margin(self) -> f64 {
        match self {
            Self::File => FILE_MARGIN,
            Self::Page => PAGE_MARGIN,
        }
    }
}

impl Canvas {
    /// Begins a chart: `summary` is what its description says of the data, `scale` the colour scale whose style a file must bring.
    pub(super) fn new(
        frame: &Frame,
        setting: Setting,
        scale: Option<ColorScale>,
        legend: &Legend<'_>,
        margins: Margins,
        summary: &str,
    ) -> Self {
        let margin = setting.margin();
        let title = if frame.title.is_empty() { 0.0 } else { TITLE_SIZE + 12.0 };
        let rows = legend.rows() as f64 * ROW;
        let top = margin + title + rows + margins.top + if rows > 0.0 { 6.0 } else { 0.0 };
        let below = margin + margins.bottom + if frame.x_label.is_empty() { 0.0 } else { LABEL_SIZE + 8.0 };
        // A second row and further ones make the chart higher rather than the plot lower.
        let height = (frame.height + (rows - ROW).max(0.0) - top - below).max(60.0);
        let width = frame.plot_width(setting, margins);
        let left = frame.width - margin - margins.right - width;
        let plot = Plot { left, top, width, height };
        let mut canvas = Self { svg: Markup::default(), plot, height: top + height + below };
        canvas.begin(frame, setting, scale, summary);
        canvas.labels(frame, margin);
        legend.draw(&mut canvas.svg, margin, margin + title, ROW);
        canvas
    }

    fn begin(&mut self, frame: &Frame, setting: Setting, scale: Option<ColorScale>, summary: &str) {
        let (width, height) = (frame.width, self.height);
        let mut tag = self.svg.tag("svg");
        if setting == Setting::File {
            tag = tag.attr("xmlns", "http://www.w3.org/2000/svg");
        }
        let tag = tag.attr("class", "chart").attr("role", "img").px("width", width).px("height", height);
        let tag = tag.attr("viewBox", format_args!("0 0 {} {}", Px(width), Px(height))).attr("color", INK.light);
        tag.attr("font-family", FONTS).attr("font-size", LABEL_SIZE).open();
        self.svg.leaf("title", if frame.title.trim().is_empty() { "Chart" } else { &frame.title });
        let description =
            [frame.description.as_str(), summary].iter().filter(|text| !text.is_empty()).copied().collect::<Vec<_>>().join(" ");
        self.svg.leaf("desc", &description);
        if setting == Setting::File {
            self.svg.leaf("style", &color::style_sheet(scale.as_slice()));
            let paper = self.svg.tag("rect").attr("class", PAPER.class).attr("color", PAPER.light).attr("fill", "currentColor");
            paper.px("width", width).px("height", height).empty();
        }
    }

    fn labels(&mut self, frame: &Frame, margin: f64) {
        if !frame.title.is_empty() {
            let title = text::fit(&frame.title, TITLE_SIZE, frame.width - 2.0 * margin);
            let tag = self.svg.tag("text").attr("fill", "currentColor").attr("font-size", TITLE_SIZE).attr("font-weight", 600);
            tag.px("x", margin).px("y", margin + TITLE_SIZE - 2.0).text(&title);
        }
        let middle = (self.plot.left + self.plot.width / 2.0, self.plot.top + self.plot.height / 2.0);
        if !frame.x_label.is_empty() {
            let label = text::fit(&frame.x_label, LABEL_SIZE, frame.width - 2.0 * margin);
            let tag = self.svg.tag("text").attr("fill", "currentColor").attr("text-anchor", "middle");
            tag.px("x", middle.0).px("y", self.height - margin - 3.0).text(&label);
        }
        if !frame.y_label.is_empty() {
            let label = text::fit(&frame.y_label, LABEL_SIZE, self.plot.height.max(120.0));
            let tag = self.svg.tag("text").attr("fill", "currentColor").attr("text-anchor", "middle");
            tag.attr("transform", format_args!("translate({} {})rotate(-90)", Px(margin + LABEL_SIZE - 3.0), Px(middle.1))).text(&label);
        }
    }

    /// Horizontal grid lines and the labels of the vertical axis.
    pub(super) fn vertical_axis(&mut self, axis: &Axis) {
        let plot = self.plot;
        let line = |at: f64| format!("M{} {}h{}", Px(plot.left), Px(plot.y(at)), Px(plot.width));
        self.grid(axis.ticks().filter(|tick| tick.1.is_some()).map(|tick| line(tick.0)));
        let minor = axis.ticks().filter(|tick| tick.1.is_none()).map(|(at, _)| format!("M{} {}h-4", Px(plot.left), Px(plot.y(at))));
        self.grid(minor);
        self.group(DIM);
        for (at, label) in axis.ticks() {
            if let Some(label) = label {
                let tag = self.svg.tag("text").attr("text-anchor", "end").px("x", plot.left - 7.0).px("y", plot.y(at) + 4.0);
                tag.attr("fill", "currentColor").text(label);
            }
        }
        self.svg.close();
    }

    /// The labels of the horizontal axis with their ticks, and vertical grid lines where asked for.
    pub(super) fn horizontal_axis(&mut self, axis: &Axis, grid: bool) {
        let plot = self.plot;
        let (x, bottom) = (|at: f64| plot.left + at * plot.width, plot.top + plot.height);
        if grid {
            let line = |at: f64| format!("M{} {}v{}", Px(x(at)), Px(plot.top), Px(plot.height));
            self.grid(axis.ticks().filter(|tick| tick.1.is_some()).map(|tick| line(tick.0)));
        }
        self.group(DIM);
        let mark = |(at, label): (f64, Option<&str>)| format!("M{} {}v{}", Px(x(at)), Px(bottom), if label.is_some() { 5 } else { 3 });
        let marks = axis.ticks().map(mark).collect::<Vec<_>>().concat();
        self.svg.tag("path").attr("d", marks).attr("stroke", "currentColor").empty();
        for (at, label) in axis.ticks() {
            if let Some(label) = label {
                let tag = self.svg.tag("text").attr("text-anchor", "middle").px("x", x(at)).px("y", bottom + 18.0);
                tag.attr("fill", "currentColor").text(label);
            }
        }
        self.svg.close();
    }

    /// A line along the bottom of the plot.
    pub(super) fn base_line(&mut self) {
        let plot = self.plot;
        let path = format!("M{} {}h{}", Px(plot.left), Px(plot.top + plot.height), Px(plot.width));
        self.group(DIM);
        self.svg.tag("path").attr("d", path).attr("stroke", "currentColor").empty();
        self.svg.close();
    }

    /// Begins what is cut off at the edge of the plot, with the plot's top left as its origin; marks on the edge stay whole. A nested `svg`
    /// clips without an id, so that charts can share a page.
    pub(super) fn open_plot(&mut self) {
        let plot = self.plot;
        let (width, height) = (plot.width + 2.0 * BLEED, plot.height + 2.0 * BLEED);
        let tag = self.svg.tag("svg").px("x", plot.left - BLEED).px("y", plot.top - BLEED).px("width", width).px("height", height);
        let view = format_args!("{} {} {} {}", Px(-BLEED), Px(-BLEED), Px(width), Px(height)).to_string();
        tag.attr("viewBox", view).attr("overflow", "hidden").open();
    }

    /// Opens a group of one colour.
    pub(super) fn group(&mut self, role: Role) {
        self.svg.tag("g").attr("class", role.class).attr("color", role.light).open();
    }

    /// Says in the middle of the plot that there is nothing to see.
    pub(super) fn note(&mut self, note: &str) {
        let plot = self.plot;
        self.group(DIM);
        let tag = self.svg.tag("text").attr("fill", "currentColor").attr("text-anchor", "middle");
        tag.px("x", plot.left + plot.width / 2.0).px("y", plot.top + plot.height / 2.0).text(note);
        self.svg.close();
    }

    pub(super) fn finish(mut self) -> Html {
        self.svg.close();
        self.svg.into_html()
    }

    fn grid(&mut self, lines: impl Iterator<Item = String>) {
        let lines = lines.collect::<Vec<_>>().concat();
        if lines.is_empty() {
            return;
        }
        self.group(GRID);
        self.svg.tag("path").attr("d", lines).attr("stroke", "currentColor").empty();
        self.svg.close();
    }
}
