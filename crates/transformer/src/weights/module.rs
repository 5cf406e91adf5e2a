use std::collections::BTreeMap;
use std::ops::Range;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};

/// Where a parameter of a module lies among named tensors.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    /// The tensor.
    pub(crate) name: String,
    /// Which of its outputs, where it holds several parameters.
    pub(crate) part: Option<Part>,
    pub(crate) layout: Layout,
    /// What is added to the stored values.
    pub(crate) offset: f32,
}

/// `total` outputs of a tensor, of which a parameter takes as many as it has from `start` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) start: usize,
    pub(crate) total: usize,
}

/// How a tensor is stored beside the way a module keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// The same: vectors, tables, and weights `[in, out]`; outputs are the last dimension.
    AsIs,
    /// Weights `[out, in]`, which a module keeps as `[in, out]`.
    OutIn,
}

/// How a kind of file names the parameters of a module, whose paths are `layers.0.attention.query.linear.weight` and so on.
pub(crate) trait Naming {
    /// Where the parameter at `path` is; nothing for one that such files do not hold.
    fn place(&self, path: &str) -> Option<Place>;

    /// The name that a tensor of a file goes by in [`place`](Self::place).
    fn alias(&self, name: &str) -> String {
        name.to_owned()
    }

    /// Whether a tensor that no parameter asks for may be there.
    fn ignores(&self, _name: &str) -> bool {
        false
    }
}

/// Tensors named and stored as the module keeps its parameters.
#[cfg(feature = "train")]
pub(crate) struct Paths;

#[cfg(feature = "train")]
impl Naming for Paths {
    fn place(&self, path: &str) -> Option<Place> {
        Some(Place { name: path.to_owned(), part: None, layout: Layout::AsIs, offset: 0.0 })
    }
}

/// Values of named tensors, row-major.
pub(crate) trait TensorSource {
    /// Values of `name`, which is known to be there with its shape.
    fn values(&self, name: &str) -> Vec<f32>;

    /// Those of some rows, where they can be read without the others.
    fn rows(&self, _name: &str, _rows: Range<usize>) -> Option<Vec<f32>> {
        None
    }

    /// Those of some columns of a matrix, where they can be read without the others.
    fn columns(&self, _name: &str, _columns: Range<usize>) -> Option<Vec<f32>> {
        None
    }
}

/// A tensor as it is written to a file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NamedTensor {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

/// Names and shapes of tensors.
pub(crate) type Listed = Vec<(String, Vec<usize>)>;

/// Names and shapes of the tensors that fill `module`, each once.
pub(crate) fn expected(module: &impl Module, naming: &dyn Naming) -> Listed {
    let mut lister = Lister { naming, path: Vec::new(), found: BTreeMap::new() };
    module.visit(&mut lister);
    lister.found.into_iter().collect()
}

/// `module` with its parameters from `source`, on `device`.
pub(crate) fn fill<M: Module>(module: M, naming: &dyn Naming, source: &dyn TensorSource, device: &Device) -> M {
    module.map(&mut Filler { naming, source, device, path: Vec::new(), last: None })
}

/// As [`fill`], for a module that stands at `path` in the one that `naming` knows.
pub(crate) fn fill_at<M: Module>(module: M, path: &str, naming: &dyn Naming, source: &dyn TensorSource, device: &Device) -> M {
    let path = path.split('.').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    module.map(&mut Filler { naming, source, device, path, last: None })
}

/// The parameters of `module` as the tensors that [`fill`] reads.
pub(crate) fn collect(module: &impl Module, naming: &dyn Naming) -> BTreeMap<String, NamedTensor> {
    let mut collector = Collector { naming, path: Vec::new(), found: BTreeMap::new() };
    module.visit(&mut collector);
    collector.found
}

/// The shape in a file of a parameter of shape `own`.
fn stored_shape(own: &[usize], place: &Place) -> Vec<usize> {
    let mut shape = own.to_vec();
    let last = shape.len() - 1;
    if let Some(part) = place.part {
        shape[last] = part.total;
    }
    if place.layout == Layout::OutIn {
        shape.reverse();
    }
    shape
}

struct Lister<'a> {
    naming: &'a dyn Naming,
    path: Vec<String>,
    found: BTreeMap<String, Vec<usize>>,
}

impl ModuleVisitor for Lister<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(place) = self.naming.place(&self.path.join(".")) else { return };
        let shape = stored_shape(&param.lazy_shape().dims::<D>(), &place);
        self.found.insert(place.name, shape);
    }
}

struct Filler<'a> {
    naming: &'a dyn Naming,
    source: &'a dyn TensorSource,
    device: &'a Device,
    path: Vec<String>,
    /// The tensor of several parameters that was read last: they follow each other.
    last: Option<(String, Vec<f32>)>,
}

impl Filler<'_> {
    fn values(&mut self, place: &Place, own: &[usize]) -> Vec<f32> {
        let outputs = *own.last().expect("a parameter has a dimension");
        let mut values = match (place.layout, place.part) {
            (Layout::AsIs, None) => self.source.values(&place.name),
            (Layout::AsIs, Some(Part { start, total })) => {
                let rows = self.whole(&place.name).chunks_exact(total);
                rows.flat_map(|row| &row[start..start + outputs]).copied().collect()
            }
            (Layout::OutIn, part) => {
                let rows = part.map_or_else(|| self.source.values(&place.name), |part| self.rows(&place.name, part, outputs));
                transpose(&rows, outputs, rows.len() / outputs)
            }
        };
        if place.offset != 0.0 {
            for value in &mut values {
                *value += place.offset;
            }
        }
        values
    }

    /// The rows of some outputs.
    fn rows(&mut self, name: &str, Part { start, total }: Part, outputs: usize) -> Vec<f32> {
        let rows = start..start + outputs;
        self.source.rows(name, rows.clone()).unwrap_or_else(|| {
            let stored = self.whole(name);
            let inputs = stored.len() / total;
            stored[rows.start * inputs..rows.end * inputs].to_vec()
        })
    }

    fn whole(&mut self, name: &str) -> &[f32] {
        if self.last.as_ref().is_none_or(|(last, _)| last != name) {
            self.last = Some((name.to_owned(), self.source.values(name)));
        }
        let (_, stored) = self.last.as_ref().expect("it was read just now");
        stored
    }
}

impl ModuleMapper for Filler<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let shape = param.lazy_shape().dims::<D>();
        let Some(place) = self.naming.place(&self.path.join(".")) else { return param };
        let values = self.values(&place, &shape);
        let mut filled: Param<Tensor<D>> = Param::from_data(TensorData::new(values, shape), self.device);
        filled.id = param.id;
        // Only where gradients are computed can a parameter tell that it is frozen.
        let frozen = self.device.is_autodiff() && param.is_initialized() && !param.is_require_grad();
        if frozen { filled.set_require_grad(false) } else { filled }
    }
}

struct Collector<'a> {
    naming: &'a dyn Naming,
    path: Vec<String>,
    found: BTreeMap<String, NamedTensor>,
}

impl ModuleVisitor for Collector<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(place) = self.naming.place(&self.path.join(".")) else { return };
        let own = param.lazy_shape().dims::<D>();
        let shape = stored_shape(&own, &place);
        let values = param.val().into_data_as::<f32>().try_into_vec::<f32>().expect("it was converted to f32");
        let size = shape.iter().product();
        let target = self.found.entry(place.name.clone()).or_insert_with(|| NamedTensor { shape, values: vec![0.0; size] });
        let outputs = own[D - 1];
        let total = place.part.map_or(outputs, |part| part.total);
        let start = place.part.map_or(0, |part| part.start);
        let inputs = size / total;
        let values: Vec<f32> = values.iter().map(|value| value - place.offset).collect();
        match place.layout {
            Layout::AsIs => {
                for (row, own) in target.values.chunks_exact_mut(total).zip(values.chunks_exact(outputs)) {
                    row[start..start + outputs].copy_from_slice(own);
                }
            }
            Layout::OutIn => {
                let turned = transpose(&values, inputs, outputs);
                target.values[start * inputs..(start + outputs) * inputs].copy_from_slice(&turned);
            }
        }
    }
}

/// `values [rows, columns]` as `[columns, rows]`, tile by tile, so that both sides stay in the cache.
pub(crate) fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    const TILE: usize = 16;
    let mut turned = vec![0.0; values.len()];
    for row_tile in (0..rows).step_by(TILE) {
        for column_tile in (0..columns).step_by(TILE) {
            for row in row_tile..(row_tile + TILE).min(rows) {
                for column in column_tile..(column_tile + TILE).min(columns) {
                    turned[column * rows + row] = values[row * columns + column];
                }
            }
        }
    }
    turned
}
