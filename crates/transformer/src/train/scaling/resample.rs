//! Drawing the runs again.

use rand::RngExt;
use rand_pcg::Pcg64;

use super::{
    Size,
    solve::{Point, solve},
};
use crate::{
    error::{Error, Result},
    rng,
};

/// How runs are drawn with replacement.
#[derive(Debug)]
pub(super) enum Resampling<'a> {
    /// Deviations from the mean of their size, those of all sizes together: with a few runs a size, those of one say little of its spread.
    Repeats { sizes: &'a [Size], deviations: Vec<f64> },
    /// Runs, each by its size and log loss.
    Runs { sizes: &'a [Size], runs: Vec<(usize, f64)> },
}

impl<'a> Resampling<'a> {
    pub(super) fn of(sizes: &'a [Size]) -> Result<Self> {
        if sizes.iter().all(|size| size.log_losses.len() > 1) {
            return Ok(Self::Repeats { sizes, deviations: sizes.iter().flat_map(Size::deviations).collect() });
        }
        if sizes.len() < 5 {
            let expected = "at least 5 to be resampled, or 2 runs of each";
            return Err(Error::setting("the number of different model sizes", sizes.len(), expected));
        }
        let runs = sizes.iter().enumerate().flat_map(|(at, size)| size.log_losses.iter().map(move |&loss| (at, loss)));
        Ok(Self::Runs { sizes, runs: runs.collect() })
    }

    /// The law that fits resample `index` of `seed`.
    pub(super) fn law(&self, seed: u64, index: u64) -> super::PowerLaw {
        let mut rng = rng::stream(seed, index);
        let points = match self {
            Self::Repeats { sizes, deviations } => sizes.iter().map(|size| repeat(size, deviations, &mut rng)).collect(),
            Self::Runs { sizes, runs } => draw(sizes, runs, &mut rng),
        };
        solve(&points).0
    }
}

impl Size {
    /// How far each log loss is from the mean, widened by `sqrt(n / (n - 1))` to the spread that the mean took from them.
    fn deviations(&self) -> impl Iterator<Item = f64> {
        let (mean, runs) = (self.point().log_loss, self.log_losses.len() as f64);
        self.log_losses.iter().map(move |loss| (loss - mean) * (runs / (runs - 1.0)).sqrt())
    }
}

fn repeat(size: &Size, deviations: &[f64], rng: &mut Pcg64) -> Point {
    let point = size.point();
    let moved: f64 = size.log_losses.iter().map(|_| deviations[rng.random_range(..deviations.len())]).sum();
    Point { log_loss: point.log_loss + moved / point.weight, ..point }
}

/// At least three sizes, without which there is no law.
fn draw(sizes: &[Size], runs: &[(usize, f64)], rng: &mut Pcg64) -> Vec<Point> {
    loop {
        let mut drawn: Vec<Size> = sizes.iter().map(|size| Size { log_losses: Vec::new(), ..*size }).collect();
        for _ in runs {
            let (size, loss) = runs[rng.random_range(..runs.len())];
            drawn[size].log_losses.push(loss);
        }
        drawn.retain(|size| !size.log_losses.is_empty());
        if drawn.len() >= 3 {
            return drawn.iter().map(Size::point).collect();
        }
    }
}
