//! Reading of some outputs or inputs of linear layers, and of no more than these need.

use std::ops::Range;

use burn::module::Module;
use burn::tensor::Device;

use super::adapter::Place;
use super::row_linear::{Cut, RowLinear};
use crate::decoder::{DecoderNames, Projection};
use crate::error::Result;
use crate::quantize::{Kept, Quantizer, keep};
use crate::weights::{self, Layout, Naming, Part, TensorSource, Weights, fill_at};

/// Where a worker reads its part of a model.
pub(super) struct PartReader<'a> {
    pub(super) names: &'a DecoderNames,
    pub(super) source: &'a dyn TensorSource,
    /// Layers in few bits, and which of them stay so.
    pub(super) codes: Option<(&'a Weights, Kept)>,
    pub(super) quantizer: Option<&'a Quantizer>,
    pub(super) device: &'a Device,
}

/// A linear layer before it is read.
pub(super) struct Unread<'a> {
    reader: &'a PartReader<'a>,
    /// As it is in the whole model; packed where the file has its codes.
    linear: Projection,
    path: String,
}

impl PartReader<'_> {
    /// A module with what of it is no linear layer.
    pub(super) fn norms<M: Module>(&self, module: M, path: &str) -> M {
        fill_at(module, path, &Norms(self.names), self.source, self.device)
    }

    /// The linear layer at `path`, of which nothing is read but codes.
    pub(super) fn begin(&self, linear: &Projection, path: String) -> Unread<'_> {
        let mut linear = linear.clone();
        if let Some((weights, kept)) = self.codes {
            keep(&mut linear, &format!("{path}.linear"), self.names, weights, kept);
        }
        Unread { reader: self, linear, path }
    }
}

impl Unread<'_> {
    /// Neighbouring inputs that have to stay together.
    pub(super) fn group(&self) -> usize {
        let [inputs, _] = self.linear.dims();
        match &self.linear.packed {
            Some(packed) => packed.weights().group(),
            None => self.reader.quantizer.map_or(1, |quantizer| quantizer.group(inputs)),
        }
    }

    /// Some outputs: of others nothing is read, as rows are rounded each for itself.
    pub(super) fn outputs(self, outputs: Range<usize>, place: Option<Place>) -> Result<RowLinear> {
        self.rounded_outputs(outputs, place, Quantizer::round)
    }

    /// The logits of some tokens, whose weights are rounded otherwise than those of layers.
    pub(super) fn logits(self, tokens: Range<usize>) -> Result<RowLinear> {
        self.rounded_outputs(tokens, None, |quantizer, _, part| quantizer.round_head(part))
    }

    fn rounded_outputs(
        self,
        outputs: Range<usize>,
        place: Option<Place>,
        round: impl FnOnce(&Quantizer, &str, &mut Projection) -> Result<()>,
    ) -> Result<RowLinear> {
        let Self { reader, linear, path } = self;
        if linear.packed.is_some() {
            return Ok(RowLinear::new(&linear, place)?.outputs_part(outputs));
        }
        let [d_input, total] = linear.dims();
        let part = linear.resized([d_input, outputs.len()], reader.device);
        let naming = OutputsOf { names: reader.names, start: outputs.start, total };
        let mut part = fill_at(part, &path, &naming, reader.source, reader.device);
        if let Some(quantizer) = reader.quantizer {
            round(quantizer, &path, &mut part)?;
        }
        Ok(RowLinear::new(&part, place)?.cut_by(Cut::Outputs(outputs)))
    }

    /// Some inputs. Where weights are rounded, it is with the scales of whole rows, and all of them are read for a moment.
    pub(super) fn inputs(self, inputs: Range<usize>, place: Option<Place>) -> Result<RowLinear> {
        let Self { reader, mut linear, path } = self;
        if let (None, Some(quantizer)) = (&linear.packed, reader.quantizer) {
            linear = fill_at(linear, &path, reader.names, reader.source, reader.device);
            quantizer.round(&path, &mut linear)?;
        }
        if linear.packed.is_some() {
            return Ok(RowLinear::new(&linear, place)?.inputs_part(inputs));
        }
        let [total, d_output] = linear.dims();
        let weight = reader.names.place(&format!("{path}.linear.weight"));
        let source = InputsOf { source: reader.source, weight, inputs: inputs.clone(), total };
        let part = linear.resized([inputs.len(), d_output], reader.device);
        let part = fill_at(part, &path, reader.names, &source, reader.device);
        Ok(RowLinear::new(&part, place)?.cut_by(Cut::Inputs(inputs)))
    }
}

/// Names of parameters that are not of linear layers.
struct Norms<'a>(&'a DecoderNames);

impl Naming for Norms<'_> {
    fn place(&self, path: &str) -> Option<weights::Place> {
        if path.contains(".linear.") { None } else { self.0.place(path) }
    }
}

/// Names of the parameters of some outputs of a layer of `total`.
struct OutputsOf<'a> {
    names: &'a DecoderNames,
    start: usize,
    total: usize,
}

impl Naming for OutputsOf<'_> {
    fn place(&self, path: &str) -> Option<weights::Place> {
        let place = self.names.place(path)?;
        let Part { start, total } = place.part.unwrap_or(Part { start: 0, total: self.total });
        Some(weights::Place { part: Some(Part { start: start + self.start, total }), ..place })
    }
}

/// Tensors of which one is the weight of a layer of `total` inputs, of which there are some here.
struct InputsOf<'a> {
    source: &'a dyn TensorSource,
    weight: Option<weights::Place>,
    inputs: Range<usize>,
    total: usize,
}

impl TensorSource for InputsOf<'_> {
    fn values(&self, name: &str) -> Vec<f32> {
        let Some(weight) = self.weight.as_ref().filter(|weight| weight.name == name) else { return self.source.values(name) };
        let inputs = self.inputs.clone();
        match weight.layout {
            Layout::AsIs => self.source.rows(name, inputs.clone()).unwrap_or_else(|| {
                let values = self.source.values(name);
                let outputs = values.len() / self.total;
                values[inputs.start * outputs..inputs.end * outputs].to_vec()
            }),
            Layout::OutIn => self.source.columns(name, inputs.clone()).unwrap_or_else(|| {
                let values = self.source.values(name);
                values.chunks_exact(self.total).flat_map(|row| &row[inputs.clone()]).copied().collect()
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use super::*;
    use crate::decoder::{DecoderConfig, DecoderFolder};
    use crate::paged::decoder::PagedDecoder;
    use crate::paged::shard::Shard;
    use crate::quantize::Scheme;
    use crate::weights::expected;

    /// Tensors of ones that note how many values of each are read, and whether all at once.
    struct Noting {
        shapes: BTreeMap<String, Vec<usize>>,
        read: RefCell<BTreeMap<String, usize>>,
        whole: RefCell<Vec<String>>,
    }

    impl Noting {
        fn note(&self, name: &str, count: usize) -> Vec<f32> {
            *self.read.borrow_mut().entry(name.to_owned()).or_default() += count;
            vec![1.0; count]
        }
    }

    impl TensorSource for Noting {
        fn values(&self, name: &str) -> Vec<f32> {
            if self.shapes[name].len() == 2 {
                self.whole.borrow_mut().push(name.to_owned());
            }
            self.note(name, self.shapes[name].iter().product())
        }

        fn rows(&self, name: &str, rows: Range<usize>) -> Option<Vec<f32>> {
            Some(self.note(name, rows.len() * self.shapes[name][1..].iter().product::<usize>()))
        }

        fn columns(&self, name: &str, columns: Range<usize>) -> Option<Vec<f32>> {
            Some(self.note(name, columns.len() * self.shapes[name][0]))
        }
    }

    /// What is read for one of two workers.
    fn read(style: &str, quantizer: Option<&Quantizer>) -> Noting {
        let config = DecoderConfig { tied: false, ..DecoderConfig::new(60, 32, 4, 2, 48) };
        let (names, device) = (DecoderFolder::names_of(style, &config), Device::default());
        let shapes = expected(&config.init(&device), &names).into_iter().collect();
        let source = Noting { shapes, read: RefCell::default(), whole: RefCell::default() };
        let reader = PartReader { names: &names, source: &source, codes: None, quantizer, device: &device };
        PagedDecoder::read(&config, 16, Shard::new(1, 2).unwrap(), &reader).unwrap();
        source
    }

    #[test]
    fn of_every_matrix_half_is_read_for_one_of_two_workers_once() {
        for style in ["llama", "phi3"] {
            let source = read(style, None);
            assert_eq!(*source.whole.borrow(), ["model.embed_tokens.weight"]);
            for (name, shape) in &source.shapes {
                let all: usize = shape.iter().product();
                let wanted = if shape.len() == 2 && !name.contains("embed") { all / 2 } else { all };
                assert_eq!(source.read.borrow()[name], wanted, "{style}: {name}");
            }
        }
    }

    #[test]
    fn where_weights_are_rounded_matrices_that_are_cut_by_inputs_are_read_whole() {
        let source = read("llama", Some(&Quantizer::new(Scheme::Int8)));
        let mut whole = source.whole.borrow().clone();
        whole.sort();
        let layer = |index: usize, name: &str| format!("model.layers.{index}.{name}.weight");
        let rounded = (0..2).flat_map(|index| [layer(index, "mlp.down_proj"), layer(index, "self_attn.o_proj")]);
        let mut expected: Vec<String> = std::iter::once("model.embed_tokens.weight".to_owned()).chain(rounded).collect();
        expected.sort();
        assert_eq!(whole, expected);
        assert_eq!(source.read.borrow()[&layer(0, "mlp.up_proj")], 32 * 48 / 2);
    }
}
