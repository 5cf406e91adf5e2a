use std::{sync::Arc, time::Duration};

use jarre_core::Clock;

use super::{Failure, Layer, Mode};
use crate::{Context, Error, Finding, Scan, scan::boundary_before};

/// What is read between two looks at the clock, in bytes.
const PIECE: usize = 16 * 1024;

/// One layer at its work on one text.
pub(super) struct Reading {
    pub(super) layer: Arc<Layer>,
    /// Gone once there is nothing more to read with.
    scan: Option<Box<dyn Scan>>,
    begun: bool,
    decided: usize,
    /// What was found and not taken yet.
    pub(super) found: Vec<Finding>,
    /// Why it failed, and how far its word is sure.
    pub(super) failed: Option<(usize, Failure)>,
    pub(super) spent: Duration,
}

impl Reading {
    pub(super) fn new(layer: Arc<Layer>) -> Self {
        Self { layer, scan: None, begun: false, decided: 0, found: Vec::new(), failed: None, spent: Duration::ZERO }
    }

    pub(super) fn begin(&mut self, context: &Context, clock: &dyn Clock) {
        let start = clock.now();
        self.scan = Some(self.layer.guard.scan(context));
        self.spent = clock.now().saturating_sub(start);
        self.begun = true;
    }

    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Whether it has no say.
    pub(super) fn observes(&self) -> bool {
        self.layer.mode == Mode::Observe
    }

    /// How far the layer has decided; everything, where it reads no more.
    pub(super) fn decided(&self) -> usize {
        if self.scan.is_some() { self.decided } else { usize::MAX }
    }

    /// Whether it still reads.
    pub(super) fn is_open(&self) -> bool {
        self.scan.is_some()
    }

    pub(super) fn read(&mut self, mut text: &str, clock: &dyn Clock) {
        while !text.is_empty() {
            let Some(scan) = self.scan.take() else { return };
            let (piece, rest) = text.split_at(boundary_before(text, PIECE));
            let (scan, done) = self.timed(clock, scan, |scan, found| scan.push(piece, found));
            let before = self.decided;
            self.decided = scan.decided().max(before);
            match done {
                Err(error) => self.fail(&error),
                Ok(()) if self.spent > self.layer.budget => self.failed = Some((before, Failure::OverBudget)),
                Ok(()) => self.scan = Some(scan),
            }
            text = rest;
        }
    }

    pub(super) fn finish(&mut self, clock: &dyn Clock) {
        let Some(scan) = self.scan.take() else { return };
        let (_, done) = self.timed(clock, scan, |scan, found| scan.finish(found));
        match done {
            Err(error) => self.fail(&error),
            Ok(()) if self.spent > self.layer.budget => self.failed = Some((self.decided, Failure::OverBudget)),
            Ok(()) => {}
        }
    }

    /// Reads no more.
    pub(super) fn stop(&mut self) {
        self.scan = None;
    }

    fn timed<T>(
        &mut self,
        clock: &dyn Clock,
        mut scan: Box<dyn Scan>,
        run: impl FnOnce(&mut dyn Scan, &mut Vec<Finding>) -> T,
    ) -> (Box<dyn Scan>, T) {
        let start = clock.now();
        let done = run(scan.as_mut(), &mut self.found);
        self.spent += clock.now().saturating_sub(start);
        (scan, done)
    }

    /// Only what the layer had decided about counts.
    fn fail(&mut self, error: &Error) {
        self.found.retain(|finding| finding.span.start < self.decided);
        self.failed = Some((self.decided, failure(error)));
    }
}

fn failure(error: &Error) -> Failure {
    match error {
        Error::Model(error) => Failure::Model(error.kind()),
        _ => Failure::Guard,
    }
}
