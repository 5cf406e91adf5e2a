use jarre_transformer::generate::Sampled;

use super::live::Live;
use crate::Result;

/// Scores the tokens of a prompt that follow on those read from position `start` on, by the logits of every place.
///
/// Places that were scored before a preemption are passed over.
pub(super) fn score_prompt(live: &mut Live, start: usize, logits: &[f32], width: usize) -> Result<()> {
    let Some(top) = live.request.prompt_logprobs else { return Ok(()) };
    for (place, logits) in logits.chunks_exact(width).enumerate().map(|(row, logits)| (start + row, logits)) {
        if live.prompt_logprobs.len() != place || live.is_answered {
            continue;
        }
        let Some(&next) = live.request.prompt.get(place + 1) else { break };
        live.prompt_logprobs.push(Sampled::given(next, logits, top)?);
    }
    Ok(())
}
