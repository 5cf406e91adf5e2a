/// One call by a client and what the client knows of its end. Times count from any origin in any unit; an operation comes before another
/// where it returned at an earlier time than the other was called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation<I, O> {
    /// Who called.
    pub process: u64,
    /// When.
    pub call: u64,
    /// What was asked.
    pub input: I,
    /// How it ended.
    pub outcome: Outcome<O>,
}

/// How a call ended, as far as its client knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<O> {
    /// With an answer.
    Returned {
        /// When; not before the call.
        at: u64,
        /// What was answered.
        output: O,
    },
    /// Without one: it may take effect at any time, or never.
    Unknown,
    /// It had no effect and never will.
    Failed,
}

/// A history that is recorded while it happens: the order of the calls on this value is its time.
#[derive(Clone, Debug)]
pub struct History<I, O> {
    operations: Vec<Operation<I, O>>,
    now: u64,
}

impl<I, O> History<I, O> {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { operations: Vec::new(), now: 0 }
    }

    /// `process` asks for `input`. Returns the operation's place in [`operations`](Self::operations). Its outcome is unknown until it is told.
    pub fn call(&mut self, process: u64, input: I) -> usize {
        let call = self.tick();
        self.operations.push(Operation { process, call, input, outcome: Outcome::Unknown });
        self.operations.len() - 1
    }

    /// It returned with `output`.
    ///
    /// # Panics
    /// Where there is no such operation.
    pub fn returned(&mut self, operation: usize, output: O) {
        let at = self.tick();
        self.operations[operation].outcome = Outcome::Returned { at, output };
    }

    /// It had no effect and never will.
    ///
    /// # Panics
    /// Where there is no such operation.
    pub fn failed(&mut self, operation: usize) {
        self.operations[operation].outcome = Outcome::Failed;
    }

    /// All operations, in the order of their calls.
    pub fn operations(&self) -> &[Operation<I, O>] {
        &self.operations
    }

    fn tick(&mut self) -> u64 {
        self.now += 1;
        self.now
    }
}

impl<I, O> Default for History<I, O> {
    fn default() -> Self {
        Self::new()
    }
}
