use burn::tensor::distributed::{ReduceOperation, all_reduce};
use burn::tensor::{Device, Tensor};
use jarre_kernels::host_values;

use super::Collective;
use crate::{Error, Result};

/// Devices of one process that reduce among themselves by burn's collectives, for backends that have them (CUDA by NCCL). One thread works
/// for each device, with the same list of devices and a [`DistributedContext`](burn::tensor::distributed::DistributedContext) of all of
/// them started before.
///
/// burn has sums alone: everything else is made of them.
#[derive(Clone, Debug)]
pub struct DeviceCollective {
    rank: usize,
    devices: Vec<Device>,
}

impl DeviceCollective {
    /// The worker of `devices[rank]`.
    ///
    /// # Errors
    /// [`Collective`](Error::Collective) where there is no such device.
    pub fn new(rank: usize, devices: Vec<Device>) -> Result<Self> {
        if rank >= devices.len() {
            return Err(Error::Collective { rank, reason: format!("there are {} devices", devices.len()) });
        }
        Ok(Self { rank, devices })
    }
}

impl Collective for DeviceCollective {
    fn rank(&self) -> usize {
        self.rank
    }

    fn world_size(&self) -> usize {
        self.devices.len()
    }

    /// # Panics
    /// On backends without collectives.
    fn all_reduce_sum(&mut self, values: &mut [f32]) -> Result<()> {
        if self.devices.len() > 1 && !values.is_empty() {
            let mine = Tensor::<1>::from_data(&*values, &self.devices[self.rank]);
            let sums = all_reduce(mine, ReduceOperation::Sum, self.devices.clone()).resolve();
            values.copy_from_slice(&host_values(sums));
        }
        Ok(())
    }
}
