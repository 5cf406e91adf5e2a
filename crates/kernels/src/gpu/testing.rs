//! Devices and numbers for tests.

use cubecl::Device;
use cubecl::client::Client;
use cubecl::prelude::{CubeElement, Scalar};
use cubecl::wgpu::WgpuDeviceKind;

use super::buffer::Buffer;

/// A graphics processor that Vulkan reaches. Without one, tests that want it say so and pass: software devices are left out, as the shader
/// compiler of some (lavapipe's, of Mesa 22 and 25) ends the process on kernels of `CubeCL`.
pub(super) fn client() -> Option<Client> {
    let kinds = [WgpuDeviceKind::DiscreteGpu(0), WgpuDeviceKind::IntegratedGpu(0), WgpuDeviceKind::VirtualGpu(0)];
    let device = kinds.into_iter().find_map(|kind| Device::vulkan(kind).ok());
    if device.is_none() {
        println!("skipped: no graphics processor with Vulkan here");
    }
    device.map(|device| device.client())
}

pub(super) fn upload<T: CubeElement + Scalar>(client: &Client, values: &[T]) -> Buffer {
    let handle = client.create_from_slice(T::as_bytes(values));
    Buffer::new(handle, values.len(), T::elem_type_native())
}

pub(super) fn download<T: CubeElement>(client: &Client, buffer: &Buffer) -> Vec<T> {
    let bytes = client.read_one_unchecked(buffer.handle.clone());
    T::from_bytes(&bytes)[..buffer.len].to_vec()
}

/// Numbers that look random ([SplitMix64](https://doi.org/10.1145/2714064.2660195)).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Less than `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Between -1 and 1.
    pub(super) fn float(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    pub(super) fn floats(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.float()).collect()
    }
}

/// Whether numbers agree within `tolerance` of the largest.
pub(super) fn assert_close(found: &[f32], wanted: &[f32], tolerance: f32, case: &str) {
    assert_eq!(found.len(), wanted.len(), "{case}");
    let largest = wanted.iter().fold(1e-6_f32, |most, value| most.max(value.abs()));
    for (index, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        let near = (found - wanted).abs() <= tolerance * largest;
        assert!(near, "{case}: {found} for {wanted} at {index}, largest {largest}");
    }
}
