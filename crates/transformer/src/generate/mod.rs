//! Generation by causal language models: choosing tokens, stopping, turning tokens into text, searching, and measuring what comes out.
//!
//! Nothing here knows a tensor: a model is whatever gives logits through [`CausalLm`].

mod beam;
mod bleu;
mod candidates;
mod diversity;
mod exp;
mod generator;
mod log_softmax;
mod mirostat;
mod model;
mod penalties;
mod perplexity;
mod sampler;
mod sampling_params;
mod setting;
mod stop;
mod text;
#[cfg(test)]
mod toy;
mod truncation;

pub use beam::{Beam, BeamSearch, EarlyStopping};
pub use bleu::self_bleu;
pub use diversity::{Repetition, distinct_n, repetition};
pub use generator::{Generation, GenerationRequest, StopCriteria, generate, generate_batch};
pub use model::CausalLm;
pub use perplexity::{Perplexity, perplexity};
pub use sampler::{Sampled, Sampler};
pub use sampling_params::{MirostatParams, SamplingParams};
pub use stop::{StopStep, StopStrings};
pub use text::TextStream;
