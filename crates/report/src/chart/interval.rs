use super::{
    Frame, Setting,
    axis::{Axis, AxisSpec, Ends},
    canvas::{Canvas, LABEL_SIZE, Margins},
    chart_methods,
    legend::{Legend, Mark},
    reference::{self, Reference},
};
use crate::{
    color,
    html::Html,
    markup::{Px, append},
    number::short,
    text,
};

/// Estimates with their intervals, one a row from the top: which of several systems is better, and how sure that is.
///
/// The axis shows the intervals and need not begin at zero. An estimate that is not finite is told as such in its row. The first 60 rows are
/// drawn.
///
/// ```
/// use jarre_report::IntervalChart;
///
/// let chart = IntervalChart::new("Accuracy").row("B", 1, 0.71, 0.68, 0.74).row("A", 0, 0.64, 0.61, 0.67);
/// assert!(chart.to_svg().contains("B: 0.71 [0.68, 0.74]"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct IntervalChart {
    frame: Frame,
    rows: Vec<Row>,
    x: AxisSpec,
    references: Vec<Reference>,
}

#[derive(Clone, Debug, PartialEq)]
struct Row {
    name: String,
    color: usize,
    value: f64,
    low: f64,
    high: f64,
}

const MOST_ROWS: usize = 60;
const LONGEST_NAME: f64 = 150.0;

impl IntervalChart {
    /// An empty chart.
    pub fn new(title: impl Into<String>) -> Self {
        Self { frame: Frame::new(title), rows: Vec::new(), x: AxisSpec::default(), references: Vec::new() }
    }

    /// Adds a row: an estimate and the bounds of its interval, in the colour that the series of this number has in other charts.
    pub fn row(mut self, name: impl Into<String>, color: usize, value: f64, low: f64, high: f64) -> Self {
        self.rows.push(Row { name: name.into(), color, value, low: low.min(high), high: low.max(high) });
        self
    }

    /// Shows this part of the axis and no other. A range without length is no range.
    pub fn x_range(mut self, from: f64, to: f64) -> Self {
        self.x.range = Some((from, to));
        self
    }

    /// Draws a line up at `x`: no difference, a target.
    pub fn reference_x(mut self, x: f64, label: impl Into<String>) -> Self {
        self.references.push(Reference { at: x, label: label.into() });
        self
    }

    fn draw(&self, setting: Setting) -> Html {
        let rows = &self.rows[..self.rows.len().min(MOST_ROWS)];
        let widest = |texts: &mut dyn Iterator<Item = String>| texts.map(|text| text::width(&text, LABEL_SIZE)).fold(0.0, f64::max);
        let mut margins = Margins {
            left: widest(&mut rows.iter().map(Row::label)) + 12.0,
            // Digits are wider in some fonts than the estimate of their width has it.
            right: widest(&mut rows.iter().map(Row::told)) * 1.1 + 12.0,
            bottom: 22.0,
            top: 0.0,
        };
        let width = self.frame.plot_width(setting, margins);
        let values = rows.iter().flat_map(|row| [row.value, row.low, row.high]).chain(self.references.iter().map(|line| line.at));
        let x = Axis::new(self.x, values, Ends::Padded, (width / 70.0) as usize + 1);
        margins.top = reference::room_above(&self.references, &x, width);
        let mut canvas = Canvas::new(&self.frame, setting, None, &Legend::default(), margins, &self.summary());
        canvas.horizontal_axis(&x, true);
        if rows.is_empty() {
            canvas.note("no data");
        }
        for (place, row) in rows.iter().enumerate() {
            row.draw(&mut canvas, &x, (place as f64 + 0.5) / rows.len() as f64);
        }
        canvas.base_line();
        reference::draw_vertical(&mut canvas, &self.references, &x);
        canvas.finish()
    }

    fn summary(&self) -> String {
        let mut words = format!("Intervals of {} estimates.", self.rows.len());
        if self.rows.len() > MOST_ROWS {
            append(&mut words, format_args!(" The first {MOST_ROWS} are drawn."));
        }
        for row in self.rows.iter().take(24) {
            append(&mut words, format_args!(" {}: {}.", row.name, row.told()));
        }
        for line in &self.references {
            append(&mut words, format_args!(" Line at {}: {}.", short(line.at), line.label));
        }
        words
    }
}

chart_methods!(IntervalChart);

impl Row {
    fn label(&self) -> String {
        text::fit(&self.name, LABEL_SIZE, LONGEST_NAME)
    }

    fn told(&self) -> String {
        format!("{} [{}, {}]", short(self.value), short(self.low), short(self.high))
    }

    /// Draws the row; `down` is its middle as a share of the plot's height.
    fn draw(&self, canvas: &mut Canvas, axis: &Axis, down: f64) {
        let plot = canvas.plot;
        let y = plot.top + plot.height * down;
        for (anchor, x, text) in [("end", plot.left - 8.0, self.label()), ("start", plot.left + plot.width + 8.0, self.told())] {
            let tag = canvas.svg.tag("text").attr("fill", "currentColor").attr("text-anchor", anchor);
            tag.px("x", x).px("y", y + 4.0).text(&text);
        }
        canvas.open_plot();
        canvas.group(color::series(self.color));
        self.draw_interval(canvas, axis, plot.height * down);
        canvas.svg.close();
        canvas.svg.close();
    }

    fn draw_interval(&self, canvas: &mut Canvas, axis: &Axis, y: f64) {
        let width = canvas.plot.width;
        if let (Some(low), Some(high)) = (axis.place_of_bound(self.low), axis.place_of_bound(self.high)) {
            let (low, high, top, y) = (Px(low * width), Px(high * width), Px(y - 5.0), Px(y));
            let path = format!("M{low} {y}H{high}M{low} {top}v10M{high} {top}v10");
            canvas.svg.tag("path").attr("d", path).attr("stroke", "currentColor").attr("stroke-width", 2).attr("fill", "none").empty();
        }
        if let Some(x) = axis.place(self.value) {
            let path = format!("M{} {}{}", Px(x * width), Px(y), Mark::of_series(self.color).path());
            canvas.svg.tag("path").attr("d", path).attr("fill", "currentColor").open();
            canvas.svg.leaf("title", &format!("{}: {}", self.name, self.told()));
            canvas.svg.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_that_is_no_number_is_told_and_not_drawn() {
        let svg = IntervalChart::new("").row("none", 0, f64::NAN, f64::NAN, f64::NAN).row("one", 1, 0.5, 0.6, 0.4).to_svg();
        assert!(svg.contains(">NaN [NaN, NaN]</text>") && svg.contains("one: 0.5 [0.4, 0.6]"));
        assert_eq!(svg.matches("stroke-width=\"2\"").count(), 1);
    }

    #[test]
    fn rows_beyond_what_can_be_read_are_counted() {
        let chart = (0..100).fold(IntervalChart::new("many"), |chart, row| chart.row(format!("row {row}"), row, 0.5, 0.4, 0.6));
        let svg = chart.to_svg();
        assert!(svg.contains("Intervals of 100 estimates. The first 60 are drawn."));
        assert_eq!(svg.matches("stroke-width=\"2\"").count(), MOST_ROWS);
    }
}
