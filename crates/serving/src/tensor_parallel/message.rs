use std::num::NonZeroU32;

use jarre_transformer::DecoderConfig;
use jarre_transformer::collective::Communicator;
use jarre_transformer::paged::{KvType, PagedBatch};

use crate::{BlockCopy, Error, Result};

const SETUP: u32 = 1;
const STEP: u32 = 2;
const PULSE: u32 = 3;
const FAREWELL: u32 = 4;
const ADAPTER: u32 = 5;
const FORGET: u32 = 6;

/// Of all messages: workers of another one are not begun with.
const VERSION: u32 = 2;

const KINDS: [KvType; 3] = [KvType::F32, KvType::Bf16, KvType::Int8];

/// What rank 0 tells the others: words of 32 bits, which travel as the bits of floats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    Setup(Setup),
    Step(Step),
    /// An adapter that steps may name from now on, as [`PagedAdapter::to_words`](jarre_transformer::paged::PagedAdapter::to_words) writes it.
    /// Each worker answers whether it has taken its part.
    Adapter {
        number: NonZeroU32,
        words: Vec<u32>,
    },
    /// Steps name the adapter of this number no more.
    Forget(NonZeroU32),
    /// Rank 0 is there, and has nothing to do.
    Pulse,
    Farewell,
}

/// What all caches are like, and of which model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setup {
    pub(super) model: [u32; 6],
    pub(super) max_len: usize,
    pub(super) blocks: usize,
    pub(super) block_size: usize,
    pub(super) kind: KvType,
}

/// A step as [`PagedBatch`] has it, and the copies of blocks before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) copies: Vec<BlockCopy>,
    pub(super) tokens: Vec<u32>,
    pub(super) query_starts: Vec<usize>,
    pub(super) context_lens: Vec<usize>,
    pub(super) block_tables: Vec<Vec<u32>>,
    /// The adapter of each sequence, where it has one; nothing where none has.
    pub(super) adapters: Vec<Option<NonZeroU32>>,
    pub(super) outputs: Vec<usize>,
}

impl Message {
    pub(super) fn encode(&self) -> Vec<u32> {
        match self {
            Self::Setup(Setup { model, max_len, blocks, block_size, kind }) => {
                let kind = KINDS.iter().position(|one| one == kind).expect("the table lists every kind");
                let sizes = [*max_len, *blocks, *block_size, kind].map(|size| size as u32);
                [&[SETUP, VERSION][..], model, &sizes].concat()
            }
            Self::Step(step) => step.encode(),
            Self::Adapter { number, words } => [&[ADAPTER, number.get(), words.len() as u32][..], words].concat(),
            Self::Forget(number) => vec![FORGET, number.get()],
            Self::Pulse => vec![PULSE],
            Self::Farewell => vec![FAREWELL],
        }
    }

    /// # Errors
    /// Where no worker of this build would have sent the words.
    pub(super) fn decode(words: &[u32]) -> Result<Self> {
        let mut words = Words(words);
        let message = match words.next() {
            Some(SETUP) => words.setup().map(Self::Setup),
            Some(STEP) => words.step().map(Self::Step),
            Some(ADAPTER) => words.adapter(),
            Some(FORGET) => words.number().map(Self::Forget),
            Some(PULSE) => Some(Self::Pulse),
            Some(FAREWELL) => Some(Self::Farewell),
            _ => None,
        };
        let sound = message.filter(|_| words.0.is_empty());
        sound.ok_or_else(|| Error::Engine("what rank 0 sent makes no sense; start all workers from the same build".to_owned()))
    }
}

impl Setup {
    /// Sizes that tell one model from another.
    pub(super) fn sizes(config: &DecoderConfig) -> [u32; 6] {
        [config.vocab_size, config.d_model, config.n_layers, config.n_heads, config.kv_heads(), config.d_ff].map(|size| size as u32)
    }
}

impl Step {
    pub(super) fn new(copies: Vec<BlockCopy>, batch: &PagedBatch<'_>, adapters: Vec<Option<NonZeroU32>>) -> Self {
        Self {
            copies,
            tokens: batch.tokens.to_vec(),
            query_starts: batch.query_starts.to_vec(),
            context_lens: batch.context_lens.to_vec(),
            block_tables: batch.block_tables.iter().map(|table| table.to_vec()).collect(),
            adapters,
            outputs: batch.outputs.to_vec(),
        }
    }

    /// Lists, each after its length.
    fn encode(&self) -> Vec<u32> {
        let mut words = vec![STEP];
        let mut list = |values: &mut dyn ExactSizeIterator<Item = u32>| {
            words.push(values.len() as u32);
            words.extend(values);
        };
        list(&mut self.copies.iter().flat_map(|copy| [copy.from, copy.to]).collect::<Vec<_>>().into_iter());
        list(&mut self.tokens.iter().copied());
        for indices in [&self.query_starts, &self.context_lens, &self.outputs] {
            list(&mut indices.iter().map(|&index| index as u32));
        }
        for table in &self.block_tables {
            list(&mut table.iter().copied());
        }
        list(&mut self.adapters.iter().map(|number| number.map_or(0, NonZeroU32::get)));
        words
    }
}

/// What is still to be read.
struct Words<'a>(&'a [u32]);

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<u32> {
        self.0.split_off_first().copied()
    }

    fn list(&mut self) -> Option<&'a [u32]> {
        let len = self.next()? as usize;
        self.0.split_off(..len)
    }

    fn indices(&mut self) -> Option<Vec<usize>> {
        self.list().map(|list| list.iter().map(|&index| index as usize).collect())
    }

    fn number(&mut self) -> Option<NonZeroU32> {
        NonZeroU32::new(self.next()?)
    }

    fn adapter(&mut self) -> Option<Message> {
        Some(Message::Adapter { number: self.number()?, words: self.list()?.to_vec() })
    }

    fn setup(&mut self) -> Option<Setup> {
        self.next().filter(|&version| version == VERSION)?;
        let model = *self.0.split_off(..6)?.first_chunk()?;
        let [max_len, blocks, block_size, kind] = *self.0.split_off(..4)?.first_chunk()?;
        let kind = *KINDS.get(kind as usize)?;
        Some(Setup { model, max_len: max_len as usize, blocks: blocks as usize, block_size: block_size as usize, kind })
    }

    fn step(&mut self) -> Option<Step> {
        let copies = self.list()?.as_chunks().0.iter().map(|&[from, to]| BlockCopy { from, to }).collect();
        let tokens = self.list()?.to_vec();
        let (query_starts, context_lens, outputs) = (self.indices()?, self.indices()?, self.indices()?);
        let block_tables = context_lens.iter().map(|_| self.list().map(<[u32]>::to_vec)).collect::<Option<_>>()?;
        let adapters: Vec<_> = self.list()?.iter().map(|&number| NonZeroU32::new(number)).collect();
        let whose = adapters.is_empty() || adapters.len() == context_lens.len();
        whose.then_some(Step { copies, tokens, query_starts, context_lens, block_tables, adapters, outputs })
    }
}

/// Sends words from rank 0, which gives them; the others give none. All get them.
///
/// # Errors
/// Where a worker is lost.
pub(super) fn share(communicator: &mut Communicator, words: &[u32]) -> Result<Vec<Vec<u32>>> {
    let mine: Vec<f32> = words.iter().map(|&word| f32::from_bits(word)).collect();
    let parts = communicator.all_gather_parts(&mine)?;
    Ok(parts.into_iter().map(|part| part.into_iter().map(f32::to_bits).collect()).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn indices() -> impl Strategy<Value = Vec<usize>> {
        proptest::collection::vec(0_usize..u32::MAX as usize, 0..5)
    }

    fn steps() -> impl Strategy<Value = Step> {
        let table = proptest::collection::vec(any::<u32>(), 0..4);
        let number = any::<u32>().prop_map(NonZeroU32::new);
        let sequences = proptest::collection::vec((0_usize..1000, table, number), 0..4);
        let copies = proptest::collection::vec((any::<u32>(), any::<u32>()), 0..3);
        (copies, proptest::collection::vec(any::<u32>(), 0..9), indices(), sequences, indices(), any::<bool>()).prop_map(
            |(copies, tokens, query_starts, sequences, outputs, adapted)| {
                let copies = copies.into_iter().map(|(from, to)| BlockCopy { from, to }).collect();
                let adapters = if adapted { sequences.iter().map(|(.., number)| *number).collect() } else { Vec::new() };
                let (context_lens, block_tables) = sequences.into_iter().map(|(len, table, _)| (len, table)).unzip();
                Step { copies, tokens, query_starts, context_lens, block_tables, adapters, outputs }
            },
        )
    }

    fn messages() -> impl Strategy<Value = Message> {
        let setup = (any::<[u32; 6]>(), any::<[u32; 3]>(), proptest::sample::select(KINDS.to_vec()));
        let setup = setup.prop_map(|(model, sizes, kind)| {
            let [max_len, blocks, block_size] = sizes.map(|size| size as usize);
            Message::Setup(Setup { model, max_len, blocks, block_size, kind })
        });
        let number = || (1..=u32::MAX).prop_map(|number| NonZeroU32::new(number).unwrap());
        let adapter = (number(), proptest::collection::vec(any::<u32>(), 0..9));
        let adapter = adapter.prop_map(|(number, words)| Message::Adapter { number, words });
        let others = prop_oneof![number().prop_map(Message::Forget), Just(Message::Pulse), Just(Message::Farewell)];
        prop_oneof![steps().prop_map(Message::Step), setup, adapter, others]
    }

    #[test]
    fn another_version_and_half_a_list_of_adapters_are_refused() {
        let setup = Setup { model: [1; 6], max_len: 8, blocks: 2, block_size: 4, kind: KvType::F32 };
        let mut words = Message::Setup(setup).encode();
        words[1] -= 1;
        assert!(Message::decode(&words).unwrap_err().to_string().contains("from the same build"));
        let adapters = vec![NonZeroU32::new(3)];
        let step = Step { context_lens: vec![1, 2], block_tables: vec![vec![0], vec![1]], adapters, ..Step::default() };
        assert!(Message::decode(&Message::Step(step).encode()).is_err());
        assert!(Message::decode(&[FORGET, 0]).is_err() && Message::decode(&[ADAPTER, 0, 0]).is_err(), "adapters are numbered from 1");
    }

    proptest! {
        #[test]
        fn what_is_sent_is_read(message in messages()) {
            prop_assert_eq!(Message::decode(&message.encode()).unwrap(), message);
        }

        #[test]
        fn what_is_cut_short_or_goes_on_is_refused(message in messages(), cut in any::<proptest::sample::Index>()) {
            let mut words = message.encode();
            prop_assert!(Message::decode(&words[..cut.index(words.len())]).is_err());
            words.push(0);
            prop_assert!(Message::decode(&words).is_err());
        }

        #[test]
        fn any_words_are_read_or_refused(words in proptest::collection::vec(prop_oneof![0_u32..12, any::<u32>()], 0..40)) {
            if let Ok(message) = Message::decode(&words) {
                // An odd number of words for copies loses one.
                prop_assert!(message.encode().len() <= words.len());
            }
        }
    }
}
