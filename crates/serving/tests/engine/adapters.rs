use std::ops::ControlFlow;
use std::time::Duration;

use jarre_serving::{Error, LoraAdapter, Model, Request, SamplingParams};
use jarre_transformer::generate::{StopCriteria, generate};
use jarre_transformer::paged::PagedAdapter;
use jarre_transformer::{CausalModel, LoraConfig};

use crate::fixture::{Answered, answer, family, family_folder, options, options_with, prompt, run, shipped};

fn load(model: &Model) -> LoraAdapter {
    LoraAdapter::from_folder("tuned", model, family_folder("llama").join("lora")).unwrap()
}

fn request(seed: u32, len: usize, adapter: Option<&LoraAdapter>) -> Request {
    let request = Request::new(prompt(seed, len, 96)).with_sampling(SamplingParams::greedy()).with_max_tokens(8).with_ignore_eos(true);
    match adapter {
        Some(adapter) => request.with_adapter(adapter.clone()),
        None => request,
    }
}

/// What the decoder itself writes with its adapter merged.
fn merged(prompt: &[u32]) -> Vec<u32> {
    let plain = family("llama").causal().clone();
    let decoder = plain.decoder().clone().with_lora_from(family_folder("llama").join("lora")).unwrap().merge_lora();
    let causal = CausalModel::new(decoder, None, Vec::new());
    generate(&causal, prompt, &SamplingParams::greedy(), &StopCriteria::new(8), &mut |_| ControlFlow::Continue(())).unwrap().tokens
}

#[test]
fn requests_with_and_without_adapters_share_steps_and_nothing_else() {
    let model = family("llama");
    let (tuned, other) = (load(&model), load(&model));
    let requests: Vec<Request> =
        (0..9).map(|i| request(i, 3 + i as usize * 2, [None, Some(&tuned), Some(&other)][i as usize % 3])).collect();
    let alone: Vec<Vec<u32>> = requests.iter().map(|request| answer(&model, &options(), std::slice::from_ref(request))[0].ids()).collect();
    for (request, ids) in requests.iter().zip(&alone).filter(|(request, _)| request.adapter.is_some()) {
        assert_eq!(*ids, merged(&request.prompt), "as with the adapter in the weights");
    }
    let mut changed = 0;
    for (request, ids) in requests.iter().zip(&alone).filter(|(request, _)| request.adapter.is_some()) {
        let mut plain = request.clone();
        plain.adapter = None;
        changed += usize::from(answer(&model, &options(), &[plain])[0].ids() != *ids);
    }
    assert!(changed > 0, "the adapter has to do something");
    let chunks = options_with(|options| (options.max_num_batched_tokens, options.max_num_seqs) = (6, 6));
    for options in [options(), chunks] {
        let together: Vec<Vec<u32>> = answer(&model, &options, &requests).iter().map(Answered::ids).collect();
        assert_eq!(together, alone);
    }
}

/// Cached tokens of a second request with the same prompt.
fn found(model: &Model, first: Option<&LoraAdapter>, second: Option<&LoraAdapter>) -> u64 {
    let mut core = model.engine(&options()).unwrap();
    core.add(request(1, 21, first), Duration::ZERO).unwrap();
    run(&mut core);
    let key = core.add(request(1, 21, second), Duration::ZERO).unwrap();
    run(&mut core)[&key].stats.unwrap().usage.cached_tokens
}

#[test]
fn a_prefix_is_found_under_its_own_adapter_alone() {
    let model = family("llama");
    let (tuned, again) = (load(&model), load(&model));
    assert_eq!(found(&model, Some(&tuned), Some(&tuned)), 20);
    assert_eq!(found(&model, None, None), 20);
    assert_eq!(found(&model, None, Some(&tuned)), 0);
    assert_eq!(found(&model, Some(&tuned), None), 0);
    assert_eq!(found(&model, Some(&tuned), Some(&again)), 0, "loaded again, it may be another one");
}

#[test]
fn an_adapter_of_another_model_is_refused() {
    let model = shipped();
    let decoder = family("mistral").causal().decoder().clone();
    let weights = PagedAdapter::new(&decoder.with_lora(&LoraConfig::new(2)).unwrap()).unwrap();
    let mut core = model.engine(&options()).unwrap();
    let asked = Request::new([1]).with_adapter(LoraAdapter::new("stranger", weights));
    let error = core.add(asked, Duration::ZERO).unwrap_err();
    assert!(matches!(&error, Error::Invalid(reason) if reason.contains("stranger")), "{error}");
    assert!(core.is_idle());
    assert!(LoraAdapter::from_folder("tuned", &model, family_folder("llama").join("lora")).is_err());
}
