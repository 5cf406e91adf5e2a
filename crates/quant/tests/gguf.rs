//! Files of the reference implementation, read here; and files written here, read by the reference implementation.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use jarre_quant::gguf::{Array, Error, GgufFile, GgufWriter, TensorType, Value};

const WRITTEN: [TensorType; 4] = [TensorType::F16, TensorType::BF16, TensorType::Q8_0, TensorType::Q4_0];

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn read_by_a_thread(file: &GgufFile, name: &str) -> Vec<f32> {
    std::thread::scope(|scope| scope.spawn(|| file.read_f32(name).unwrap()).join().unwrap())
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn every_type_is_dequantised_as_the_reference_does_bit_by_bit() {
    let file = GgufFile::open(golden("types.gguf")).unwrap();
    let expected = std::fs::read(golden("types.f32")).unwrap();
    let mut expected = expected.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes));
    assert_eq!(file.tensors().len(), TensorType::ALL.len());
    for (tensor, one) in file.tensors().iter().zip(TensorType::ALL) {
        assert_eq!((tensor.name(), tensor.tensor_type(), tensor.dims()), (one.name(), one, [256, 2].as_slice()));
        let values = file.read_f32(tensor.name()).unwrap();
        assert_eq!(values.len(), 512);
        assert_eq!(bits(&values), expected.by_ref().take(512).collect::<Vec<_>>(), "{one}");
    }
    assert_eq!(expected.next(), None);
}

#[test]
fn metadata_of_every_type_is_read() {
    let file = GgufFile::open(golden("types.gguf")).unwrap();
    let metadata = file.metadata();
    let expected: [(&str, Value); 20] = [
        ("a.bool", true.into()),
        ("a.f32", 0.1_f32.into()),
        ("a.f64", 0.1_f64.into()),
        ("a.i16", (-30_000_i16).into()),
        ("a.i32", (-2_000_000_000).into()),
        ("a.i64", i64::MIN.into()),
        ("a.i8", (-100_i8).into()),
        ("a.string", "na\u{ef}ve \u{1f600}".into()),
        ("a.u16", 60_000_u16.into()),
        ("a.u32", 4_000_000_000_u32.into()),
        ("a.u64", u64::MAX.into()),
        ("a.u8", 200_u8.into()),
        ("array.bool", vec![true, false, true].into()),
        ("array.f32", vec![0.5_f32, -1.5].into()),
        ("array.i32", vec![1, -2, 3].into()),
        ("array.nested", vec![Array::I32(vec![1, 2]), Array::I32(vec![3])].into()),
        ("array.string", vec!["<s>".to_owned(), String::new(), "\u{2581}the".to_owned()].into()),
        ("array.u64", vec![1, 1_u64 << 63].into()),
        ("general.architecture", "golden".into()),
        ("general.alignment", 32_u32.into()),
    ];
    for (key, value) in &expected[..19] {
        assert_eq!(metadata.get(key), Some(value), "{key}");
    }
    assert_eq!((metadata.len(), file.alignment(), file.version()), (19, 32, 3));
}

#[test]
fn getters_convert_where_nothing_is_lost_and_name_the_key_otherwise() {
    let file = GgufFile::open(golden("types.gguf")).unwrap();
    let metadata = file.metadata();
    assert_eq!(metadata.get_u64("a.u8").unwrap(), 200);
    assert_eq!(metadata.get_u64("a.u64").unwrap(), u64::MAX);
    assert_eq!(metadata.get_i64("a.i16").unwrap(), -30_000);
    assert_eq!(metadata.get_f32("a.f64").unwrap().to_bits(), 0.1_f32.to_bits());
    assert_eq!(metadata.get_i64s("array.i32").unwrap(), [1, -2, 3]);
    assert_eq!(metadata.get_f32s("array.f32").unwrap(), [0.5, -1.5]);
    assert!(metadata.get_bool("a.bool").unwrap());
    let message = |error: Error| error.to_string();
    let missing = message(metadata.get_u64("llama.block_count").unwrap_err());
    assert_eq!(missing, "the metadata has no `llama.block_count`; check which architecture the file is of");
    let negative = message(metadata.get_u64("a.i8").unwrap_err());
    assert_eq!(negative, "`a.i8` is i8 (-100) and not an integer of at least 0; read it as what it is");
    assert!(message(metadata.get_i64("a.u64").unwrap_err()).contains("u64 (18446744073709551615)"));
    assert!(message(metadata.get_i64s("array.u64").unwrap_err()).contains("an array of u64"));
    assert!(message(metadata.get_strings("array.bool").unwrap_err()).contains("`array.bool` is an array of bool"));
    assert!(message(metadata.get_array("a.string").unwrap_err()).contains("`a.string` is string"));
}

#[test]
fn quantised_bytes_are_those_of_the_reference() {
    let file = GgufFile::open(golden("hard.gguf")).unwrap();
    let values = file.read_f32("hard").unwrap();
    let mut writer = GgufWriter::new();
    for one in WRITTEN {
        writer.add_tensor(one.name(), &[32, 32], one, &values).unwrap();
    }
    let mut bytes = Vec::new();
    writer.write_to(&mut bytes).unwrap();
    let written = GgufFile::from_bytes(bytes).unwrap();
    for one in WRITTEN {
        let expected = file.read_raw(&format!("hard.{one}")).unwrap();
        let found = written.read_raw(one.name()).unwrap();
        for (block, (found, expected)) in found.chunks(one.block_bytes()).zip(expected.chunks(one.block_bytes())).enumerate() {
            assert_eq!(found, expected, "block {block} of {one}");
        }
        assert_eq!(found.len(), expected.len());
    }
}

#[test]
fn blocks_are_the_parts_of_what_is_dequantised() {
    let file = GgufFile::open(golden("types.gguf")).unwrap();
    let q8 = file.read_q8_0("Q8_0").unwrap();
    let product = |(index, quant): (usize, i8), scales: &[f32]| scales[index / 32] * f32::from(quant);
    let values: Vec<f32> = q8.quants.iter().copied().enumerate().map(|one| product(one, &q8.scales)).collect();
    assert_eq!(bits(&values), bits(&file.read_f32("Q8_0").unwrap()));
    let q4 = file.read_q4_0("Q4_0").unwrap();
    let values: Vec<f32> = q4.quants().enumerate().map(|one| product(one, &q4.scales)).collect();
    assert_eq!(bits(&values), bits(&file.read_f32("Q4_0").unwrap()));
    assert_eq!((q4.scales.len(), q4.nibbles.len()), (16, 256));
    let error = file.read_q4_0("Q8_0").unwrap_err().to_string();
    assert_eq!(error, "tensor `Q8_0` is of type Q8_0 and not Q4_0; read it with `read_f32`");
    assert!(matches!(file.read_raw("q8_0"), Err(Error::UnknownTensor { name }) if name == "q8_0"));
}

#[test]
fn version_2_and_its_alignment_are_read_from_anywhere() {
    let bytes = std::fs::read(golden("v2.gguf")).unwrap();
    let stream = GgufFile::from_reader(std::io::Cursor::new(bytes.clone())).unwrap();
    for file in [GgufFile::open(golden("v2.gguf")).unwrap(), GgufFile::from_bytes(bytes).unwrap(), stream] {
        assert_eq!((file.version(), file.alignment(), file.data_offset() % 64), (2, 64, 0));
        assert_eq!(file.tensor("b").unwrap().dims(), [4, 3, 2]);
        assert_eq!(file.tensor("b").unwrap().offset(), 64);
        assert_eq!(file.read_f32("a").unwrap(), [0.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(read_by_a_thread(&file, "b"), (0..24_u8).map(f32::from).collect::<Vec<_>>());
    }
}

#[test]
fn a_tensor_of_many_parts_is_whole() {
    let values: Vec<f32> = (0..100_000_u32).map(|i| i as f32).collect();
    let mut writer = GgufWriter::new();
    writer.add_tensor("long", &[100_000], TensorType::F32, &values).unwrap();
    writer.add_tensor("short", &[1], TensorType::F32, &values[7..8]).unwrap();
    let mut bytes = Vec::new();
    writer.write_to(&mut bytes).unwrap();
    let file = GgufFile::from_bytes(bytes).unwrap();
    assert_eq!(file.read_f32("long").unwrap(), values);
    assert_eq!(file.read_raw("long").unwrap().len(), 400_000);
    assert_eq!(file.read_f32("short").unwrap(), [7.0]);
    let mut spoilt = values.clone();
    spoilt[99_999] = f32::INFINITY;
    let mut writer = GgufWriter::new();
    writer.add_tensor("long", &[32, 3125], TensorType::Q8_0, &spoilt).unwrap();
    let error = writer.write_to(&mut std::io::sink()).unwrap_err().to_string();
    assert_eq!(error, "element 99999 of tensor `long` cannot be written: inf cannot be quantised");
}

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.gguf");
    let mut writer = GgufWriter::new();
    writer.add_tensor("t", &[32], TensorType::Q4_0, vec![1.0; 32]).unwrap();
    writer.write(&path).unwrap();
    writer.write(&path).unwrap();
    let before = std::fs::read(&path).unwrap();
    writer.add_tensor("nan", &[32], TensorType::Q4_0, vec![f32::NAN; 32]).unwrap();
    assert!(matches!(writer.write(&path), Err(Error::Unwritable { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
    assert!(matches!(writer.write(folder.path().join("no/folder.gguf")), Err(Error::Io { .. })));
}

#[test]
fn what_no_file_can_hold_is_refused() {
    let mut writer = GgufWriter::new();
    let mut refused =
        |name: &str, dims: &[u64], one, values: usize| writer.add_tensor(name, dims, one, vec![0.0; values]).unwrap_err().to_string();
    assert!(refused("", &[1], TensorType::F32, 1).contains("name is empty"));
    assert!(refused(&"n".repeat(64), &[1], TensorType::F32, 1).contains("at most 63"));
    assert!(refused("t", &[2], TensorType::F32, 1).contains("take 2 values and it has 1"));
    assert!(refused("t", &[256], TensorType::Q4K, 256).contains("Q4_K is only read"));
    assert!(refused("t", &[0], TensorType::F32, 0).contains("is 0"));
    writer.add_tensor("t", &[1], TensorType::F32, vec![0.0]).unwrap();
    assert!(writer.add_raw_tensor("t", &[1], TensorType::F32, vec![0; 4]).unwrap_err().to_string().contains("another of that name"));
    assert!(writer.add_raw_tensor("u", &[256], TensorType::Q6K, vec![0; 209]).unwrap_err().to_string().contains("take 210 bytes"));
    let write_with = |key: &str, value: Value| {
        let mut writer = GgufWriter::new();
        writer.insert(key, value);
        writer.write_to(&mut std::io::sink()).unwrap_err().to_string()
    };
    assert!(write_with("", true.into()).contains("a metadata key"));
    assert!(write_with(&"k".repeat(65_536), true.into()).contains("65536 bytes"));
    assert!(write_with("general.alignment", 4_u32.into()).contains("at least 8"));
    assert!(write_with("general.alignment", 64_u64.into()).contains("has to be u32"));
    let deep = (0..4).fold(Array::U8(vec![1]), |inner, _| Array::Array(vec![inner]));
    assert!(write_with("deep", deep.into()).contains("more than 4 deep"));
}

/// Everything that `check_gguf.py` expects.
fn for_the_reference(values: &[f32], wide: &[f32]) -> GgufWriter<'static> {
    let mut writer = GgufWriter::new();
    writer.set_metadata(GgufFile::open(golden("types.gguf")).unwrap().metadata().clone());
    writer.insert("general.alignment", 64_u32);
    for (name, dims, values) in [("hard", &[32, 32][..], values), ("wide", &[64, 3, 2, 2], wide)] {
        writer.add_tensor(name, dims, TensorType::F32, values.to_vec()).unwrap();
        for one in WRITTEN {
            writer.add_tensor(format!("{name}.{one}"), dims, one, values.to_vec()).unwrap();
        }
    }
    writer
}

#[test]
#[ignore = "needs JARRE_PYTHON, a Python with gguf"]
#[expect(clippy::disallowed_methods, reason = "a test may be told where Python is")]
fn the_reference_reads_what_is_written_and_quantises_alike() {
    let Some(python) = std::env::var_os("JARRE_PYTHON") else { return println!("not run: JARRE_PYTHON names no Python with gguf") };
    let hard = GgufFile::open(golden("hard.gguf")).unwrap().read_f32("hard").unwrap();
    let wide: Vec<f32> = (0..768_u16).map(|i| (f32::from(i) * 0.37).sin() * 3.0).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("written.gguf");
    for_the_reference(&hard, &wide).write(&path).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check_gguf.py");
    let output = std::process::Command::new(python).arg(script).arg(&path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "20 keys and 8 tensors are as the reference has them");
}

/// Copies of these files are in circulation that something took for text: bytes which are not UTF-8 became replacement characters, so that
/// lengths and floats are lost. Those have to be refused; sound copies have to be read.
#[test]
#[ignore = "needs JARRE_DATA"]
#[expect(clippy::disallowed_methods, reason = "a test may be told where the data is")]
fn vocabularies_of_llama_cpp_are_read_if_they_are_sound() {
    let data = std::env::var_os("JARRE_DATA").expect("JARRE_DATA names the folder with the data sets");
    let folder = PathBuf::from(data).join("models/ggml_vocab/models");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|extension| extension == "gguf")).collect();
    assert!(files.len() >= 12, "{files:?}");
    let sound = files.iter().filter(|path| check_vocabulary(path)).count();
    println!("{sound} of {} files are sound", files.len());
}

/// Whether the file is sound; then its vocabulary is checked.
fn check_vocabulary(path: &Path) -> bool {
    let bytes = std::fs::read(path).unwrap();
    let file = match GgufFile::open(path) {
        Ok(file) => file,
        Err(error) => {
            let text = String::from_utf8(bytes).expect("a file with other than text in it is sound");
            assert!(matches!(error, Error::Malformed { .. }) && text.contains('\u{fffd}'), "{error}");
            return false;
        }
    };
    let metadata = file.metadata();
    let tokens = metadata.get_strings("tokenizer.ggml.tokens").unwrap().len();
    assert!(file.tensors().is_empty() && tokens > 30_000, "{}: {tokens} tokens", path.display());
    assert_eq!(metadata.get_i32s("tokenizer.ggml.token_type").unwrap().len(), tokens);
    let has = |key: &str| metadata.get(key).is_some();
    if has("tokenizer.ggml.scores") {
        assert_eq!(metadata.get_f32s("tokenizer.ggml.scores").expect("scores").len(), tokens);
    }
    if has("tokenizer.ggml.merges") {
        assert!(metadata.get_strings("tokenizer.ggml.merges").expect("merges").iter().all(|merge| merge.contains(' ')));
    }
    match metadata.get_str("tokenizer.ggml.model").expect("a kind of vocabulary") {
        "llama" => assert!(has("tokenizer.ggml.scores")),
        "gpt2" => assert!(has("tokenizer.ggml.merges")),
        other => assert!(["bert", "t5", "gemma4"].contains(&other), "{other}"),
    }
    true
}
