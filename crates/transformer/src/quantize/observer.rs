use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::tensor::Tensor;
use jarre_kernels::host_values;
use jarre_quant::Calibration;

/// Sees the inputs of a layer while a model runs.
#[derive(Clone, Debug)]
pub(crate) struct Observer(Arc<Mutex<Seen>>);

#[derive(Debug)]
struct Seen {
    calibration: Calibration,
    /// The first thing that went wrong: a layer cannot refuse its input.
    failed: Option<jarre_quant::Error>,
}

impl Observer {
    /// Of a layer with `columns` inputs.
    pub(super) fn new(columns: usize) -> Self {
        Self(Arc::new(Mutex::new(Seen { calibration: Calibration::new(columns), failed: None })))
    }

    /// Adds inputs `[..., columns]`.
    pub(crate) fn see<const D: usize>(&self, x: Tensor<D>) {
        let mut seen = self.lock();
        if let Err(error) = seen.calibration.observe(&host_values(x)) {
            seen.failed.get_or_insert(error);
        }
    }

    /// What was seen.
    pub(super) fn into_calibration(self) -> jarre_quant::Result<Calibration> {
        let mut seen = self.lock();
        let calibration = std::mem::replace(&mut seen.calibration, Calibration::new(0));
        seen.failed.take().map_or(Ok(calibration), Err)
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
