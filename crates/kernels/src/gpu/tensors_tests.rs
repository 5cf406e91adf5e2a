use burn::tensor::{DType, Device, DeviceKind, Int, Tensor, TensorData};

use super::paged_launch::PagedSettings;
use super::tensors::{paged_decode, w4a16_linear, w8a16_linear};
use super::testing::{Random, assert_close, client};

/// The host, and a Vulkan device where there is one.
fn devices() -> Vec<Device> {
    let gpu = client().map(|_| Device::vulkan(DeviceKind::DefaultDevice));
    [Some(Device::flex()), gpu].into_iter().flatten().collect()
}

fn ints<const D: usize>(values: &[u32], shape: [usize; D], device: &Device) -> Tensor<D, Int> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), (device, DType::U32))
}

fn floats<const D: usize>(values: &[f32], shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
}

fn values<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().convert::<f32>().try_into_vec().unwrap()
}

#[test]
fn all_devices_multiply_alike() {
    for device in devices() {
        let x = floats(&[1.0, 10.0, 100.0, 1000.0], [1, 4], &device);
        let codes = ints(&[u32::from_le_bytes([1, 255, 3, 128])], [1, 1], &device);
        assert_eq!(values(w8a16_linear(x, codes, floats(&[0.5], [1], &device))), [0.5 * (1.0 - 10.0 + 300.0 - 128_000.0)]);

        let x = floats(&[1.0, 10.0, 100.0, 1000.0, 0.0, 0.0, 0.0, 1.0], [1, 8], &device);
        let codes = ints(&[0xf000_9870], [1, 1], &device);
        let (scales, zeros) = (floats(&[2.0], [1, 1], &device), floats(&[7.0], [1, 1], &device));
        assert_eq!(values(w4a16_linear(x.clone(), codes.clone(), scales.clone(), None)), [2.0 * 989.0]);
        assert_eq!(values(w4a16_linear(x, codes, scales, Some(zeros))), [2.0 * (-7.0 + 100.0 + 2000.0 + 8.0)]);
    }
}

#[test]
fn all_devices_attend_alike() {
    let (d, block_size, kv_heads) = (8, 4, 2);
    let mut random = Random(10);
    let (q, keys, cached) =
        (random.floats(3 * 4 * d), random.floats(9 * block_size * kv_heads * d), random.floats(9 * block_size * kv_heads * d));
    let tables = [3, 0, 8, 5, u32::MAX, u32::MAX, u32::MAX, u32::MAX, u32::MAX];
    let settings = PagedSettings { scale: 0.5, softcap: Some(3.0), window: Some(6) };
    let found: Vec<_> = devices()
        .iter()
        .map(|device| {
            let cache = |values: &[f32]| floats(values, [9, block_size, kv_heads, d], device);
            let (tables, lengths) = (ints(&tables, [3, 3], device), ints(&[11, 2, 0], [3], device));
            let (out, lse) = paged_decode(floats(&q, [3, 4, d], device), cache(&keys), cache(&cached), tables, lengths, settings);
            (values(out), values(lse))
        })
        .collect();
    assert_eq!(found[0].0[2 * 4 * d..], vec![0.0; 4 * d]);
    for (out, lse) in &found[1..] {
        assert_close(out, &found[0].0, 1e-5, "values");
        assert_close(&lse[..8], &found[0].1[..8], 1e-5, "sums");
    }
}
