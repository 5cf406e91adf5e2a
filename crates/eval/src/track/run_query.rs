use super::{Filter, RunCursor};

/// Which runs are listed, in which order, and what of them is shown.
///
/// ```
/// use jarre_eval::track::{RunQuery, RunSort, SortBy};
///
/// let query = RunQuery::default()
///     .with_filter("status = 'done' and metrics.accuracy > 0.5".parse()?)
///     .with_sort(RunSort::descending(SortBy::Metric("accuracy".into())))
///     .with_metrics(["accuracy", "cost"])
///     .with_params(["temperature"])
///     .with_limit(20);
/// # let _ = query;
/// # Ok::<(), jarre_eval::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RunQuery {
    pub(super) experiment: Option<String>,
    pub(super) filter: Filter,
    pub(super) deleted: bool,
    pub(super) sort: RunSort,
    pub(super) limit: usize,
    pub(super) after: Option<RunCursor>,
    pub(super) metrics: Vec<String>,
    pub(super) params: Vec<String>,
    pub(super) tags: Vec<String>,
}

/// In which order runs are listed. Those without a value come last, those whose value is NaN before them, and equals in the order in which
/// they were made, which `descending` turns round as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSort {
    pub(super) by: SortBy,
    pub(super) descending: bool,
}

/// What runs are ordered by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortBy {
    /// When they were made.
    Created,
    /// When they were started last.
    Started,
    /// When they ended.
    Ended,
    /// What people call them.
    Name,
    /// How they stand.
    Status,
    /// The latest figure of a metric.
    Metric(String),
    /// A setting: numbers before texts.
    Param(String),
    /// A tag.
    Tag(String),
}

impl RunSort {
    /// The least first.
    pub fn ascending(by: SortBy) -> Self {
        Self { by, descending: false }
    }

    /// The greatest first.
    pub fn descending(by: SortBy) -> Self {
        Self { by, descending: true }
    }
}

impl Default for RunQuery {
    /// The hundred runs made last, without metrics, settings and tags.
    fn default() -> Self {
        Self {
            experiment: None,
            filter: Filter::default(),
            deleted: false,
            sort: RunSort::descending(SortBy::Created),
            limit: 100,
            after: None,
            metrics: Vec::new(),
            params: Vec::new(),
            tags: Vec::new(),
        }
    }
}

impl RunQuery {
    /// Only runs of this experiment.
    pub fn in_experiment(mut self, name: impl Into<String>) -> Self {
        self.experiment = Some(name.into());
        self
    }

    /// Only runs that pass a filter.
    pub fn with_filter(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }

    /// Runs that were put away, alone or with their experiment, among the others.
    pub fn with_deleted(mut self) -> Self {
        self.deleted = true;
        self
    }

    /// The order.
    pub fn with_sort(mut self, sort: RunSort) -> Self {
        self.sort = sort;
        self
    }

    /// The most runs a page, from 1 to 1,000.
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// The page behind the one that gave this cursor.
    pub fn after(mut self, cursor: RunCursor) -> Self {
        self.after = Some(cursor);
        self
    }

    /// Metrics whose latest figures are shown, in this order.
    pub fn with_metrics(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.metrics = names.into_iter().map(Into::into).collect();
        self
    }

    /// Settings that are shown, in this order.
    pub fn with_params(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.params = names.into_iter().map(Into::into).collect();
        self
    }

    /// Tags that are shown, in this order.
    pub fn with_tags(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.tags = names.into_iter().map(Into::into).collect();
        self
    }

    /// A digest of what decides which run stands where: a cursor is one of this query's or of none.
    pub(super) fn digest(&self) -> String {
        let order = format!("{:?}", (&self.experiment, &self.filter, self.deleted, &self.sort));
        blake3::hash(order.as_bytes()).to_hex().as_str()[..16].to_owned()
    }
}
