/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong when runs and judgements are read and compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A line of a qrels or run file does not have the format's fields.
    #[error("line {line}: {problem}")]
    Malformed {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it, and what belongs there.
        problem: String,
    },
    /// A document stands twice under one query, so that neither its rank nor its relevance is defined.
    #[error("line {line}: document `{document}` of query `{query}` stands on line {first} already; remove one of the two")]
    Duplicate {
        /// Where it stands again, counted from 1.
        line: usize,
        /// Where it stood first.
        first: usize,
        /// The query.
        query: String,
        /// The document.
        document: String,
    },
    /// An id that the white-space separated formats cannot hold.
    #[error("`{0}` cannot be written to a run: ids must not be empty or hold white space")]
    UnwritableId(String),
    /// A score that has no place in an order.
    #[error("the score of document `{document}` is {score}; scores must be finite")]
    NonFiniteScore {
        /// Whose score.
        document: String,
        /// The score.
        score: f32,
    },
    /// A name that is no metric.
    #[error("`{0}` is no metric; write one like nDCG@10, Recall@5, MRR@10, MAP, P@5, R-precision, bpref, Success@1 or AllGold@5")]
    UnknownMetric(String),
    /// A metric was asked of an evaluation that did not compute it.
    #[error("the evaluation holds no {0}; ask for it when evaluating")]
    MetricNotEvaluated(String),
    /// Two runs do not cover the same queries, so that no pairs can be formed.
    #[error(
        "the two evaluations do not cover the same queries ({only_first} only in the first, {only_second} only in the second); evaluate both over all judged queries"
    )]
    UnpairedQueries {
        /// Queries that only the first holds.
        only_first: usize,
        /// Queries that only the second holds.
        only_second: usize,
    },
    /// Two samples that should be paired differ in length.
    #[error("a paired comparison needs one value a query on both sides, not {first} and {second}")]
    UnpairedLengths {
        /// Values on the first side.
        first: usize,
        /// Values on the second side.
        second: usize,
    },
    /// A sample without values has no mean.
    #[error("an interval needs at least one value")]
    EmptySample,
    /// A value that has no mean.
    #[error("value {index} of the sample is {value}; values must be finite")]
    NonFiniteValue {
        /// Its place, from 0.
        index: usize,
        /// The value.
        value: f64,
    },
    /// More successes than trials.
    #[error("{successes} successes cannot come of {trials} trials")]
    ImpossibleProportion {
        /// Successes claimed.
        successes: u64,
        /// Trials made.
        trials: u64,
    },
    /// The file could not be read or written.
    #[error("cannot read or write")]
    Io(#[from] std::io::Error),
    /// The tracking database could not be read or written: the disk is full, the folder is not writable, and the like.
    #[error("cannot use {place}")]
    Tracking {
        /// Its path.
        place: String,
        /// What the system or `SQLite` said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Others wrote to the tracking database for longer than this process waits.
    #[error("{place} is being written by another process; try again")]
    TrackingBusy {
        /// Its path.
        place: String,
    },
    /// The file is damaged, or no tracking database. It was left as it is.
    #[error("{place} is not a sound tracking database: {problem}; give another path, or restore it from a copy")]
    TrackingDamaged {
        /// Its path.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A later version of this crate made the tracking database.
    #[error("{place} has schema version {found} and this program knows {known}; use the program that made it")]
    TrackingNewer {
        /// Its path.
        place: String,
        /// The version of its schema.
        found: usize,
        /// The latest version known here.
        known: usize,
    },
    /// There is no such record.
    #[error("there is no {what} `{name}`")]
    NotFound {
        /// What was looked for (`run`, `prompt`, ..).
        what: &'static str,
        /// Its name or id.
        name: String,
    },
    /// An argument that makes no sense, or a change that the state of things does not allow; the text says what would.
    #[error("{0}")]
    Refused(String),
    /// A filter of runs that cannot be read.
    #[error("the filter cannot be read at character {at}: {problem}")]
    Filter {
        /// Counted from 1.
        at: usize,
        /// What stands there, and what belongs there.
        problem: String,
    },
    /// A judge that could judge nothing.
    #[error("no judge can be made of this: {0}")]
    InvalidJudge(String),
    /// Judgements that have no mean in common.
    #[error("judgements of {first} and of {second} do not mix; aggregate each apart")]
    MixedJudgements {
        /// The scale, or the judge, of the first judgement.
        first: String,
        /// That of one which differs.
        second: String,
    },
    /// A label that no judgement of the scale can agree with.
    #[error("label {index} is {value}, which the scale {scale} does not have; convert the labels to the judge's scale")]
    OffScale {
        /// Its place, from 0.
        index: usize,
        /// The label.
        value: f64,
        /// The scale.
        scale: String,
    },
    /// An item that says not which cluster or stratum it belongs to.
    #[error("item {index} has no cluster or stratum; give every item one, or compare without grouping")]
    MissingGroup {
        /// Its place, from 0.
        index: usize,
    },
    /// Groups that belong to another sample.
    #[error("{groups} items have a group, but the sample holds {items}; pass one group a value, in the same order")]
    GroupCount {
        /// Values of the sample.
        items: usize,
        /// Items with a group.
        groups: usize,
    },
    /// A p-value that is none.
    #[error("p-value {index} is {value}; p-values lie between 0 and 1, and tests without one are left out")]
    NotAProbability {
        /// Its place, from 0.
        index: usize,
        /// The value.
        value: f64,
    },
    /// A setting that makes no sense.
    #[error("the {what} is {value}; it must be {wanted}")]
    OutOfRange {
        /// Which one.
        what: &'static str,
        /// What it was set to.
        value: f64,
        /// What it may be.
        wanted: &'static str,
    },
    /// A statistic that has no value for this sample.
    #[error("{0}")]
    Undefined(String),
    /// A regular expression that cannot be read, or costs too much.
    #[error("the pattern `{pattern}` cannot be used: {problem}")]
    InvalidPattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A value that its scale does not have: a probability above 1, a logarithm of one above 0, NaN.
    #[error("value {index} is {value}; {wanted}")]
    ValueOutOfRange {
        /// Its place, from 0.
        index: usize,
        /// The value.
        value: f64,
        /// What belongs there.
        wanted: &'static str,
    },
    /// A class that was not declared.
    #[error("`{label}` is none of the classes; declare it, or leave out the item")]
    UnknownClass {
        /// The class.
        label: String,
    },
    /// Two classes of one name.
    #[error("`{label}` is declared twice; classes must differ")]
    RepeatedClass {
        /// The class.
        label: String,
    },
    /// What is wrong with a file.
    #[error("{}", path.display())]
    File {
        /// Which.
        path: std::path::PathBuf,
        /// What.
        source: Box<Error>,
    },
    /// An experiment that cannot be run as it is written, and what to change.
    #[error("{0}")]
    InvalidExperiment(String),
}
