use crate::{Error, Result};

/// What any number of raters said of items, with gaps.
#[derive(Clone, Debug, PartialEq)]
pub struct Ratings {
    /// The distinct values, ascending.
    values: Vec<f64>,
    /// For each item, the places among them of what its raters said.
    items: Vec<Vec<usize>>,
}

impl Ratings {
    /// Reads a list an item, in which raters that did not rate it leave `None` or nothing.
    ///
    /// # Errors
    /// [`Error::NonFiniteValue`], with the item's index.
    pub fn new<V: AsRef<[Option<f64>]>>(items: &[V]) -> Result<Self> {
        let given = |item: &V| item.as_ref().iter().flatten().copied().collect::<Vec<f64>>();
        let given: Vec<Vec<f64>> = items.iter().map(given).collect();
        let mut values = Vec::new();
        for (index, ratings) in given.iter().enumerate() {
            match ratings.iter().find(|rating| !rating.is_finite()) {
                Some(&value) => return Err(Error::NonFiniteValue { index, value }),
                // Adding zero turns -0 into 0, which is the same rating.
                None => values.extend(ratings.iter().map(|rating| rating + 0.0)),
            }
        }
        values.sort_unstable_by(f64::total_cmp);
        values.dedup();
        let place = |rating: &f64| values.partition_point(|value| value < rating);
        let items = given.iter().map(|ratings| ratings.iter().map(place).collect()).collect();
        Ok(Self { values, items })
    }

    /// Labels without an order, for the nominal scale.
    pub fn from_labels<V: AsRef<[Option<S>]>, S: AsRef<str>>(items: &[V]) -> Self {
        let mut labels: Vec<&str> = items.iter().flat_map(|item| item.as_ref().iter().flatten().map(AsRef::as_ref)).collect();
        labels.sort_unstable();
        labels.dedup();
        let place = |label: &S| labels.partition_point(|known| *known < label.as_ref());
        let items = items.iter().map(|item| item.as_ref().iter().flatten().map(place).collect()).collect();
        Self { values: (0..labels.len()).map(|place| place as f64).collect(), items }
    }

    /// Items, those that nobody rated included.
    pub fn n(&self) -> usize {
        self.items.len()
    }

    /// The distinct values, ascending; for labels, their places in alphabetical order.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// For each item, the places among [`values`](Self::values) of what its raters said.
    pub(super) fn items(&self) -> &[Vec<usize>] {
        &self.items
    }
}
