//! Attention without a gradient.

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;

use super::mask::AttentionMask;
use crate::flash::{self, Batch, Heads, Mask, Settings, Team};
use crate::host::{self, HostOp, in_order, tensor, values};
use crate::packed::Pool;
use crate::softmax::ScoreSettings;

/// [`flash`] on burn's tensors.
#[derive(Clone, Debug)]
pub(super) struct Prefill {
    causal: bool,
    window: Option<usize>,
    bias: Option<FlexTensor>,
    settings: Settings,
}

impl Prefill {
    pub(super) fn new(mask: &AttentionMask, settings: ScoreSettings) -> Self {
        let settings = Settings { scale: settings.scale as f32, softcap: settings.softcap as f32, ..Settings::default() };
        let plain = Self { causal: false, window: None, bias: None, settings };
        match mask {
            AttentionMask::All => plain,
            AttentionMask::Causal { window } => Self { causal: true, window: *window, ..plain },
            AttentionMask::Bias(bias) => Self { bias: Some(host::detached(bias.clone())), ..plain },
        }
    }
}

/// A tensor `[batch, tokens, heads, width]` as it lies, or in order where tokens do not lie evenly apart.
struct Rows {
    x: FlexTensor,
    /// Values from a token to the next one.
    token: usize,
    /// Values from a head to the next one.
    head: usize,
}

impl Rows {
    fn of(x: FlexTensor) -> Self {
        let shape = x.shape();
        let strides: Vec<_> = x.layout().strides().iter().map(|&stride| usize::try_from(stride).ok()).collect();
        // The stride of a dimension of one means nothing: burn leaves there what was before.
        let places = match strides[..] {
            [Some(batch), Some(token), Some(head), Some(1)] if shape[0] == 1 || shape[1] == 1 || batch == token * shape[1] => {
                Some((if shape[1] == 1 { batch } else { token }, head))
            }
            _ => None,
        };
        match places {
            Some((token, head)) => Self { x, token, head },
            None => Self { token: shape[2] * shape[3], head: shape[3], x: in_order(x) },
        }
    }

    fn heads(&self) -> Heads<'_> {
        let (shape, start) = (self.x.shape(), self.x.layout().start_offset());
        Heads::strided(&self.x.storage::<f32>()[start..], [shape[2], shape[3]], [self.token, self.head])
    }
}

impl HostOp<3> for Prefill {
    fn forward(&self, inputs: [FlexTensor; 3]) -> FlexTensor {
        let shape = inputs[0].shape();
        let [batch, queries, keys] = [shape[0], shape[1], inputs[1].shape()[1]];
        let [query, key, value] = inputs.map(Rows::of);
        let starts = |tokens: usize| (0..=batch).map(|sequence| sequence * tokens).collect::<Vec<_>>();
        let (query_starts, key_starts) = (starts(queries), starts(keys));
        let batch = Batch {
            queries: query.heads(),
            keys: key.heads(),
            values: value.heads(),
            query_starts: &query_starts,
            key_starts: &key_starts,
        };
        let bias = self.bias.as_ref().map(|bias| {
            let shape = bias.shape();
            flash::Bias::dense(values(bias), [shape[0], shape[1], shape[2], shape[3]])
        });
        let mask = Mask { causal: self.causal, window: self.window, seen: &[], bias };
        let mut out = vec![0.0; shape.num_elements()];
        flash::attend_batch(Team::new(Pool::global()), &batch, &mask, self.settings, &mut out, None);
        tensor(out, shape)
    }

    fn forward_keeping(&self, inputs: [FlexTensor; 3]) -> (FlexTensor, Vec<FlexTensor>) {
        (self.forward(inputs), Vec::new())
    }

    fn backward(&self, _kept: Vec<FlexTensor>, _gradient: FlexTensor, _wanted: [bool; 3]) -> [Option<FlexTensor>; 3] {
        unreachable!("inputs with a gradient take the other way")
    }
}
