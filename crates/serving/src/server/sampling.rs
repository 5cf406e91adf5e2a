use jarre_openai::{ApiError, Mirostat, SamplingParams as Wire, TopK};

use jarre_transformer::generate::MirostatParams;

use super::failure::refused;
use crate::{Request, SamplingParams};

/// What a call adds to the sampling parameters of the wire.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wishes {
    /// Tokens of an answer at most.
    pub(super) limit: Option<usize>,
    /// Alternatives reported at each token.
    pub(super) top_logprobs: u32,
    /// Alternatives reported at each token of the prompt.
    pub(super) prompt_logprobs: Option<u32>,
    /// For requests that name no seed.
    pub(super) seed: u64,
}

/// The engine's request for a prompt: each parameter is honoured, or refused by its name.
pub(super) fn request(prompt: Vec<u32>, wire: &Wire, wishes: Wishes) -> Result<Request, ApiError> {
    if !wire.bad_words.is_empty() {
        return Err(refused("bad_words", "cannot be kept to: a text can be written with other tokens than those it is banned by"));
    }
    if wire.skip_special_tokens == Some(false) {
        return Err(refused("skip_special_tokens", "must be true: special tokens are not written as text"));
    }
    let mut request = Request::new(prompt).with_sampling(sampling(wire, wishes)).with_stop(wire.stop.iter().cloned());
    request.n = wire.n.unwrap_or(1) as usize;
    request.max_tokens = wishes.limit;
    request.include_stop = wire.include_stop_str_in_output.unwrap_or_default();
    request.ignore_eos = wire.ignore_eos.unwrap_or_default();
    request.prompt_logprobs = wishes.prompt_logprobs.map(|top| top as usize);
    request.priority = wire.priority.unwrap_or_default();
    request.cache_salt = wire.cache_salt.clone().unwrap_or_default();
    Ok(request)
}

fn sampling(wire: &Wire, wishes: Wishes) -> SamplingParams {
    let unset = SamplingParams::default();
    let mut sampling = SamplingParams::default()
        .with_temperature(wire.temperature.unwrap_or(unset.temperature))
        .with_top_p(wire.top_p.unwrap_or(unset.top_p))
        .with_min_p(wire.min_p.unwrap_or(unset.min_p))
        .with_presence_penalty(wire.presence_penalty.unwrap_or(unset.presence_penalty))
        .with_frequency_penalty(wire.frequency_penalty.unwrap_or(unset.frequency_penalty))
        .with_repeat_penalty(wire.repetition_penalty.unwrap_or(unset.repeat_penalty))
        .with_logit_bias(wire.logit_bias.iter().map(|(&id, &bias)| (id, bias)))
        .with_stop_token_ids(wire.stop_token_ids.iter().copied())
        .with_min_tokens(wire.min_tokens.unwrap_or_default() as usize)
        .with_top_logprobs(wishes.top_logprobs as usize)
        .with_seed(wire.seed.map_or(wishes.seed, i64::cast_unsigned));
    sampling.top_k = match wire.top_k {
        Some(TopK::Likeliest(count)) => count,
        Some(TopK::All) | None => 0,
    };
    sampling.allowed_token_ids.clone_from(&wire.allowed_token_ids);
    sampling.mirostat = wire.mirostat.map(|Mirostat { tau, eta }| MirostatParams { tau, eta });
    sampling
}

#[cfg(test)]
mod tests {
    use jarre_openai::CompletionRequest;

    use super::*;

    const WISHES: Wishes = Wishes { limit: Some(9), top_logprobs: 3, prompt_logprobs: Some(2), seed: 77 };

    fn read(fields: &str) -> Wire {
        CompletionRequest::from_json(format!(r#"{{"model": "m", "prompt": "p", {fields}}}"#).as_bytes()).unwrap().sampling
    }

    #[test]
    fn every_parameter_arrives() {
        let wire = read(
            r#""temperature": 0.5, "top_p": 0.9, "top_k": 7, "min_p": 0.25, "seed": -1, "n": 3, "stop": ["a", "b"], "stop_token_ids": [4],
               "include_stop_str_in_output": true, "min_tokens": 2, "ignore_eos": true, "presence_penalty": 1, "frequency_penalty": -1,
               "repetition_penalty": 1.5, "mirostat": 2, "mirostat_tau": 3, "logit_bias": {"5": -100}, "allowed_token_ids": [5, 6], "priority": -3, "cache_salt": "s",
               "skip_special_tokens": true"#,
        );
        let asked = request(vec![1, 2], &wire, WISHES).unwrap();
        let expected = SamplingParams::default()
            .with_temperature(0.5)
            .with_top_p(0.9)
            .with_top_k(7)
            .with_min_p(0.25)
            .with_seed(u64::MAX)
            .with_stop_token_ids([4])
            .with_min_tokens(2)
            .with_presence_penalty(1.0)
            .with_frequency_penalty(-1.0)
            .with_repeat_penalty(1.5)
            .with_mirostat(3.0, 0.1)
            .with_logit_bias([(5, -100.0)])
            .with_allowed_token_ids([5, 6])
            .with_top_logprobs(3);
        assert_eq!(asked.sampling, expected);
        assert_eq!((asked.prompt, asked.n, asked.stop), (vec![1, 2], 3, vec!["a".to_owned(), "b".to_owned()]));
        assert!(asked.include_stop && asked.ignore_eos);
        assert_eq!((asked.max_tokens, asked.prompt_logprobs, asked.priority, asked.cache_salt), (Some(9), Some(2), -3, "s".to_owned()));
    }

    #[test]
    fn what_is_not_given_is_the_models_own_distribution_and_a_seed_of_its_own() {
        let asked = request(vec![1], &Wire::default(), Wishes { top_logprobs: 0, ..WISHES }).unwrap();
        assert_eq!(asked.sampling, SamplingParams::default().with_seed(77));
        for all in ["-1", "0"] {
            assert_eq!(request(vec![1], &read(&format!(r#""top_k": {all}"#)), WISHES).unwrap().sampling.top_k, 0);
        }
    }

    #[test]
    fn what_cannot_be_done_is_refused_by_name() {
        for (fields, param) in [(r#""bad_words": ["x"]"#, "bad_words"), (r#""skip_special_tokens": false"#, "skip_special_tokens")] {
            let error = request(vec![1], &read(fields), WISHES).unwrap_err();
            assert_eq!((error.status, error.body.param.as_deref()), (400, Some(param)));
        }
    }
}
