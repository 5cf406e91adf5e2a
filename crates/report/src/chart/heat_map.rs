use super::{
    Frame, Setting,
    axis::{Axis, AxisSpec, Ends},
    canvas::{Canvas, LABEL_SIZE, Margins},
    chart_methods,
    legend::Legend,
    matrix::{LEGEND, Matrix, draw_cells, draw_column_labels, draw_legend, draw_row_labels, labels, level, longest},
};
use crate::{
    color::{INK, PAPER},
    html::Html,
    markup::append,
    number::short,
    text,
};

/// How numbers become colours. The least (the middle of a diverging scale) is close to the paper, in light and in dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorScale {
    /// From little to much, in even steps of lightness.
    #[default]
    Sequential,
    /// Around zero, for differences and correlations: blue below, orange above.
    Diverging,
}

/// A matrix as colours, with a legend of what they mean.
///
/// A value that is not finite, or missing, stays empty. Beyond 256 rows or columns, neighbours are averaged.
///
/// ```
/// use jarre_report::HeatMap;
///
/// let confusion = HeatMap::new("Confusion", [vec![48.0, 2.0], vec![5.0, 45.0]])
///     .row_labels(["spam", "ham"])
///     .column_labels(["spam", "ham"])
///     .print_values();
/// assert!(confusion.to_svg().contains("ham, spam: 5"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    frame: Frame,
    cells: Vec<f64>,
    columns: usize,
    row_labels: Vec<String>,
    column_labels: Vec<String>,
    scale: ColorScale,
    range: Option<(f64, f64)>,
    printed: bool,
}

/// Cells up to which each tells its value under the pointer.
const TOLD: usize = 1024;

impl HeatMap {
    /// A matrix by rows. Rows shorter than the longest end in empty cells.
    pub fn new(title: impl Into<String>, rows: impl IntoIterator<Item = Vec<f64>>) -> Self {
        let rows: Vec<Vec<f64>> = rows.into_iter().collect();
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let cells = rows.into_iter().flat_map(|row| row.into_iter().chain(std::iter::repeat(f64::NAN)).take(columns));
        Self::from_row_major(title, cells, columns)
    }

    /// A matrix whose rows follow each other, each of `columns` cells. A last row that is not whole ends in empty cells.
    pub fn from_row_major(title: impl Into<String>, cells: impl IntoIterator<Item = f64>, columns: usize) -> Self {
        let columns = columns.max(1);
        let mut cells: Vec<f64> = cells.into_iter().collect();
        cells.resize(cells.len().next_multiple_of(columns), f64::NAN);
        let (row_labels, column_labels) = (Vec::new(), Vec::new());
        Self {
            frame: Frame::new(title),
            cells,
            columns,
            row_labels,
            column_labels,
            scale: ColorScale::Sequential,
            range: None,
            printed: false,
        }
    }

    /// Names the rows, from the top.
    pub fn row_labels<L: Into<String>>(mut self, labels: impl IntoIterator<Item = L>) -> Self {
        self.row_labels = labels.into_iter().map(Into::into).collect();
        self
    }

    /// Names the columns, from the left.
    pub fn column_labels<L: Into<String>>(mut self, labels: impl IntoIterator<Item = L>) -> Self {
        self.column_labels = labels.into_iter().map(Into::into).collect();
        self
    }

    /// Chooses the colours.
    pub fn scale(mut self, scale: ColorScale) -> Self {
        self.scale = scale;
        self
    }

    /// The values of the lowest and the highest colour, rather than the least and the greatest in the matrix. A range without length is no
    /// range.
    pub fn range(mut self, low: f64, high: f64) -> Self {
        self.range = Some((low, high));
        self
    }

    /// Prints the values into the cells, where they fit.
    pub fn print_values(mut self) -> Self {
        self.printed = true;
        self
    }

    fn draw(&self, setting: Setting) -> Html {
        let matrix = Matrix::new(&self.cells, self.columns);
        let axis = self.color_axis();
        let legend_labels = axis.labels().map(|label| text::width(label, LABEL_SIZE)).fold(0.0, f64::max);
        let rows = labels(&self.row_labels, matrix.rows, matrix.pooled.0);
        let columns = labels(&self.column_labels, matrix.columns, matrix.pooled.1);
        let mut margins = Margins { left: longest(&rows) + 8.0, right: 18.0 + LEGEND + 9.0 + legend_labels, top: 0.0, bottom: 0.0 };
        let slot = self.frame.plot_width(setting, margins) / matrix.columns.max(1) as f64;
        let turned = longest(&columns) > slot - 4.0;
        margins.bottom = match longest(&columns) {
            0.0 => 4.0,
            longest if turned => longest + 10.0,
            _ => LABEL_SIZE + 8.0,
        };
        let mut canvas = Canvas::new(&self.frame, setting, Some(self.scale), &Legend::default(), margins, &self.summary(&matrix));
        draw_cells(&mut canvas, &matrix, &axis, self.scale);
        self.draw_over(&mut canvas, &matrix, &axis);
        draw_row_labels(&mut canvas, &rows);
        draw_column_labels(&mut canvas, &columns, turned);
        draw_legend(&mut canvas, &axis, self.scale);
        if matrix.cells.is_empty() {
            canvas.note("no data");
        }
        canvas.finish()
    }

    /// The axis of the colours. A diverging one is as long on both sides of zero.
    fn color_axis(&self) -> Axis {
        let finite = || self.cells.iter().copied().filter(|value| value.is_finite());
        let spread = finite().map(f64::abs).fold(0.0, f64::max);
        let range = match (self.range, self.scale) {
            (Some(range), _) => Some(range),
            (None, ColorScale::Diverging) => Some((-spread, spread)),
            (None, ColorScale::Sequential) => Some((finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max))),
        };
        Axis::new(AxisSpec { range, ..AxisSpec::default() }, finite(), Ends::Padded, 5)
    }

    /// What is told about the cells under the pointer, and printed into them.
    fn draw_over(&self, canvas: &mut Canvas, matrix: &Matrix, axis: &Axis) {
        let plot = canvas.plot;
        let (width, height) = (plot.width / matrix.columns as f64, plot.height / matrix.rows.max(1) as f64);
        if matrix.cells.len() > TOLD {
            return;
        }
        for (place, value) in matrix.cells.iter().enumerate() {
            let (row, column) = (place / matrix.columns, place % matrix.columns);
            let (x, y) = (plot.left + column as f64 * width, plot.top + row as f64 * height);
            let tag = canvas.svg.tag("rect").attr("fill", "none").attr("pointer-events", "all");
            tag.px("x", x).px("y", y).px("width", width).px("height", height).open();
            canvas.svg.leaf("title", &self.told(row, column, *value));
            canvas.svg.close();
            let label = short(*value);
            if self.printed && value.is_finite() && text::width(&label, LABEL_SIZE) < width && height > LABEL_SIZE {
                let far = self.scale.is_far_from_paper(level(axis, *value).unwrap_or_default());
                canvas.group(if far { PAPER } else { INK });
                let tag = canvas.svg.tag("text").attr("fill", "currentColor").attr("text-anchor", "middle").attr("pointer-events", "none");
                tag.px("x", x + width / 2.0).px("y", y + height / 2.0 + 4.0).text(&label);
                canvas.svg.close();
            }
        }
    }

    fn told(&self, row: usize, column: usize, value: f64) -> String {
        let name = |labels: &[String], place: usize| labels.get(place).cloned().unwrap_or_else(|| (place + 1).to_string());
        let value = if value.is_finite() { short(value) } else { "no value".to_owned() };
        format!("{}, {}: {value}", name(&self.row_labels, row), name(&self.column_labels, column))
    }

    fn summary(&self, matrix: &Matrix) -> String {
        let rows = self.cells.len() / self.columns;
        let mut words = format!("Heat map of {rows} rows and {} columns.", if rows == 0 { 0 } else { self.columns });
        let finite: Vec<(usize, f64)> = self.cells.iter().copied().enumerate().filter(|cell| cell.1.is_finite()).collect();
        let named = |(place, value): (usize, f64)| self.told(place / self.columns, place % self.columns, value);
        let extremes =
            (finite.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1)), finite.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1)));
        if let (Some(least), Some(greatest)) = extremes {
            append(&mut words, format_args!(" Least at {}; greatest at {}.", named(least), named(greatest)));
        }
        if finite.len() < self.cells.len() {
            append(&mut words, format_args!(" {} cells have no value.", self.cells.len() - finite.len()));
        }
        if matrix.pooled != (1, 1) {
            append(&mut words, format_args!(" Each cell drawn is the mean of {} x {}.", matrix.pooled.0, matrix.pooled.1));
        }
        words
    }
}

chart_methods!(HeatMap);

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the figures are exact")]
mod tests {
    use super::*;
    use crate::color::LEVELS;

    #[test]
    fn large_matrices_are_averaged() {
        let map = HeatMap::from_row_major("", (0..512 * 300).map(|cell| f64::from(cell % 300)), 300);
        let matrix = Matrix::new(&map.cells, map.columns);
        assert_eq!((matrix.rows, matrix.columns, matrix.pooled), (256, 150, (2, 2)));
        assert_eq!((matrix.cells[0], matrix.cells[149]), (0.5, 298.5));
        let map = HeatMap::from_row_major("", (0..600).map(|cell| if cell < 2 { f64::NAN } else { 4.0 }), 600);
        assert!(Matrix::new(&map.cells, map.columns).cells[0] == 4.0, "what is missing does not count");
    }

    #[test]
    fn ragged_rows_end_empty() {
        let map = HeatMap::new("", [vec![1.0], vec![1.0, 2.0, 3.0], vec![]]);
        assert_eq!((map.columns, map.cells.len()), (3, 9));
        assert!(map.cells[1].is_nan() && map.cells[8].is_nan() && map.cells[5] == 3.0);
        assert_eq!(HeatMap::from_row_major("", [1.0, 2.0, 3.0], 2).cells.len(), 4);
        assert_eq!(HeatMap::from_row_major("", [1.0], 0).columns, 1);
    }

    #[test]
    fn zero_is_in_the_middle_of_a_diverging_scale() {
        let axis = HeatMap::new("", [vec![-1.0, 3.0]]).scale(ColorScale::Diverging).color_axis();
        assert_eq!(level(&axis, 0.0), Some(LEVELS / 2));
        assert_eq!((level(&axis, 3.0), level(&axis, f64::NAN)), (Some(LEVELS - 1), None));
        let axis = HeatMap::new("", [vec![2.0, 2.0]]).color_axis();
        assert!(level(&axis, 2.0).is_some());
    }
}
