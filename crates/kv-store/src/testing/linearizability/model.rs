use std::{fmt::Debug, hash::Hash, marker::PhantomData};

/// What one copy of the data does, one operation at a time.
pub trait Model {
    /// What is asked.
    type Input: Clone + Debug;
    /// What is answered.
    type Output: Clone + Debug;
    /// All that later answers depend on, of the operations of one key.
    type State: Clone + Debug + Eq + Hash;
    /// Operations of different keys never see each other; they are checked apart.
    type Key: Clone + Debug + Ord;

    /// The state before the first operation of a key.
    fn initial(&self) -> Self::State;

    /// The state after `input` in `state`; `None` where `output` cannot be its answer. Without an `output` any answer will do, and there is
    /// a state after it always.
    fn step(&self, state: &Self::State, input: &Self::Input, output: Option<&Self::Output>) -> Option<Self::State>;

    /// The key that `input` is about.
    fn key(&self, input: &Self::Input) -> Self::Key;

    /// Whether `input` changes nothing, whatever the state.
    fn is_read(&self, input: &Self::Input) -> bool;
}

/// A copy of `M` for each key: inputs are pairs of key and `M`'s input.
#[derive(Clone, Copy, Debug)]
pub struct PerKey<K, M> {
    model: M,
    key: PhantomData<fn() -> K>,
}

impl<K, M> PerKey<K, M> {
    /// A copy of `model` for each key.
    pub fn new(model: M) -> Self {
        Self { model, key: PhantomData }
    }
}

impl<K: Clone + Debug + Ord, M: Model> Model for PerKey<K, M> {
    type Input = (K, M::Input);
    type Output = M::Output;
    type State = M::State;
    type Key = (K, M::Key);

    fn initial(&self) -> M::State {
        self.model.initial()
    }

    fn step(&self, state: &M::State, (_, input): &Self::Input, output: Option<&M::Output>) -> Option<M::State> {
        self.model.step(state, input, output)
    }

    fn key(&self, (key, input): &Self::Input) -> Self::Key {
        (key.clone(), self.model.key(input))
    }

    fn is_read(&self, (_, input): &Self::Input) -> bool {
        self.model.is_read(input)
    }
}
