//! Settings over settings.

use jarre_core::Sampling;

/// `own`, and where it leaves a parameter open, that of `base`.
pub(super) fn or(mut own: Sampling, base: &Sampling) -> Sampling {
    own.temperature = own.temperature.or(base.temperature);
    own.top_p = own.top_p.or(base.top_p);
    own.top_k = own.top_k.or(base.top_k);
    own.min_p = own.min_p.or(base.min_p);
    own.seed = own.seed.or(base.seed);
    own.max_tokens = own.max_tokens.or(base.max_tokens);
    own.presence_penalty = own.presence_penalty.or(base.presence_penalty);
    own.frequency_penalty = own.frequency_penalty.or(base.frequency_penalty);
    own.repetition_penalty = own.repetition_penalty.or(base.repetition_penalty);
    own.mirostat = own.mirostat.or(base.mirostat);
    if own.stop.is_empty() {
        own.stop.clone_from(&base.stop);
    }
    own
}

#[cfg(test)]
mod tests {
    use jarre_core::Mirostat;

    use super::*;

    #[test]
    fn no_parameter_is_forgotten() {
        let all = Sampling::default()
            .with_temperature(0.5)
            .with_top_p(0.5)
            .with_top_k(5_u32)
            .with_min_p(0.5)
            .with_seed(5_u64)
            .with_max_tokens(5_u32)
            .with_presence_penalty(0.5)
            .with_frequency_penalty(0.5)
            .with_repetition_penalty(0.5)
            .with_mirostat(Mirostat::default())
            .with_stop(["5"]);
        let written = serde_json::to_value(&all).unwrap();
        assert_eq!(written.as_object().unwrap().len(), 11, "a parameter that is new has to be set here and handed on there");
        assert_eq!(or(Sampling::default(), &all), all);
        assert_eq!(or(all.clone(), &Sampling::greedy().with_stop(["6"])), all);
    }
}
