//! What is wrong with such a folder is said by name, and nothing in it makes the loader panic.

use burn::tensor::Device;
use jarre_transformer::{CausalModel, Error};
use serde_json::json;

use crate::folder::{Folder, Format, Stored};
use crate::layer::Groups;
use crate::{TOLERANCE, in_layers, largest, load, logits};

const GPTQ: Format = Format::Gptq { bits: 4, second: false, index: true };
const PACKED: Format = Format::Packed { bits: 4, symmetric: true, index: false };
const QUERY: &str = "model.layers.0.self_attn.q_proj";
const DOWN: &str = "model.layers.1.mlp.down_proj";

fn folder(format: Format) -> Folder {
    Folder::rounded("llama", format, Groups::Neighbours(8), in_layers)
}

fn error(folder: &Folder) -> Error {
    CausalModel::from_folder(folder.write().path(), &Device::default()).unwrap_err()
}

fn put(folder: &mut Folder, name: &str, tensor: Stored) {
    folder.tensors.insert(name.to_owned(), tensor);
}

fn indices(values: [u32; 32]) -> Stored {
    Stored::words(&[32, 1], |row, _| values[row]).with_shape(&[32])
}

#[test]
fn a_missing_an_unexpected_and_a_misshapen_tensor_are_listed_in_one_error() {
    let mut folder = folder(Format::Awq);
    folder.tensors.remove(&format!("{QUERY}.qzeros"));
    folder.tensors.remove("model.norm.weight");
    put(&mut folder, "model.layers.7.mlp.up_proj.qweight", Stored::words(&[2, 2], |_, _| 0));
    put(&mut folder, &format!("{DOWN}.qweight"), Stored::words(&[5, 32], |_, _| 0));
    put(&mut folder, &format!("{DOWN}.qzeros"), Stored::floats(&[5, 4], &[0.0; 20]));
    let Error::Weights { missing, unexpected, misshapen } = error(&folder) else { panic!("a weights error was expected") };
    assert_eq!(missing, [format!("{QUERY}.qzeros"), "model.norm.weight".to_owned()]);
    assert_eq!(unexpected, ["model.layers.7.mlp.up_proj.qweight"]);
    assert_eq!(misshapen, [format!("{DOWN}.qweight [5, 32] instead of [40, 4]"), format!("{DOWN}.qzeros of type F32 instead of I32")]);
}

#[test]
fn a_weight_beside_its_own_codes_is_one_too_many() {
    let mut folder = folder(PACKED);
    put(&mut folder, &format!("{QUERY}.weight"), Stored::floats(&[32, 32], &[0.0; 1024]));
    let error = error(&folder).to_string();
    assert!(error.contains("unexpected") && error.contains(&format!("{QUERY}.weight_packed")), "{error}");
}

#[test]
fn biases_of_zeros_may_be_there() {
    let mut folder = folder(GPTQ);
    let before = logits(&load(&folder));
    let bias = format!("{QUERY}.bias");
    put(&mut folder, &bias, Stored::floats(&[32], &[0.0; 32]));
    assert!(largest(&logits(&load(&folder)), &before) < TOLERANCE);
    put(&mut folder, &bias, Stored::floats(&[32], &[0.5; 32]));
    assert!(error(&folder).to_string().contains(&format!("unexpected: {bias}")));
    put(&mut folder, &bias, Stored::words(&[32, 1], |_, _| 0));
    assert!(error(&folder).to_string().contains(&format!("unexpected: {bias}")));
}

#[test]
fn an_order_of_inputs_has_to_fit() {
    let mut outside = folder(GPTQ);
    put(&mut outside, &format!("{QUERY}.g_idx"), indices([4; 32]));
    assert!(error(&outside).to_string().contains(&format!("{QUERY}: `g_idx`")));
    put(&mut outside, &format!("{QUERY}.g_idx"), indices([u32::MAX; 32]));
    assert!(error(&outside).to_string().contains(&format!("{QUERY}: `g_idx`")));

    let mut absent = Folder::rounded("llama", GPTQ, Groups::Scattered(8), in_layers);
    absent.tensors.remove(&format!("{QUERY}.g_idx"));
    assert!(error(&absent).to_string().contains(&format!("missing: {QUERY}.g_idx")));

    let mut packed = folder(PACKED);
    let plain = logits(&load(&packed));
    for group in [4, u32::MAX - 1] {
        put(&mut packed, &format!("{QUERY}.weight_g_idx"), indices([group; 32]));
        assert!(error(&packed).to_string().contains(&format!("{QUERY}: `weight_g_idx`")));
    }
    put(&mut packed, &format!("{QUERY}.weight_g_idx"), indices([0; 32]).with_shape(&[2, 16]));
    assert!(error(&packed).to_string().contains(&format!("{QUERY}.weight_g_idx [2, 16] instead of [32]")));
    // An index that was never set says nothing.
    put(&mut packed, &format!("{QUERY}.weight_g_idx"), indices([u32::MAX; 32]));
    assert!(largest(&logits(&load(&packed)), &plain) < TOLERANCE);

    let mut absent = Folder::rounded("llama", Format::Packed { bits: 4, symmetric: true, index: true }, Groups::Scattered(8), in_layers);
    absent.tensors.remove(&format!("{QUERY}.weight_g_idx"));
    assert!(error(&absent).to_string().contains(&format!("missing: {QUERY}.weight_g_idx")));
}

#[test]
fn sizes_have_to_fit() {
    let mut shape = folder(PACKED);
    let size = |sizes: [i64; 2]| Stored::new(safetensors::Dtype::I64, &[2], sizes.iter().flat_map(|size| size.to_le_bytes()).collect());
    for sizes in [[32, 31], [-1, 32], [i64::MAX, i64::MIN]] {
        put(&mut shape, &format!("{DOWN}.weight_shape"), size(sizes));
        assert!(error(&shape).to_string().contains(&format!("{DOWN}: `weight_shape` holds")));
    }
    let mut scale = folder(PACKED);
    put(&mut scale, &format!("{QUERY}.weight_scale"), Stored::floats(&[32, 4], &[f32::INFINITY; 128]));
    assert!(error(&scale).to_string().contains(&format!("{QUERY}: value 0 is not finite")));

    let mut group = folder(Format::Awq);
    for size in [json!(16), json!(64), json!(i64::MAX)] {
        group.config["quantization_config"]["group_size"] = size.clone();
        let error = error(&group).to_string();
        assert!(error.contains(&format!("groups of {size} do not divide")), "{error}");
    }
}

#[test]
fn enormous_models_are_refused_before_anything_is_allocated() {
    for format in [Format::Awq, GPTQ, PACKED] {
        for (field, size) in [("intermediate_size", 1_u32 << 28), ("vocab_size", 1 << 28), ("intermediate_size", (1 << 27) + 1)] {
            let mut folder = folder(format);
            folder.config[field] = json!(size);
            let error = error(&folder);
            assert!(matches!(error, Error::Weights { .. }), "{format:?} {field}: {error}");
        }
    }
}

#[test]
fn other_layouts_are_refused_by_field() {
    let refusal = |format, field: &str, value| {
        let mut folder = folder(format);
        folder.config["quantization_config"][field] = value;
        error(&folder).to_string()
    };
    assert!(refusal(GPTQ, "bits", json!(3)).contains("quantization_config.bits `3` is not supported; supported: 4, 8"));
    assert!(refusal(Format::Awq, "bits", json!(8)).contains("quantization_config.bits `8` is not supported; supported: 4"));
    assert!(
        refusal(Format::Awq, "version", json!("gemv")).contains("quantization_config.version `gemv` is not supported; supported: gemm")
    );
    assert!(refusal(PACKED, "format", json!("nvfp4-pack-quantized")).contains("nvfp4-pack-quantized"));
}

#[test]
fn eight_bits_have_to_fit() {
    let eight = Format::Gptq { bits: 8, second: false, index: true };
    let mut four = folder(eight);
    four.config["quantization_config"]["bits"] = json!(4);
    assert!(error(&four).to_string().contains(&format!("{DOWN}.qweight [10, 32] instead of [5, 32]")));
    let mut outside = folder(eight);
    put(&mut outside, &format!("{QUERY}.g_idx"), indices([4; 32]));
    assert!(error(&outside).to_string().contains(&format!("{QUERY}: `g_idx`")));
    let mut zeros = folder(eight);
    put(&mut zeros, &format!("{QUERY}.qzeros"), Stored::words(&[4, 4], |_, _| 0));
    assert!(error(&zeros).to_string().contains(&format!("{QUERY}.qzeros [4, 4] instead of [4, 8]")));
}

#[test]
fn models_whose_weights_stand_the_other_way_round_are_refused() {
    let mut folder = Folder::read("gpt2");
    folder.config["quantization_config"] = json!({ "quant_method": "gptq", "bits": 4, "group_size": 32 });
    assert!(error(&folder).to_string().contains("architecture in four bits `gpt2`"));
}
