"""Products with packed weights beside torch's (oneDNN), in turn on the same machine: one table of ratios.

    cargo build --example matmul_rate
    pip install torch
    python benches/peers/matmul.py target/debug/examples/matmul_rate [--json]

Ours round the inputs on the way (int8 with a scale a row, or bf16); torch multiplies bare matrices of that type. It has no product of
four bits on a processor: those stand beside its eight.
"""

import argparse
import json
import platform
import statistics
import subprocess
import time

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
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program")
    arguments.add_argument("--repeats", type=int, default=7)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--json", action="store_true")
    arguments = arguments.parse_args()
    torch.set_num_threads(arguments.threads)
    process = subprocess.Popen([arguments.program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ours(kind, m, n, k):
        print(kind, m, n, k, file=process.stdin, flush=True)
        return float(process.stdout.readline())

    rows = []
    for kind, m, n, k in CASES:
        pairs = [(ours(kind, m, n, k), theirs(kind, m, n, k)) for _ in range(arguments.repeats)]
        operations = 2 * m * n * k / 1e9
        mine, peer = (operations / statistics.median(times) for times in zip(*pairs))
        rows.append({"case": f"torch {kind} {m}x{n}x{k}", "ours": round(mine), "peer": round(peer), "ratio": round(mine / peer, 2)})
    process.stdin.close()
    process.wait()
    if arguments.json:
        print(json.dumps(rows))
        return
    print(f"{platform.processor() or platform.machine()}, {arguments.threads} threads, torch {torch.__version__}, GOP/s")
    for row in rows:
        print(f"{row['case']:28} {row['ours']:6} {row['peer']:6}  {row['ratio']:.2f}")


if __name__ == "__main__":
    main()
