//! Folders whose linear layers lie in four or eight bits, as `AutoAWQ`, GPTQ and compressed-tensors store them, beside the same models with these layers
//! multiplied out.
#![expect(clippy::unwrap_used, reason = "tests")]

mod folder;
mod layer;
mod refusals;

use std::path::Path;

use burn::tensor::Device;
use folder::{Folder, Format};
use jarre_kernels::Inputs;
use jarre_transformer::quantize::{Int4Scheme, Quantizer, Scheme};
use jarre_transformer::{CausalModel, Sequences, int8};
use layer::Groups;

const TOLERANCE: f32 = 1e-4;

/// One tensor for each layer, with and without biases, and several layers in one.
const FAMILIES: [&str; 4] = ["llama", "llama_bias", "gemma2", "phi3"];

const NEIGHBOURS: [(Format, Groups); 9] = [
    (Format::Awq, Groups::Neighbours(8)),
    (Format::Awq, Groups::Row),
    (Format::Gptq { bits: 4, second: false, index: false }, Groups::Neighbours(8)),
    (Format::Gptq { bits: 4, second: true, index: true }, Groups::Neighbours(8)),
    (Format::Gptq { bits: 4, second: false, index: true }, Groups::Row),
    (Format::Packed { bits: 4, symmetric: true, index: false }, Groups::Neighbours(8)),
    (Format::Packed { bits: 4, symmetric: false, index: false }, Groups::Neighbours(8)),
    (Format::Packed { bits: 4, symmetric: false, index: false }, Groups::Row),
    (Format::Packed { bits: 4, symmetric: false, index: true }, Groups::Neighbours(8)),
];

const SCATTERED: [(Format, Groups); 4] = [
    (Format::Gptq { bits: 4, second: false, index: true }, Groups::Scattered(8)),
    // 40 inputs make three groups, the last of which is half as large.
    (Format::Gptq { bits: 4, second: true, index: true }, Groups::Scattered(16)),
    (Format::Packed { bits: 4, symmetric: true, index: true }, Groups::Scattered(8)),
    (Format::Packed { bits: 4, symmetric: false, index: true }, Groups::Scattered(16)),
];

/// Eight bits: with and without an order of inputs, rows that are kept as they are and groups that are not.
const EIGHT: [(Format, Groups); 7] = [
    (Format::Gptq { bits: 8, second: false, index: false }, Groups::Neighbours(8)),
    (Format::Gptq { bits: 8, second: true, index: true }, Groups::Neighbours(8)),
    (Format::Gptq { bits: 8, second: false, index: true }, Groups::Scattered(16)),
    (Format::Gptq { bits: 8, second: false, index: true }, Groups::Row),
    (Format::Packed { bits: 8, symmetric: true, index: false }, Groups::Neighbours(8)),
    (Format::Packed { bits: 8, symmetric: false, index: false }, Groups::Row),
    (Format::Packed { bits: 8, symmetric: true, index: true }, Groups::Scattered(8)),
];

fn in_layers(name: &str) -> bool {
    name.starts_with("model.layers.")
}

fn load(folder: &Folder) -> CausalModel {
    CausalModel::from_folder(folder.write().path(), &Device::default()).unwrap()
}

fn load_packed(folder: &Path, inputs: Inputs) -> CausalModel {
    CausalModel::from_packed_folder(folder, inputs, &Device::default()).unwrap()
}

fn logits(model: &CausalModel) -> Vec<f32> {
    let tokens = Sequences::right_padded(&[&[1, 5, 9, 40, 33, 2, 17, 8, 60]], 0);
    model.decoder().forward(&tokens).into_data().try_into_vec().unwrap()
}

fn largest(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// The root mean square of the differences as a share of that of `theirs`.
fn share(ours: &[f32], theirs: &[f32]) -> f32 {
    let change: f32 = ours.iter().zip(theirs).map(|(a, b)| (a - b).powi(2)).sum();
    (change / theirs.iter().map(|x| x.powi(2)).sum::<f32>()).sqrt()
}

#[test]
fn logits_are_those_of_the_multiplied_out_weights() {
    for family in FAMILIES {
        let float = logits(&load(&Folder::read(family)));
        for (format, groups) in NEIGHBOURS.into_iter().chain(SCATTERED) {
            let twin = logits(&load(&Folder::twin(family, format, groups, in_layers)));
            let ours = logits(&load(&Folder::rounded(family, format, groups, in_layers)));
            let worst = largest(&ours, &twin);
            println!("{family:12} {format:?} {groups:?}: {worst:.1e}, {:.2} of the float model", share(&ours, &float));
            assert!(worst < TOLERANCE, "{family} {format:?} {groups:?}: {worst}");
            assert!(largest(&twin, &float) > 100.0 * TOLERANCE, "rounding has to be seen");
        }
    }
}

#[test]
fn eight_bits_are_read_as_their_values() {
    for family in FAMILIES {
        let float = logits(&load(&Folder::read(family)));
        for (format, groups) in EIGHT {
            let twin = logits(&load(&Folder::twin(family, format, groups, in_layers)));
            let folder = Folder::rounded(family, format, groups, in_layers).write();
            let read = CausalModel::from_folder(folder.path(), &Device::default()).unwrap();
            let (worst, rounding) = (largest(&logits(&read), &twin), share(&twin, &float));
            assert!(worst < TOLERANCE && rounding > 0.0 && rounding < 0.05, "{family} {format:?} {groups:?}: {worst} {rounding}");
            // No code has a place in packed weights, as each row has several groups or a zero point.
            let floats = load_packed(folder.path(), Inputs::Float);
            assert!(!floats.decoder().is_packed() && largest(&logits(&floats), &twin) < TOLERANCE, "{family} {format:?} {groups:?}");
            let quantizer = Quantizer::new(Scheme::Int8).with_inputs(Inputs::Float);
            let rows = CausalModel::from_folder_quantized(folder.path(), &quantizer, &Device::default()).unwrap();
            let lost = share(&logits(&rows), &twin);
            println!("{family:12} {format:?} {groups:?}: {worst:.1e}, {rounding:.4} of the float model, {lost:.4} more as rows");
            assert!(rows.decoder().is_packed() && lost > 0.0 && lost < 0.05, "{family} {format:?} {groups:?}: {lost}");
        }
    }
}

#[test]
fn rows_of_eight_bits_are_kept_where_the_middle_code_is_zero() {
    let format = Format::Packed { bits: 8, symmetric: true, index: false };
    for family in FAMILIES {
        let folder = Folder::rounded(family, format, Groups::Row, in_layers).write();
        let twin = logits(&load(&Folder::twin(family, format, Groups::Row, in_layers)));
        let kept = load_packed(folder.path(), Inputs::Float);
        let exact = share(&logits(&kept), &twin);
        assert!(kept.decoder().is_packed() && exact < 1e-5, "{family}: {exact}");
        // The folder rounds no inputs.
        assert!(!load_packed(folder.path(), Inputs::Int8).decoder().is_packed());
        let [four, eight] = [Scheme::Int4(Int4Scheme::symmetric(8)), Scheme::Int8].map(|scheme| {
            CausalModel::from_folder_quantized(folder.path(), &Quantizer::new(scheme), &Device::default()).unwrap().decoder().weight_bytes()
        });
        assert!(four < eight, "{four} {eight}");
    }
}

#[test]
fn codes_of_neighbours_are_kept_where_that_is_asked_for() {
    for family in FAMILIES {
        for (format, groups) in NEIGHBOURS {
            let folder = Folder::rounded(family, format, groups, in_layers).write();
            let float = CausalModel::from_folder(folder.path(), &Device::default()).unwrap();
            let [kept, rounded] = [Inputs::Float, Inputs::Int8].map(|inputs| load_packed(folder.path(), inputs));
            let expected = logits(&float);
            let [exact, near] = [&kept, &rounded].map(|model| share(&logits(model), &expected));
            println!("{family:12} {format:?} {groups:?}: inputs of f32 {exact:.1e}, of int8 {near:.1e}");
            assert!(exact < 1e-5 && near > 0.0 && near < 0.05, "{family} {format:?} {groups:?}: {exact} {near}");
            assert!(kept.decoder().is_packed() && !float.decoder().is_packed());
            assert!(kept.decoder().weight_bytes() < float.decoder().weight_bytes());
        }
    }
}

#[test]
fn layers_that_cannot_be_multiplied_as_they_are_become_floats_or_are_packed_anew() {
    for (format, groups) in
        SCATTERED.into_iter().chain([(Format::Packed { bits: 4, symmetric: true, index: false }, Groups::Neighbours(4))])
    {
        let folder = Folder::rounded("llama", format, groups, in_layers).write();
        let model = load_packed(folder.path(), Inputs::Float);
        assert!(!model.decoder().is_packed(), "{format:?} {groups:?}");
        let expected = logits(&model);
        let packed = model.quantized(&Quantizer::new(Scheme::Int8), &[]).unwrap();
        let found = share(&logits(&packed), &expected);
        assert!(packed.decoder().is_packed() && found > 0.0 && found < 0.05, "{format:?} {groups:?}: {found}");
    }
}

#[test]
fn what_a_folder_holds_decides_which_layers_have_four_bits() {
    let format = Format::Gptq { bits: 4, second: false, index: true };
    for which in [|name: &str| name.contains(".mlp."), |name: &str| in_layers(name) || name == "lm_head.weight"] {
        let twin = logits(&load(&Folder::twin("llama", format, Groups::Neighbours(8), which)));
        let folder = Folder::rounded("llama", format, Groups::Neighbours(8), which);
        assert!(largest(&logits(&load(&folder)), &twin) < TOLERANCE);
        let kept = load_packed(folder.write().path(), Inputs::Float);
        assert!(kept.decoder().is_packed() && share(&logits(&kept), &twin) < 1e-5);
    }
}

#[test]
fn eight_bits_can_be_made_of_four() {
    let folder = Folder::rounded("llama", Format::Awq, Groups::Neighbours(8), in_layers).write();
    let target = tempfile::tempdir().unwrap();
    int8::quantize_folder(folder.path(), target.path()).unwrap();
    let [four, eight] = [folder.path(), target.path()].map(|path| logits(&CausalModel::from_folder(path, &Device::default()).unwrap()));
    assert!(share(&eight, &four) < 0.05);
}
