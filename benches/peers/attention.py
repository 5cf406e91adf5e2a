"""Attention beside torch's scaled_dot_product_attention, in turn on the same machine: one table of ratios.

    cargo build --example attention_rate
    pip install torch
    python benches/peers/attention.py target/debug/examples/attention_rate [--json]

Both sides read query, key and value where one product left them, side by side in a row, in f32 and in bf16. Ours reads f32 in both and
rounds it on the way; torch reads what each says.
"""

import statistics
import subprocess
import time

import side_by_side
import torch

# Causal or not, sequences, tokens, heads, width of a head.
CASES = [
    ("causal", 1, 2048, 12, 64), ("causal", 1, 8192, 12, 64), ("causal", 1, 2048, 8, 128),
    ("full", 1, 512, 12, 64), ("full", 32, 112, 12, 32),
]
ENOUGH = 0.2
PRECISIONS = {"f32": torch.float32, "bf16": torch.bfloat16}


def theirs(kind, batch, tokens, heads, width, precision):
    dtype = PRECISIONS[precision]
    qkv = torch.rand(batch, tokens, 3, heads, width).to(dtype) * 2 - 1
    query, key, value = (qkv[:, :, part].transpose(1, 2) for part in range(3))

    def run():
        torch.nn.functional.scaled_dot_product_attention(query, key, value, is_causal=kind == "causal")

    run()
    started, count = time.perf_counter(), 0
    while count == 0 or time.perf_counter() - started < ENOUGH:
        run()
        count += 1
    return (time.perf_counter() - started) / count


def main():
    found = side_by_side.arguments()
    rows = []
    with side_by_side.Program(found.program) as ours:
        for case in CASES:
            for precision in PRECISIONS:
                rounds = [(ours.seconds(*case, precision), theirs(*case, precision)) for _ in range(found.repeats)]
                mine, peer = (1000 * statistics.median(times) for times in zip(*rounds))
                name = "torch SDPA {} {} {}x{} tokens, {} heads of {}".format(precision, *case)
                rows.append({"case": name, "ours": round(mine, 2), "peer": round(peer, 2), "ratio": round(peer / mine, 2)})
    side_by_side.show(rows, found, "milliseconds")
    if not found.json:
        for tokens in (2048, 8192):
            peak = subprocess.run([found.program, "--peak", str(tokens)], capture_output=True, text=True, check=True).stdout.strip()
            print(f"memory beside inputs and output at {tokens} tokens: {peak} KiB")


if __name__ == "__main__":
    main()
