//! Models of the repository, and an engine that is run to its end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jarre_serving::{
    Chunk, EngineCore, Finish, KvType, Model, ModelRunner, Output, Request, RequestKey, RequestStats, Sampled, ServeOptions,
};
use jarre_transformer::{CausalModel, Device, Tokenizer};

pub(crate) const FAMILIES: [&str; 12] =
    ["gpt2", "llama", "llama3", "llama_bias", "llama_mqa", "mistral", "qwen2", "qwen3", "smollm2", "phi3", "phi3_partial", "gemma2"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn tiny_folder() -> PathBuf {
    repository().join("examples/assets/jarre-tiny")
}

/// The shipped model.
pub(crate) fn shipped() -> Model {
    Model::open(tiny_folder(), &Device::default()).unwrap()
}

pub(crate) fn family_folder(name: &str) -> PathBuf {
    repository().join("crates/transformer/tests/families").join(name)
}

/// A tiny random model of a family. Its tokens have no texts of their own: those of the shipped tokenizer stand for them.
pub(crate) fn family(name: &str) -> Model {
    let causal = CausalModel::from_folder(family_folder(name), &Device::default()).unwrap();
    Model::new(name, causal, Tokenizer::from_folder(tiny_folder()).unwrap(), None)
}

/// Sixty-four sequences in float32, blocks of four.
pub(crate) fn options() -> ServeOptions {
    let mut options = ServeOptions::default();
    (options.block_size, options.kv_type, options.kv_cache_bytes) = (4, KvType::F32, 8 << 20);
    options
}

pub(crate) fn options_with(edit: impl FnOnce(&mut ServeOptions)) -> ServeOptions {
    let mut options = options();
    edit(&mut options);
    options
}

/// All that was said of a request.
#[derive(Debug, Default)]
pub(crate) struct Answered {
    pub(crate) prompt: Vec<Sampled>,
    pub(crate) answers: BTreeMap<usize, Answer>,
    pub(crate) stats: Option<RequestStats>,
    pub(crate) failure: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) tokens: Vec<Sampled>,
    pub(crate) finish: Option<Finish>,
}

impl Answered {
    pub(crate) fn take(&mut self, output: Output) {
        match output {
            Output::Prompt(prompt) => self.prompt = prompt,
            Output::Chunk(Chunk { index, text, tokens, finish }) => {
                let answer = self.answers.entry(index).or_default();
                assert!(answer.finish.is_none(), "nothing follows the end of an answer");
                answer.text.push_str(&text);
                answer.tokens.extend(tokens);
                answer.finish = finish;
            }
            Output::Done(stats) => self.stats = Some(stats),
            Output::Failed(error) => self.failure = Some(error.to_string()),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn ids(&self) -> Vec<u32> {
        self.ids_of(0)
    }

    pub(crate) fn ids_of(&self, index: usize) -> Vec<u32> {
        self.answers[&index].tokens.iter().map(|token| token.id).collect()
    }
}

/// Runs an engine until it is idle; every step takes a millisecond.
pub(crate) fn run<R: ModelRunner>(core: &mut EngineCore<R>) -> BTreeMap<RequestKey, Answered> {
    let mut answered: BTreeMap<RequestKey, Answered> = BTreeMap::new();
    let time = std::cell::Cell::new(0);
    for _ in 0..100_000 {
        if core.is_idle() {
            let stats = core.stats();
            assert_eq!((stats.running, stats.waiting, stats.blocks_free), (0, 0, stats.blocks), "all blocks are free when nothing runs");
            return answered;
        }
        time.set(time.get() + 1);
        for (key, output) in core.step(&|| Duration::from_millis(time.get())) {
            answered.entry(key).or_default().take(output);
        }
    }
    panic!("the engine does not come to an end: {:?}", core.stats());
}

/// What an engine answers to requests that come together.
pub(crate) fn answer(model: &Model, options: &ServeOptions, requests: &[Request]) -> Vec<Answered> {
    let mut core = model.engine(options).unwrap();
    let keys: Vec<RequestKey> = requests.iter().map(|request| core.add(request.clone(), Duration::ZERO).unwrap()).collect();
    let mut answered = run(&mut core);
    keys.iter().map(|key| answered.remove(key).unwrap()).collect()
}

/// Some tokens below `vocab`.
pub(crate) fn prompt(seed: u32, len: usize, vocab: usize) -> Vec<u32> {
    (0..len as u32).map(|i| (i.wrapping_mul(2_654_435_761).wrapping_add(seed.wrapping_mul(40_503)) >> 9) % vocab as u32).collect()
}
