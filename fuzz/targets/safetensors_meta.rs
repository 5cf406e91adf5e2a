//! Layers of four and eight bits in safetensors files: names, types and shapes of the header are whatever the bytes say, and what is accepted gives
//! as many numbers as its sizes promise.
#![no_main]

use jarre_quant::checkpoint::{Bits, GptqFormat, PackQuantized, PackedLayer, awq, compressed_tensors, gptq};
use libfuzzer_sys::fuzz_target;
use safetensors::{Dtype, SafeTensors};

fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = SafeTensors::deserialize(bytes) else { return };
    let widths = [Bits::Four, Bits::Eight].into_iter().flat_map(|bits| {
        let gptq = [false, true].map(|second| auto_gptq(&file, GptqFormat { bits, second }));
        gptq.into_iter().chain([pack_quantized(&file, bits)])
    });
    for layer in widths.chain([auto_awq(&file)]).flatten() {
        let values = layer.dequantize();
        assert_eq!(values.len(), layer.outputs() * layer.inputs());
        if let Some(groups) = layer.to_groups() {
            assert_eq!(groups.dequantize(), values);
            if let Ok(written) = PackQuantized::of(&groups) {
                let PackQuantized { weight_packed, weight_scale, weight_zero_point } = written;
                let dims = [layer.outputs(), layer.inputs()];
                let again = compressed_tensors(&weight_packed, &weight_scale, weight_zero_point.as_deref(), None, dims, Bits::Four);
                assert_eq!(again.expect("what was written is read").to_groups(), Some(groups));
            }
        }
        if let Some(rows) = layer.to_rows() {
            assert_eq!(rows.dequantize(), values);
        }
    }
});

fn auto_awq(file: &SafeTensors<'_>) -> Option<PackedLayer> {
    let sizes = [sides(file, "scales")?[1], sides(file, "qweight")?[0]];
    awq(&integers(file, "qweight")?, &integers(file, "qzeros")?, &numbers(file, "scales")?, sizes).ok()
}

fn auto_gptq(file: &SafeTensors<'_>, format: GptqFormat) -> Option<PackedLayer> {
    let [words, outputs] = sides(file, "qweight")?;
    let (codes, zeros) = (integers(file, "qweight")?, integers(file, "qzeros")?);
    let group_of = integers(file, "g_idx");
    gptq(&codes, &zeros, &numbers(file, "scales")?, group_of.as_deref(), [outputs, words.checked_mul(format.bits.per_word())?], format).ok()
}

fn pack_quantized(file: &SafeTensors<'_>, bits: Bits) -> Option<PackedLayer> {
    let shape = integers(file, "weight_shape")?;
    let [outputs, inputs] = [usize::try_from(*shape.first()?).ok()?, usize::try_from(*shape.get(1)?).ok()?];
    let (zeros, group_of) = (integers(file, "weight_zero_point"), integers(file, "weight_g_idx"));
    let (packed, scales) = (integers(file, "weight_packed")?, numbers(file, "weight_scale")?);
    compressed_tensors(&packed, &scales, zeros.as_deref(), group_of.as_deref(), [outputs, inputs], bits).ok()
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
