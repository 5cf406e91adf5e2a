use super::{Bootstrap, BootstrapEstimate, bca, resample::Resampling};
use crate::{
    Error, Result,
    stats::{Design, rng::SplitMix64, values},
};

impl Bootstrap {
    /// Any statistic of `n` items, by their indices: `statistic` gets those of a resample, some of them several times, and computes its
    /// figure from them anew. That is the way to intervals for ratios, F1, BLEU or percentiles, which are no means over items.
    ///
    /// ```
    /// use jarre_eval::stats::Bootstrap;
    ///
    /// let (cost, tokens) = ([3.0, 1.0, 4.0, 1.0, 5.0], [30.0, 12.0, 35.0, 11.0, 60.0]);
    /// let sum = |column: &[f64], items: &[usize]| items.iter().map(|item| column[*item]).sum::<f64>();
    /// let per_token = Bootstrap::default().statistic(5, |items| sum(&cost, items) / sum(&tokens, items))?;
    /// assert!(per_token.percentile.contains(14.0 / 148.0));
    /// # Ok::<(), jarre_eval::Error>(())
    /// ```
    ///
    /// A figure that is not finite counts as undefined.
    ///
    /// # Errors
    /// [`Error::EmptySample`] for no items, and [`Error::Undefined`] where the statistic is undefined for all items or for every resample.
    pub fn statistic(&self, n: usize, statistic: impl Fn(&[usize]) -> f64 + Sync) -> Result<BootstrapEstimate> {
        self.statistic_by(&Design::Simple, n, statistic)
    }

    /// The same for items drawn by `design`: whole clusters are drawn, and within their strata what has some.
    ///
    /// # Errors
    /// As [`Self::statistic`], and [`Error::GroupCount`].
    pub fn statistic_by(&self, design: &Design, n: usize, statistic: impl Fn(&[usize]) -> f64 + Sync) -> Result<BootstrapEstimate> {
        let [estimate] = self.statistics_by(design, n, |items| [statistic(items)])?;
        Ok(estimate)
    }

    /// Several statistics of the same resamples.
    ///
    /// # Errors
    /// As [`Self::statistic_by`].
    pub fn statistics_by<const M: usize>(
        &self,
        design: &Design,
        n: usize,
        statistics: impl Fn(&[usize]) -> [f64; M] + Sync,
    ) -> Result<[BootstrapEstimate; M]> {
        if n == 0 {
            return Err(Error::EmptySample);
        }
        design.check(n)?;
        let resampling = Resampling::new(n, design);
        let all: Vec<usize> = (0..n).collect();
        let values = statistics(&all);
        let resampled = |resample: usize, drawn: &mut Vec<usize>| {
            resampling.draw(&mut SplitMix64::stream(self.seed, resample as u64), drawn);
            statistics(drawn)
        };
        let figures = self.in_parallel(self.resamples.get(), Vec::new, resampled);
        let accelerations = self.accelerations(&resampling, &all, &statistics);
        let estimate = |which: usize| {
            let column = figures.iter().map(|figures| figures[which]).collect();
            self.estimate(n, values[which], column, accelerations[which])
        };
        array_of(estimate)
    }

    /// A statistic of two samples that have nothing to do with each other, of `n_first` and `n_second` items: each is resampled apart. Where
    /// the two are runs over the same items, resample the items instead.
    ///
    /// # Errors
    /// As [`Self::statistic`].
    pub fn two_samples(
        &self,
        n_first: usize,
        n_second: usize,
        statistic: impl Fn(&[usize], &[usize]) -> f64 + Sync,
    ) -> Result<BootstrapEstimate> {
        if n_first == 0 || n_second == 0 {
            return Err(Error::EmptySample);
        }
        let sides = (0..n_first).map(|_| "first").chain((0..n_second).map(|_| "second"));
        self.statistic_by(&Design::stratified(sides.map(Some))?, n_first + n_second, |items| {
            // Strata are drawn one after the other, in the order in which they first appear.
            let (first, second) = items.split_at(items.partition_point(|item| *item < n_first));
            let second: Vec<usize> = second.iter().map(|item| item - n_first).collect();
            statistic(first, &second)
        })
    }

    fn estimate(&self, n: usize, value: f64, mut figures: Vec<f64>, acceleration: Option<f64>) -> Result<BootstrapEstimate> {
        figures.retain(|figure| figure.is_finite());
        if !value.is_finite() || figures.is_empty() {
            return Err(Error::Undefined(format!("the statistic of the {n} items is {value}; check that they hold what it needs")));
        }
        figures.sort_unstable_by(f64::total_cmp);
        Ok(BootstrapEstimate {
            n,
            value,
            standard_error: values::variance(&figures).map_or(0.0, f64::sqrt),
            percentile: bca::percentile(&figures, self.tail()),
            bca: acceleration.map(|acceleration| bca::interval(value, &figures, acceleration, self.tail())),
            undefined: self.resamples.get() - figures.len(),
        })
    }

    /// The acceleration of each statistic, by the jackknife; `None` where that is undefined.
    fn accelerations<const M: usize>(
        &self,
        resampling: &Resampling,
        all: &[usize],
        statistics: &(impl Fn(&[usize]) -> [f64; M] + Sync),
    ) -> [Option<f64>; M] {
        let blocks = resampling.blocks();
        let flat: Vec<&Vec<usize>> = blocks.iter().flatten().collect();
        let without = |place: usize, kept: &mut Vec<usize>| {
            kept.clear();
            kept.extend(all.iter().filter(|item| flat[place].binary_search(item).is_err()));
            if kept.is_empty() { [f64::NAN; M] } else { statistics(kept) }
        };
        let figures = self.in_parallel(flat.len(), Vec::new, without);
        std::array::from_fn(|which| {
            let figures: Vec<f64> = figures.iter().map(|figures| figures[which]).collect();
            if figures.iter().any(|figure| !figure.is_finite()) {
                return None;
            }
            let mut rest = &figures[..];
            let mut strata = Vec::with_capacity(blocks.len());
            for blocks in &blocks {
                let (stratum, others) = rest.split_at(blocks.len());
                rest = others;
                strata.push(influences(stratum));
            }
            Some(bca::acceleration(strata.iter().map(Vec::as_slice)))
        })
    }
}

/// How far leaving a block out moves the statistic away from the mean of such moves, times the blocks less 1.
fn influences(left_out: &[f64]) -> Vec<f64> {
    let mean = values::mean(left_out);
    left_out.iter().map(|figure| (left_out.len() - 1) as f64 * (mean - figure)).collect()
}

fn array_of<T, const M: usize>(of: impl Fn(usize) -> Result<T>) -> Result<[T; M]> {
    let items: Vec<T> = (0..M).map(of).collect::<Result<_>>()?;
    Ok(items.try_into().unwrap_or_else(|_| unreachable!("a list collected from M results has M items")))
}
