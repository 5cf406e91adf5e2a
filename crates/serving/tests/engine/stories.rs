//! The story that llama2.c's smallest model tells, through the engine.

use std::path::PathBuf;

use jarre_serving::{Model, Request, SamplingParams};
use jarre_transformer::{CausalModel, Device, Tokenizer};

use crate::fixture::{answer, options, options_with};
use crate::identity::check;

#[expect(clippy::disallowed_methods, reason = "a test may be told where the data is")]
fn stories() -> PathBuf {
    let data = std::env::var_os("JARRE_DATA").expect("JARRE_DATA names the folder with the data sets");
    PathBuf::from(data).join("models/stories260k")
}

fn model() -> Model {
    let causal = CausalModel::from_llama2c(stories().join("stories260K.bin"), &Device::default()).unwrap();
    Model::new("stories260k", causal, Tokenizer::from_llama2c(stories().join("tok512.bin")).unwrap(), None)
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn the_golden_story_is_told_in_company_and_in_chunks() {
    let model = model();
    let bos = model.causal().bos().unwrap();
    let golden = std::fs::read_to_string(stories().join("golden_greedy.txt")).unwrap();
    let story = Request::new([bos]).with_sampling(SamplingParams::greedy()).with_max_tokens(200).with_ignore_eos(true);
    let others = (0..7).map(|seed| {
        Request::new([bos, 403 + seed]).with_sampling(SamplingParams::default().with_seed(u64::from(seed))).with_max_tokens(150)
    });
    let requests: Vec<Request> = std::iter::once(story).chain(others).collect();
    for options in [options(), options_with(|options| (options.max_num_batched_tokens, options.max_num_seqs) = (8, 8))] {
        let told = answer(&model, &options, &requests)[0].answers[&0].text.clone();
        assert_eq!(told.trim(), golden.trim());
    }
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn its_answers_depend_on_the_request_alone() {
    check(&model(), "stories260k");
}
