"""Products with packed weights beside torch's (oneDNN), in turn on the same machine: one table of ratios.

    cargo build --example matmul_rate
    pip install torch
    python benches/peers/matmul.py target/debug/examples/matmul_rate [--json]

Ours round the inputs on the way (int8 with a scale a row, or bf16); torch multiplies bare matrices of that type. It has no product of
four bits on a processor: those stand beside its eight.
"""

import statistics
import time

import side_by_side
import torch

CASES = [
    ("int8", 512, 2048, 2048), ("int8", 2048, 2048, 2048), ("int8", 32, 2048, 2048),
    ("int4", 512, 2048, 2048), ("int4g128", 512, 2048, 2048), ("int4", 32, 2048, 2048),
    ("bf16", 512, 2048, 2048), ("bf16", 2048, 2048, 2048), ("bf16", 32, 2048, 2048),
]


def theirs(kind, m, n, k, kept={}):
    kind = "int8" if kind.startswith("int4") else kind
    if (kind, m, n, k) not in kept:
        if kind == "int8":
            kept[kind, m, n, k] = [torch.randint(-127, 127, shape, dtype=torch.int8) for shape in ((m, k), (n, k))]
        else:
            kept[kind, m, n, k] = [torch.randn(shape).to(torch.bfloat16) for shape in ((m, k), (n, k))]
    a, b = kept[kind, m, n, k]
    product = torch._int_mm if kind == "int8" else torch.matmul
    product(a, b.t())
    repeats = min(200, max(1, 10_000_000_000 // (2 * m * n * k)))
    started = time.perf_counter()
    for _ in range(repeats):
        product(a, b.t())
    return (time.perf_counter() - started) / repeats


def main():
    found = side_by_side.arguments()
    rows = []
    with side_by_side.Program(found.program) as ours:
        for case in CASES:
            kind, m, n, k = case
            pairs = [(ours.seconds(*case), theirs(*case)) for _ in range(found.repeats)]
            mine, peer = (2 * m * n * k / 1e9 / statistics.median(times) for times in zip(*pairs))
            rows.append({"case": f"torch {kind} {m}x{n}x{k}", "ours": round(mine), "peer": round(peer), "ratio": round(mine / peer, 2)})
    side_by_side.show(rows, found, "GOP/s")


if __name__ == "__main__":
    main()
