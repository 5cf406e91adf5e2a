"""Makes the fixtures of `gguf.rs` with the reference implementation: pip install gguf==0.19.0 numpy==2.4.6; python make_gguf.py

golden/types.gguf   one tensor of each type, 256 x 2 elements, and metadata of each type
golden/types.f32    the dequantised values of its tensors, one after another, little-endian
golden/hard.gguf    values that are hard to round (`hard`), and what the reference makes of them (`hard.F16`, `hard.Q8_0`, ...)
golden/v2.gguf      a file of version 2, whose tensors are aligned to 64 bytes

Seeded: the same versions of gguf and numpy give the same bytes.
"""

import struct
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGUFReader, GGUFValueType, GGUFWriter
from gguf.constants import GGML_QUANT_SIZES
from gguf.quants import dequantize, quantize

GOLDEN = Path(__file__).parent / "golden"
WRITTEN = [Type.F16, Type.BF16, Type.Q8_0, Type.Q4_0]
QUANTIZED = [*WRITTEN, Type.Q4_1, Type.Q5_0, Type.Q5_1]
# Where the binary16 numbers of a block are; the rest of it may be any bytes.
SCALES = {Type.Q4_K: [0, 2], Type.Q5_K: [0, 2], Type.Q6_K: [208]}
SHAPE = (2, 256)


def any_blocks(rng, kind):
    """Blocks of random bits with scales of either sign, among them a zero and a subnormal one."""
    length, size = GGML_QUANT_SIZES[kind]
    count = SHAPE[0] * SHAPE[1] // length
    blocks = rng.integers(0, 256, (count, size), dtype=np.uint8)
    for at in SCALES[kind]:
        scales = rng.normal(0, 0.01, count).astype(np.float16)
        scales[-1] = np.float16(3e-6) if at else np.float16(-0.02)
        blocks[:, at : at + 2] = scales.view(np.uint8).reshape(count, 2)
    return blocks.reshape(SHAPE[0], -1)


def add_metadata(writer):
    writer.add_uint8("a.u8", 200)
    writer.add_int8("a.i8", -100)
    writer.add_uint16("a.u16", 60_000)
    writer.add_int16("a.i16", -30_000)
    writer.add_uint32("a.u32", 4_000_000_000)
    writer.add_int32("a.i32", -2_000_000_000)
    writer.add_uint64("a.u64", 2**64 - 1)
    writer.add_int64("a.i64", -(2**63))
    writer.add_float32("a.f32", 0.1)
    writer.add_float64("a.f64", 0.1)
    writer.add_bool("a.bool", True)
    writer.add_string("a.string", "na\u00efve \U0001f600")
    writer.add_array("array.string", ["<s>", "", "\u2581the"])
    writer.add_array("array.i32", [1, -2, 3])
    writer.add_array("array.f32", [0.5, -1.5])
    writer.add_array("array.bool", [True, False, True])
    writer.add_key_value("array.u64", [1, 2**63], GGUFValueType.ARRAY, sub_type=GGUFValueType.UINT64)
    writer.add_array("array.nested", [[1, 2], [3]])


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def make_types(rng):
    values = rng.normal(0, 1, SHAPE).astype(np.float32)
    tensors = [("F32", values, Type.F32)]
    tensors += [(kind.name, quantize(values, kind), kind) for kind in QUANTIZED]
    tensors += [(kind.name, any_blocks(rng, kind), kind) for kind in SCALES]
    writer = GGUFWriter(GOLDEN / "types.gguf", "golden")
    add_metadata(writer)
    for name, data, kind in tensors:
        writer.add_tensor(name, data, raw_dtype=kind)
    finish(writer)
    golden = [dequantize(data, kind).astype("<f4").tobytes() for _, data, kind in tensors]
    (GOLDEN / "types.f32").write_bytes(b"".join(golden))


def hard_values(rng):
    """Blocks of zeros of either sign, of one value, with extrema twice, with ties, tiny, huge, and of many magnitudes."""
    ties = np.arange(-16, 16, dtype=np.float32) + np.float32(0.5)
    rows = [
        np.zeros(32),
        np.full(32, -0.0),
        np.full(32, 0.3),
        np.where(np.arange(32) % 2, 7.25, -7.25),
        np.where(np.arange(32) % 2, -7.25, 7.25),
        np.concatenate([[127.0], ties[1:]]),
        np.concatenate([[-8.0], ties[9:25], ties[9:24]]),
        np.full(32, 1e-45),
        # One over its scale overflows below 1e-37, and what the reference makes of infinity is up to the processor.
        rng.normal(0, 1e-36, 32),
        rng.normal(0, 1e-7, 32),
        rng.normal(0, 1e-3, 32),
        rng.normal(0, 1e4, 32),
        rng.uniform(-1, 1, 32) * np.exp2(rng.integers(-30, 15, 32)),
    ]
    rows += [rng.normal(0, 0.02, 32) for _ in range(19)]
    return np.stack(rows).astype(np.float32)


def make_hard(rng):
    values = hard_values(rng)
    writer = GGUFWriter(GOLDEN / "hard.gguf", "golden")
    writer.add_tensor("hard", values)
    for kind in WRITTEN:
        with np.errstate(all="ignore"):
            writer.add_tensor(f"hard.{kind.name}", quantize(values, kind), raw_dtype=kind)
    finish(writer)


def make_version_2():
    path = GOLDEN / "v2.gguf"
    writer = GGUFWriter(path, "golden")
    writer.add_custom_alignment(64)
    writer.add_tensor("a", np.arange(5, dtype=np.float32))
    writer.add_tensor("b", np.arange(24, dtype=np.float32).reshape(2, 3, 4))
    finish(writer)
    content = bytearray(path.read_bytes())
    content[4:8] = struct.pack("<I", 2)
    path.write_bytes(content)
    assert len(GGUFReader(path).tensors) == 2


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    generator = np.random.default_rng(20_26)
    make_types(generator)
    make_hard(generator)
    make_version_2()
