/// Points under one name, with what is known about their certainty.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    pub(super) name: String,
    pub(super) points: Vec<Point>,
    pub(super) band: Vec<Bounds>,
    pub(super) broken: bool,
}

/// A point; its bounds are those of an error bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) bounds: Option<(f64, f64)>,
}

/// A place of a band.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bounds {
    pub(super) x: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Series {
    /// Points `(x, y)`, in the order in which a line goes through them. A point that is not finite is a gap in the line.
    pub fn new(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let points = points.into_iter().map(|(x, y)| Point { x, y, bounds: None }).collect();
        Self { name: name.into(), points, band: Vec::new(), broken: false }
    }

    /// Points with error bars: `(x, y, low, high)`, the bounds in the units of y.
    pub fn with_errors(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64, f64, f64)>) -> Self {
        let points = points.into_iter().map(|(x, y, low, high)| Point { x, y, bounds: Some((low.min(high), low.max(high))) });
        Self { name: name.into(), points: points.collect(), band: Vec::new(), broken: false }
    }

    /// A band behind the line: `(x, low, high)`, of a confidence interval for instance. Its places need not be those of the points.
    pub fn band(mut self, band: impl IntoIterator<Item = (f64, f64, f64)>) -> Self {
        self.band = band.into_iter().map(|(x, low, high)| Bounds { x, low: low.min(high), high: low.max(high) }).collect();
        self
    }

    /// Draws the line broken, for what is a target or a guess.
    pub fn dashed(mut self) -> Self {
        self.broken = true;
        self
    }

    pub(super) fn xs(&self) -> impl Iterator<Item = f64> {
        self.points.iter().map(|point| point.x).chain(self.band.iter().map(|bounds| bounds.x))
    }

    pub(super) fn ys(&self) -> impl Iterator<Item = f64> {
        let points = self.points.iter().flat_map(|point| {
            let (low, high) = point.bounds.unwrap_or((point.y, point.y));
            [point.y, low, high]
        });
        points.chain(self.band.iter().flat_map(|bounds| [bounds.low, bounds.high]))
    }
}
