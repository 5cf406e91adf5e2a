use super::{
    Frame, Setting,
    axis::{Axis, AxisSpec, Ends},
    canvas::{Canvas, LABEL_SIZE, Margins},
    chart_methods,
    legend::{Entry, Legend, Swatch},
    ticks::Step,
};
use crate::{
    color,
    html::Html,
    markup::{Px, append},
    number::short,
    text,
};

/// How values are distributed: how many fall into each of equal intervals.
///
/// The number of intervals follows the rule of Freedman and Diaconis (1981), rounded to intervals with round ends, unless it is set. What
/// is not finite is left out and counted in the description.
///
/// ```
/// use jarre_report::Histogram;
///
/// let lengths = (0..1000).map(|n| f64::from(n * n % 1009));
/// let chart = Histogram::new("Lengths").values("documents", lengths).bins(10).x_label("tokens");
/// assert!(chart.to_svg().contains("documents: 1k values"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    frame: Frame,
    groups: Vec<Group>,
    bins: Option<usize>,
    shares: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Group {
    name: String,
    /// Finite and in order.
    sorted: Vec<f64>,
    left_out: usize,
}

/// Equal intervals.
struct Bins {
    low: f64,
    width: f64,
    count: usize,
}

const MOST_BINS: usize = 100;

impl Histogram {
    /// An empty chart.
    pub fn new(title: impl Into<String>) -> Self {
        Self { frame: Frame::new(title), groups: Vec::new(), bins: None, shares: false }
    }

    /// Adds a group of values; several groups share their intervals and show through each other.
    pub fn values(mut self, name: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Self {
        let (mut sorted, rest): (Vec<f64>, Vec<f64>) = values.into_iter().partition(|value| value.is_finite());
        for value in &mut sorted {
            *value = value.clamp(-1e307, 1e307);
        }
        sorted.sort_unstable_by(f64::total_cmp);
        self.groups.push(Group { name: name.into(), sorted, left_out: rest.len() });
        self
    }

    /// Uses this many intervals between the least and the greatest value, at least 1 and at most 100.
    pub fn bins(mut self, count: usize) -> Self {
        self.bins = Some(count.clamp(1, MOST_BINS));
        self
    }

    /// Shows shares of each group rather than counts, so that groups of different sizes compare.
    pub fn as_shares(mut self) -> Self {
        self.shares = true;
        self
    }

    fn draw(&self, setting: Setting) -> Html {
        let entries = self.groups.iter().enumerate().map(|(color, group)| Entry { name: &group.name, color, swatch: Swatch::Box });
        let legend = Legend::new(entries.filter(|_| self.groups.len() > 1), self.frame.legend_width(setting));
        let bins = self.intervals();
        let heights: Vec<Vec<f64>> = self.groups.iter().map(|group| self.heights(group, &bins)).collect();
        let y = Axis::new(
            AxisSpec::default(),
            heights.iter().flatten().copied().chain([0.0]),
            Ends::Ticks,
            (self.frame.height / 64.0) as usize + 1,
        );
        let left = y.labels().map(|label| text::width(label, LABEL_SIZE)).fold(0.0, f64::max) + 10.0;
        let margins = Margins { left, right: 14.0, bottom: 22.0, top: 0.0 };
        let spec = AxisSpec { range: Some((bins.low, bins.edge(bins.count))), ..AxisSpec::default() };
        let x = Axis::new(spec, std::iter::empty(), Ends::Padded, (self.frame.plot_width(setting, margins) / 90.0) as usize + 1);
        let mut canvas = Canvas::new(&self.frame, setting, None, &legend, margins, &self.summary());
        canvas.vertical_axis(&y);
        canvas.horizontal_axis(&x, false);
        if self.groups.iter().all(|group| group.sorted.is_empty()) {
            canvas.note("no data");
        }
        canvas.open_plot();
        for (color, heights) in heights.iter().enumerate() {
            self.draw_group(&mut canvas, color, heights, &bins, &y);
        }
        canvas.svg.close();
        canvas.base_line();
        canvas.finish()
    }

    fn intervals(&self) -> Bins {
        let all = || self.groups.iter().filter(|group| !group.sorted.is_empty());
        let low = all().map(|group| group.sorted[0]).fold(f64::INFINITY, f64::min);
        let high = all().map(|group| group.sorted[group.sorted.len() - 1]).fold(f64::NEG_INFINITY, f64::max);
        // Nothing, or values that are one for all that an axis can show.
        if low > high || high - low <= (low.abs().max(high.abs()) * 1e-11).max(1e-290) {
            let middle = if low > high { 0.5 } else { low };
            let width = if middle.abs() < 1e-280 { 1.0 } else { middle.abs() * 0.2 };
            return Bins { low: middle - width / 2.0, width, count: 1 };
        }
        if let Some(count) = self.bins {
            return Bins { low, width: (high - low) / count as f64, count };
        }
        let count = all().map(|group| rule(&group.sorted, high - low)).max().unwrap_or(1);
        let step = Step::for_span(high - low, count);
        let (low, high) = step.widen(low, high);
        let width = step.times(1.0);
        Bins { low, width, count: ((high - low) / width).round().clamp(1.0, 2.0 * MOST_BINS as f64) as usize }
    }

    fn heights(&self, group: &Group, bins: &Bins) -> Vec<f64> {
        let mut counts = vec![0.0; bins.count];
        for value in &group.sorted {
            counts[bins.of(*value)] += 1.0;
        }
        if self.shares {
            let total = group.sorted.len().max(1) as f64;
            return counts.into_iter().map(|count| count / total).collect();
        }
        counts
    }

    fn draw_group(&self, canvas: &mut Canvas, color: usize, heights: &[f64], bins: &Bins, y: &Axis) {
        let (width, height) = (canvas.plot.width / bins.count as f64, canvas.plot.height);
        let opacity = if self.groups.len() > 1 { 0.45 } else { 1.0 };
        canvas.group(color::series(color));
        for (bin, value) in heights.iter().enumerate().filter(|(_, value)| **value > 0.0) {
            let top = (1.0 - y.place(*value).unwrap_or_default()) * height;
            let gap = if bins.count <= 60 { 0.5 } else { 0.0 };
            let tag = canvas.svg.tag("rect").attr("fill", "currentColor").attr("fill-opacity", opacity);
            tag.px("x", bin as f64 * width + gap).px("y", top).px("width", width - 2.0 * gap).px("height", (height - top).max(0.5)).open();
            let told = format!("{}{} to {}: {}", self.prefix(color), short(bins.edge(bin)), short(bins.edge(bin + 1)), short(*value));
            canvas.svg.leaf("title", &told);
            canvas.svg.close();
        }
        if self.groups.len() > 1 {
            canvas
                .svg
                .tag("path")
                .attr("d", outline(heights, width, height, y))
                .attr("fill", "none")
                .attr("stroke", "currentColor")
                .empty();
        }
        canvas.svg.close();
    }

    fn prefix(&self, color: usize) -> String {
        let name = &self.groups[color].name;
        if self.groups.len() > 1 && !name.is_empty() { format!("{name}, ") } else { String::new() }
    }

    fn summary(&self) -> String {
        let mut words = "Histogram.".to_owned();
        for group in self.groups.iter().take(12) {
            let name = if group.name.is_empty() { "Values" } else { &group.name };
            append(&mut words, format_args!(" {name}: {} values", short(group.sorted.len() as f64)));
            if let (Some(least), Some(greatest)) = (group.sorted.first(), group.sorted.last()) {
                let median = short(group.sorted[group.sorted.len() / 2]);
                append(&mut words, format_args!(" from {} to {}, median {median}", short(*least), short(*greatest)));
            }
            if group.left_out > 0 {
                append(&mut words, format_args!("; {} not finite left out", group.left_out));
            }
            words.push('.');
        }
        words
    }
}

chart_methods!(Histogram);

impl Bins {
    fn of(&self, value: f64) -> usize {
        (((value - self.low) / self.width) as usize).min(self.count - 1)
    }

    fn edge(&self, bin: usize) -> f64 {
        self.low + self.width * bin as f64
    }
}

/// Intervals by Freedman and Diaconis, "On the histogram as a density estimator" (1981): twice the interquartile range over the cube root of
/// the number of values.
fn rule(sorted: &[f64], span: f64) -> usize {
    let quartile = |share: usize| sorted[(sorted.len() - 1) * share / 4];
    let width = 2.0 * (quartile(3) - quartile(1)) / (sorted.len() as f64).cbrt();
    if width > 0.0 { (span / width).ceil().clamp(1.0, MOST_BINS as f64) as usize } else { 30 }
}

fn outline(heights: &[f64], width: f64, height: f64, y: &Axis) -> String {
    let mut path = format!("M0 {}", Px(height));
    for (bin, value) in heights.iter().enumerate() {
        let top = (1.0 - y.place(*value).unwrap_or_default()) * height;
        append(&mut path, format_args!("V{}H{}", Px(top), Px((bin + 1) as f64 * width)));
    }
    append(&mut path, format_args!("V{}", Px(height)));
    path
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the figures are exact")]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_counted_once() {
        let values: Vec<f64> = (0..1000).map(|place| f64::from(place) * 0.01).collect();
        for chart in [Histogram::new(""), Histogram::new("").bins(7)] {
            let chart = chart.values("", values.clone()).values("", [f64::NAN, 3.0, f64::INFINITY]);
            let bins = chart.intervals();
            let counts = chart.heights(&chart.groups[0], &bins);
            assert_eq!(counts.iter().sum::<f64>(), 1000.0);
            assert_eq!(chart.groups[1].left_out, 2);
            for (bin, count) in counts.iter().enumerate() {
                let inside =
                    |value: &&f64| **value >= bins.edge(bin) - 1e-9 && (**value < bins.edge(bin + 1) - 1e-9 || bin + 1 == bins.count);
                assert!((count - values.iter().filter(inside).count() as f64).abs() <= 1.0, "bin {bin}");
            }
        }
    }

    #[test]
    fn ends_of_intervals_are_round() {
        let bins = Histogram::new("").values("", (0..1000).map(|place| 0.3 + f64::from(place) * 0.0097)).intervals();
        assert_eq!((bins.low, bins.width), (0.0, 1.0));
        assert_eq!(bins.count, 10);
    }

    #[test]
    fn one_value_has_one_interval() {
        let bins = Histogram::new("").values("", [5.0, 5.0]).intervals();
        assert_eq!((bins.count, bins.of(5.0)), (1, 0));
        assert!(bins.low < 5.0 && bins.edge(1) > 5.0);
    }
}
