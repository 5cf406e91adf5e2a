/// Points under one name, with what is known about their certainty.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    pub(super) name: String,
    pub(super) points: Vec<Point>,
    pub(super) band: Vec<Bounds>,
    pub(super) broken: bool,
}

/// A point; its bounds are those of an error bar, `across` of one along the horizontal axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) bounds: Option<(f64, f64)>,
    pub(super) across: Option<(f64, f64)>,
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
        let points = points.into_iter().map(|(x, y)| Point { x, y, bounds: None, across: None }).collect();
        Self { name: name.into(), points, band: Vec::new(), broken: false }
    }

    /// Points with error bars: `(x, y, low, high)`, the bounds in the units of y.
    pub fn with_errors(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64, f64, f64)>) -> Self {
        let point = |(x, y, low, high): (f64, f64, f64, f64)| Point { x, y, bounds: Some((low.min(high), low.max(high))), across: None };
        Self { name: name.into(), points: points.into_iter().map(point).collect(), band: Vec::new(), broken: false }
    }

    /// Error bars along the horizontal axis: `(low, high)` of each point in order, in the units of x.
    pub fn x_errors(mut self, bounds: impl IntoIterator<Item = (f64, f64)>) -> Self {
        for (point, (low, high)) in self.points.iter_mut().zip(bounds) {
            point.across = Some((low.min(high), low.max(high)));
        }
        self
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
        let points = self.points.iter().flat_map(|point| {
            let (low, high) = point.across.unwrap_or((point.x, point.x));
            [point.x, low, high]
        });
        points.chain(self.band.iter().map(|bounds| bounds.x))
    }

    pub(super) fn ys(&self) -> impl Iterator<Item = f64> {
        let points = self.points.iter().flat_map(|point| {
            let (low, high) = point.bounds.unwrap_or((point.y, point.y));
            [point.y, low, high]
        });
        points.chain(self.band.iter().flat_map(|bounds| [bounds.low, bounds.high]))
    }
}
