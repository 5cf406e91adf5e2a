use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};
use jarre_kernels::{host_values, squared_sum};

/// The sum of squares of all gradients of `module`, in f64, parameter by parameter.
pub(crate) fn squared_norm(module: &impl Module, gradients: &GradientsParams) -> f64 {
    struct Norm<'a> {
        gradients: &'a GradientsParams,
        sum: f64,
    }
    impl ModuleVisitor for Norm<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.gradients.get::<D>(param.id) {
                self.sum += squared_sum(&host_values(gradient));
            }
        }
    }
    let mut norm = Norm { gradients, sum: 0.0 };
    module.visit(&mut norm);
    norm.sum
}

/// All gradients of `module` one after another, in the order of its parameters; those without one are left out.
pub(crate) fn flatten(module: &impl Module, gradients: &GradientsParams) -> Vec<f32> {
    struct Flatten<'a> {
        gradients: &'a GradientsParams,
        values: Vec<f32>,
    }
    impl ModuleVisitor for Flatten<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.gradients.get::<D>(param.id) {
                self.values.extend(host_values(gradient));
            }
        }
    }
    let mut flat = Flatten { gradients, values: Vec::new() };
    module.visit(&mut flat);
    flat.values
}

/// Replaces the gradients by `values`, which [`flatten`] laid out.
pub(crate) fn unflatten(module: &impl Module, gradients: &mut GradientsParams, values: &[f32]) {
    struct Unflatten<'a> {
        gradients: &'a mut GradientsParams,
        rest: &'a [f32],
    }
    impl ModuleVisitor for Unflatten<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(old) = self.gradients.remove::<D>(param.id) {
                let (values, rest) = self.rest.split_at(old.shape().num_elements());
                self.rest = rest;
                let new = Tensor::from_data(TensorData::new(values.to_vec(), old.shape()), &old.device());
                self.gradients.register::<D>(param.id, new);
            }
        }
    }
    module.visit(&mut Unflatten { gradients, rest: values });
}
