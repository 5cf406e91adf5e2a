use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::available_parallelism,
};

use jarre_core::{Clock, RequestId};

use super::{DecisionSink, Layer, PipelineScan, Verdict, scan::tell};
use crate::{Basis, Context, Reach, Stage};

/// The marks that were given so far.
static MARKS: AtomicU64 = AtomicU64::new(0);

/// Groups of layers that a text passes through.
///
/// - All layers of a group read the same text; the next group reads what that one made of it.
/// - What the layers of a group find is merged in the order of the places where it starts, and at one place in the order of the layers.
///   The first wins: a replacement that overlaps an earlier one is clipped to begin at its end. A block is never lost.
/// - At a stage that [streams](Self::with_streaming) (by default [`Stage::Output`]) text is released as soon as every layer has decided
///   about it, and a block lets pass what stands before it. At the others a text goes on as a whole or not at all, and one group has read
///   it before the next one begins.
/// - After a block no group reads on. Later groups have to read what stands before the block where the stage streams and their reach is
///   bounded, for it is released; at all other times they are not run.
///
/// However a text is cut into pieces, what is released and the verdict (its latencies aside) are those of the text in one piece, as long
/// as no layer is over its budget. Pseudonyms are numbered as they are given: give those of one kind in one layer.
#[derive(Clone)]
pub struct Pipeline {
    pub(super) groups: Vec<Vec<Arc<Layer>>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) sink: Option<Arc<dyn DecisionSink>>,
    pub(super) threads: usize,
    streaming: BTreeSet<Stage>,
    /// A number for the layers of a stage, which no others have.
    marks: BTreeMap<Stage, u64>,
}

impl Pipeline {
    /// No layers yet: everything passes. `clock` measures budgets and latencies.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let threads = available_parallelism().map_or(1, NonZero::get);
        Self { groups: Vec::new(), clock, sink: None, threads, streaming: [Stage::Output].into(), marks: BTreeMap::new() }
    }

    /// Adds a group, which reads what the groups before it let pass.
    pub fn with_group(mut self, layers: impl IntoIterator<Item = Layer>) -> Self {
        let group: Vec<Arc<Layer>> = layers.into_iter().map(Arc::new).collect();
        let stages: BTreeSet<Stage> = group.iter().flat_map(|layer| layer.stages.iter().copied()).collect();
        self.groups.push(group);
        self.set_marks(stages);
        self
    }

    /// Tells `sink` of every verdict.
    pub fn with_sink(mut self, sink: Arc<dyn DecisionSink>) -> Self {
        self.sink = Some(sink);
        self
    }

    /// Sets the stages at which text is released before its end is known.
    pub fn with_streaming(mut self, stages: impl IntoIterator<Item = Stage>) -> Self {
        self.streaming = stages.into_iter().collect();
        let marked: Vec<Stage> = self.marks.keys().copied().collect();
        self.set_marks(marked);
        self
    }

    /// Sets how many threads read a long text; 1 for none beside the caller's. By default as many as the machine runs at once.
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// The layers, group by group.
    pub fn groups(&self) -> &[Vec<Arc<Layer>>] {
        &self.groups
    }

    /// The clock that budgets and latencies are measured by.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// Whether text is released at this stage before its end is known.
    pub fn streams(&self, stage: Stage) -> bool {
        self.streaming.contains(&stage)
    }

    /// The most bytes of a text at `stage` that are held back at any time: the sum over the groups of the largest reach of the
    /// layers that do not only observe.
    pub fn reach(&self, stage: Stage) -> Reach {
        let mut sum = Reach::Bytes(0);
        for group in &self.groups {
            let here = group.iter().filter(|layer| layer.stages.contains(&stage));
            let Some(reach) = here.map(|layer| layer.reach()).reduce(farthest) else { continue };
            sum = match (sum, reach) {
                (Reach::Bytes(sum), Reach::Bytes(more)) if self.streams(stage) => Reach::Bytes(sum.saturating_add(more)),
                _ => Reach::Whole,
            };
        }
        sum
    }

    /// Reads a text that is there as a whole.
    pub fn check(&self, text: &str, context: &Context) -> Verdict {
        let mut scan = self.scan(context);
        scan.push(text);
        scan.finish().1
    }

    /// Begins to read a text that comes in pieces.
    pub fn scan(&self, context: &Context) -> PipelineScan {
        PipelineScan::new(self, context)
    }

    /// What the layers at `stage` go by, together.
    pub(crate) fn basis(&self, stage: Stage) -> Basis {
        let here = self.groups.iter().flatten().filter(|layer| layer.stages.contains(&stage));
        here.map(|layer| layer.guard.basis()).max().unwrap_or(Basis::Text)
    }

    /// A number that the layers at `stage` share with those of clones and with no others; 0 where there are none.
    pub(crate) fn mark(&self, stage: Stage) -> u64 {
        self.marks.get(&stage).copied().unwrap_or_default()
    }

    /// Tells the sink of a verdict that was not read here.
    pub(crate) fn tell(&self, verdict: &Verdict, context: &Context, request: Option<&RequestId>, complete: bool) {
        tell(self.sink.as_deref(), verdict, context, request, complete);
    }

    fn set_marks(&mut self, stages: impl IntoIterator<Item = Stage>) {
        let mark = MARKS.fetch_add(1, Ordering::Relaxed) + 1;
        self.marks.extend(stages.into_iter().map(|stage| (stage, mark)));
    }
}

fn farthest(one: Reach, other: Reach) -> Reach {
    match (one, other) {
        (Reach::Bytes(one), Reach::Bytes(other)) => Reach::Bytes(one.max(other)),
        _ => Reach::Whole,
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Pipeline").field("groups", &self.groups).field("streaming", &self.streaming).finish_non_exhaustive()
    }
}
