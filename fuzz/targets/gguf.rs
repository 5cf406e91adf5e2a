//! GGUF files: whatever opens keeps what its directory promises, tensor by tensor, and is the same once it was written again.
#![no_main]

use jarre_quant::gguf::{GgufFile, GgufWriter, TensorType};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = GgufFile::from_bytes(bytes.to_vec()) else { return };
    for tensor in file.tensors() {
        let values = file.read_f32(tensor.name()).expect("the data lie inside the file");
        assert_eq!(values.len() as u64, tensor.elements(), "{tensor:?}");
        match tensor.tensor_type() {
            TensorType::Q8_0 => assert_eq!(file.read_q8_0(tensor.name()).expect("it is of that type").quants.len(), values.len()),
            TensorType::Q4_0 => assert_eq!(file.read_q4_0(tensor.name()).expect("it is of that type").quants().count(), values.len()),
            _ => {}
        }
    }
    // The writer is stricter: short names, and alignments of at least 8.
    if file.alignment() <= 1 << 16
        && let Some(written) = write(&file)
    {
        let again = GgufFile::from_bytes(written).expect("what is written is sound");
        assert_eq!(format!("{:?}", again.metadata()), format!("{:?}", file.metadata()));
        assert_eq!(again.tensors().len(), file.tensors().len());
        for tensor in file.tensors() {
            assert_eq!(again.read_raw(tensor.name()).ok(), file.read_raw(tensor.name()).ok(), "{tensor:?}");
        }
    }
});

fn write(file: &GgufFile) -> Option<Vec<u8>> {
    let mut writer = GgufWriter::new();
    writer.set_metadata(file.metadata().clone());
    for tensor in file.tensors() {
        let raw = file.read_raw(tensor.name()).ok()?;
        writer.add_raw_tensor(tensor.name(), tensor.dims(), tensor.tensor_type(), raw).ok()?;
    }
    let mut bytes = Vec::new();
    writer.write_to(&mut bytes).ok()?;
    Some(bytes)
}
