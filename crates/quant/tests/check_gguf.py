"""Reads a file of GgufWriter with the reference implementation: python check_gguf.py FILE (`gguf.rs` runs it, if told where Python is).

Tensors `NAME` of F32 have to be there in other types as `NAME.TYPE`, with the bytes that the reference makes of the same values.
"""

import sys

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGUFReader, GGUFValueType
from gguf.quants import dequantize, quantize

METADATA = {
    "a.u8": ("UINT8", 200),
    "a.i8": ("INT8", -100),
    "a.u16": ("UINT16", 60_000),
    "a.i16": ("INT16", -30_000),
    "a.u32": ("UINT32", 4_000_000_000),
    "a.i32": ("INT32", -2_000_000_000),
    "a.u64": ("UINT64", 2**64 - 1),
    "a.i64": ("INT64", -(2**63)),
    "a.f32": ("FLOAT32", float(np.float32(0.1))),
    "a.f64": ("FLOAT64", 0.1),
    "a.bool": ("BOOL", True),
    "a.string": ("STRING", "na\u00efve \U0001f600"),
    "array.string": ("STRING", ["<s>", "", "\u2581the"]),
    "array.i32": ("INT32", [1, -2, 3]),
    "array.f32": ("FLOAT32", [0.5, -1.5]),
    "array.bool": ("BOOL", [True, False, True]),
    "array.u64": ("UINT64", [1, 2**63]),
    "array.nested": ("INT32", [1, 2, 3]),  # The reference reads nested arrays flat.
    "general.architecture": ("STRING", "golden"),
    "general.alignment": ("UINT32", 64),
}


def check_metadata(reader):
    keys = {key for key in reader.fields if not key.startswith("GGUF.")}
    assert keys == set(METADATA), keys ^ set(METADATA)
    for key, (kind, expected) in METADATA.items():
        field = reader.get_field(key)
        assert field.types[-1] == GGUFValueType[kind], (key, field.types)
        assert field.contents() == expected, (key, field.contents(), expected)


def check_tensors(reader):
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    checked = 0
    for name, tensor in tensors.items():
        assert tensor.data_offset % 64 == 0, name
        source, _, kind = name.rpartition(".")
        if not source:
            continue
        values = tensors[source].data
        with np.errstate(all="ignore"):
            expected = quantize(values, Type[kind])
        assert tensor.tensor_type == Type[kind], name
        assert list(tensor.shape) == list(tensors[source].shape), name
        assert tensor.data.tobytes() == expected.tobytes(), f"{name}: other bytes than the reference's"
        dequantize(tensor.data, Type[kind])
        checked += 1
    return checked


if __name__ == "__main__":
    file = GGUFReader(sys.argv[1])
    check_metadata(file)
    print(f"{len(METADATA)} keys and {check_tensors(file)} tensors are as the reference has them")
