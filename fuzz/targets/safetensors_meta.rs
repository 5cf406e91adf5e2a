//! Layers of four bits in safetensors files: names, types and shapes of the header are whatever the bytes say, and what is accepted gives
//! as many numbers as its sizes promise.
#![no_main]

use jarre_quant::checkpoint::{PackedLayer, awq, compressed_tensors, gptq};
use libfuzzer_sys::fuzz_target;
use safetensors::{Dtype, SafeTensors};

fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = SafeTensors::deserialize(bytes) else { return };
    for layer in [auto_awq(&file), auto_gptq(&file, false), auto_gptq(&file, true), pack_quantized(&file)].into_iter().flatten() {
        let values = layer.dequantize();
        assert_eq!(values.len(), layer.outputs() * layer.inputs());
        if let Some(groups) = layer.to_groups() {
            assert_eq!(groups.dequantize(), values);
        }
    }
});

fn auto_awq(file: &SafeTensors<'_>) -> Option<PackedLayer> {
    let sizes = [sides(file, "scales")?[1], sides(file, "qweight")?[0]];
    awq(&integers(file, "qweight")?, &integers(file, "qzeros")?, &numbers(file, "scales")?, sizes).ok()
}

fn auto_gptq(file: &SafeTensors<'_>, second: bool) -> Option<PackedLayer> {
    let [words, outputs] = sides(file, "qweight")?;
    let (codes, zeros) = (integers(file, "qweight")?, integers(file, "qzeros")?);
    let group_of = integers(file, "g_idx");
    gptq(&codes, &zeros, &numbers(file, "scales")?, group_of.as_deref(), [outputs, words.checked_mul(8)?], second).ok()
}

fn pack_quantized(file: &SafeTensors<'_>) -> Option<PackedLayer> {
    let shape = integers(file, "weight_shape")?;
    let [outputs, inputs] = [usize::try_from(*shape.first()?).ok()?, usize::try_from(*shape.get(1)?).ok()?];
    let zeros = integers(file, "weight_zero_point");
    compressed_tensors(&integers(file, "weight_packed")?, &numbers(file, "weight_scale")?, zeros.as_deref(), [outputs, inputs]).ok()
}

fn sides(file: &SafeTensors<'_>, name: &str) -> Option<[usize; 2]> {
    file.tensor(name).ok()?.shape().try_into().ok()
}

fn integers(file: &SafeTensors<'_>, name: &str) -> Option<Vec<i32>> {
    let tensor = file.tensor(name).ok().filter(|tensor| tensor.dtype() == Dtype::I32)?;
    Some(tensor.data().as_chunks().0.iter().copied().map(i32::from_le_bytes).collect())
}

fn numbers(file: &SafeTensors<'_>, name: &str) -> Option<Vec<f32>> {
    let tensor = file.tensor(name).ok().filter(|tensor| tensor.dtype() == Dtype::F32)?;
    Some(tensor.data().as_chunks().0.iter().copied().map(f32::from_le_bytes).collect())
}
