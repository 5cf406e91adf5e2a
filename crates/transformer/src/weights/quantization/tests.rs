use std::num::NonZeroUsize;

use jarre_quant::checkpoint::Bits;
use serde_json::{Value, json};

use super::QuantizationConfig;
use crate::weights::groups::{GroupFormat, GroupLayout};

fn config(json: Value) -> QuantizationConfig {
    serde_json::from_value(json).unwrap()
}

/// `base` with some of its fields in another way.
fn changed(mut base: Value, path: &str, value: Value) -> QuantizationConfig {
    let (parent, field) = path.rsplit_once('/').unwrap();
    base.pointer_mut(parent).unwrap()[field] = value;
    config(base)
}

fn packed() -> Value {
    let weights = json!({ "num_bits": 4, "type": "int", "symmetric": true, "strategy": "group", "group_size": 32, "dynamic": false });
    let group = json!({ "weights": weights, "input_activations": null, "targets": ["Linear"] });
    json!({ "quant_method": "compressed-tensors", "format": "pack-quantized", "config_groups": { "group_0": group }, "ignore": ["lm_head"] })
}

#[test]
fn other_schemes_of_rows_are_refused() {
    let config = |format: &str, bits: u32| {
        let weights = json!({ "num_bits": bits, "type": "int", "symmetric": true, "strategy": "channel" });
        let json = json!({ "quant_method": "compressed-tensors", "format": format, "config_groups": { "g": { "weights": weights } } });
        config(json).int8()
    };
    assert!(config("int-quantized", 8).is_ok());
    assert!(config("pack-quantized", 8).is_err());
    assert!(config("int-quantized", 4).unwrap_err().to_string().contains("num_bits: 4"));
}

#[test]
fn each_tool_is_understood() {
    let group = NonZeroUsize::new(32);
    let awq = json!({ "quant_method": "awq", "bits": 4, "group_size": 32, "zero_point": true, "version": "GEMM" });
    assert_eq!(config(awq.clone()).groups().unwrap(), Some(GroupFormat { layout: GroupLayout::Awq, bits: Bits::Four, group }));
    assert!(config(awq).int8().is_err(), "encoders read no four bits");
    let gptq =
        json!({ "quant_method": "gptq", "bits": 4, "group_size": -1, "desc_act": true, "sym": true, "checkpoint_format": "gptq_v2" });
    let layout = GroupLayout::Gptq { ordered: true, second: true };
    assert_eq!(config(gptq).groups().unwrap(), Some(GroupFormat { layout, bits: Bits::Four, group: None }));
    let layout = GroupLayout::Packed { zero_point: false, ordered: false };
    assert_eq!(config(packed()).groups().unwrap(), Some(GroupFormat { layout, bits: Bits::Four, group }));
    let gptq = json!({ "quant_method": "gptq", "bits": 8, "group_size": 32, "desc_act": false, "sym": true });
    let layout_of_gptq = GroupLayout::Gptq { ordered: false, second: false };
    assert_eq!(config(gptq).groups().unwrap(), Some(GroupFormat { layout: layout_of_gptq, bits: Bits::Eight, group }));
    let eight = changed(packed(), "/config_groups/group_0/weights/num_bits", json!(8)).groups().unwrap();
    assert_eq!(eight, Some(GroupFormat { layout, bits: Bits::Eight, group }));
    for (order, ordered) in
        [(json!("group"), true), (json!("dynamic"), true), (json!(true), true), (json!("weight"), false), (json!(false), false)]
    {
        let found = changed(packed(), "/config_groups/group_0/weights/actorder", order).groups().unwrap();
        let layout = GroupLayout::Packed { zero_point: false, ordered };
        assert_eq!(found, Some(GroupFormat { layout, bits: Bits::Four, group }));
    }
    let channel = changed(packed(), "/config_groups/group_0/weights/strategy", json!("channel")).groups().unwrap();
    assert_eq!(channel, Some(GroupFormat { layout, bits: Bits::Four, group: None }));
}

#[test]
fn what_is_not_read_is_named() {
    let awq = || json!({ "quant_method": "awq", "bits": 4, "group_size": 128 });
    let gptq = || json!({ "quant_method": "gptq", "bits": 4, "group_size": 128 });
    let cases = [
        (changed(awq(), "/version", json!("gemv")), "version `gemv`", "supported: gemm"),
        (changed(awq(), "/checkpoint_format", json!("gemv_fast")), "version `gemv_fast`", "supported: gemm"),
        (changed(awq(), "/zero_point", json!(false)), "zero_point `false`", "supported: true"),
        (changed(awq(), "/bits", json!("four")), "invalid type", "supported: "),
        (changed(awq(), "/bits", json!(8)), "bits `8`", "supported: 4"),
        (changed(gptq(), "/bits", json!(3)), "bits `3`", "supported: 4, 8"),
        (changed(gptq(), "/bits", json!(2)), "bits `2`", "supported: 4, 8"),
        (changed(gptq(), "/group_size", json!(0)), "group_size `0`", "-1"),
        (changed(gptq(), "/group_size", json!(-2)), "group_size `-2`", "-1"),
        (changed(gptq(), "/checkpoint_format", json!("marlin")), "checkpoint_format `marlin`", "gptq_v2"),
        (changed(gptq(), "/is_marlin_format", json!(true)), "is_marlin_format `true`", "false"),
        (changed(packed(), "/kv_cache_scheme", json!({ "num_bits": 8 })), "kv_cache_scheme", "null"),
        (changed(packed(), "/sparsity_config", json!({ "format": "sparse-24-bitmask" })), "sparse-24", "dense"),
        (changed(packed(), "/transform_config", json!({ "config_groups": { "R1": {} } })), "transform_config", "null"),
        (changed(packed(), "/config_groups/group_0/input_activations", json!({ "num_bits": 8 })), "input_activations", "null"),
        (changed(packed(), "/config_groups/group_0/weights/num_bits", json!(3)), "num_bits `3`", "supported: 4, 8"),
        (changed(packed(), "/config_groups/group_0/weights/type", json!("float")), "type `float`", "int"),
        (changed(packed(), "/config_groups/group_0/weights/strategy", json!("tensor")), "strategy `tensor`", "channel, group"),
        (changed(packed(), "/config_groups/group_0/weights/actorder", json!("magic")), "actorder `\"magic\"`", "dynamic"),
        (changed(packed(), "/config_groups", json!({})), "config_groups `[]`", "one scheme"),
        (config(json!({ "quant_method": "bitsandbytes", "load_in_4bit": true })), "bitsandbytes", "awq (4 bits"),
    ];
    for (config, found, supported) in cases {
        let error = config.groups().unwrap_err().to_string();
        assert!(error.contains(found) && error.contains(supported), "{error}");
    }
}
