"""A decoder over the paged cache beside llama.cpp, in turn on the same machine: one table of ratios.

    cargo build --example decoder_rate
    pip install numpy gguf safetensors cmake ninja
    python benches/peers/llama_cpp.py target/debug/examples/decoder_rate WORK [--shapes 135m,1.1b] [--json]

WORK is a folder for llama.cpp (taken from the source package of `llama-cpp-python` and built there once) and for random models of Llama's
shape, the same numbers for both sides. Theirs are `llama-bench` (prompts, one stream) and `llama-batched-bench` (128 tokens in, 64 out, for
each stream) on 2 threads with keys and values in f16; ours keep them in bf16 and round inputs of products to 8 bits, as theirs do. Both
leave out tokens and sampling. Tokens a second; peak memory of each side's process.
"""

import argparse
import glob
import json
import os
import statistics
import subprocess
import sys
import tarfile

import llama_shapes

VERSION = "0.3.36"
# On some virtual machines llama.cpp's tiles (AMX) end in an illegal instruction; --amx asks for them all the same.
FLAGS = ["NATIVE=OFF", "AVX512=ON", "AVX512_VNNI=ON", "AVX512_VBMI=ON", "AVX512_BF16=ON", "AVX_VNNI=ON", "BMI2=ON", "F16C=ON", "FMA=ON"]
QUANTS = {"8bit": ("Q8_0", "int8"), "4bit": ("Q4_0", "int4")}
CASES = ["prefill 8bit", "prefill 4bit", "decode 8bit", "decode 4bit", "batch8 8bit", "batch16 8bit", "batch32 8bit", "batch32 4bit"]


def build(work, amx):
    """The folder of llama.cpp's programs."""
    home = os.path.join(work, "build-amx" if amx else "build")
    if os.path.exists(os.path.join(home, "bin", "llama-batched-bench")):
        return os.path.join(home, "bin")
    name = f"llama-cpp-python=={VERSION}"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "llama-cpp-python", "--dest", work, name]
    subprocess.run(pip, check=True)
    with tarfile.open(glob.glob(os.path.join(work, "llama_cpp_python-*.tar.gz"))[0]) as archive:
        archive.extractall(work, filter="data")
    source = glob.glob(os.path.join(work, "llama_cpp_python-*", "vendor", "llama.cpp"))[0]
    flags = ["NATIVE=ON"] if amx else FLAGS
    options = [f"-DGGML_{flag}" for flag in flags] + [f"-DLLAMA_BUILD_{part}=OFF" for part in ("SERVER", "TESTS", "EXAMPLES")]
    subprocess.run(["cmake", "-S", source, "-B", home, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DLLAMA_CURL=OFF", *options], check=True)
    targets = ["llama-bench", "llama-batched-bench", "llama-quantize"]
    subprocess.run(["cmake", "--build", home, "--target", *targets, "--parallel", "2"], check=True)
    return os.path.join(home, "bin")


def run(bin, program, *words):
    """What a program prints, and its peak memory in MiB."""
    environment = {**os.environ, "LD_LIBRARY_PATH": bin}
    words = [os.path.join(bin, program), *map(str, words)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
    printed = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{program} ended with status {status}")
    return printed, used.ru_maxrss // 1024


def theirs(bin, model, case, threads):
    common = ["-m", model, "-t", threads]
    if case == "prefill" or case == "decode":
        lengths = ["-p", 512, "-n", 0] if case == "prefill" else ["-p", 0, "-n", 64]
        printed, memory = run(bin, "llama-bench", *common, *lengths, "-r", 1, "-o", "json")
        return json.loads(printed)[0]["avg_ts"], memory
    streams = int(case.removeprefix("batch"))
    sizes = ["-c", streams * 192 + 256, "-b", 512, "-ub", 512, "-npp", 128, "-ntg", 64, "-npl", streams]
    printed, memory = run(bin, "llama-batched-bench", *common, *sizes, "--output-format", "jsonl")
    lines = [line for line in printed.splitlines() if line.startswith("{")]
    return json.loads(lines[-1])["speed_tg"], memory


def ours(program, folder, scheme, case):
    words = {"prefill": "prefill 512", "decode": "decode 1 1 64"}.get(case)
    tokens = 512 if case == "prefill" else 64
    if words is None:
        streams = int(case.removeprefix("batch"))
        words, tokens = f"decode {streams} 128 64", 64 * streams
    process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdin.write(f"{folder} {scheme} bf16 {words}\n")
    process.stdin.close()
    seconds = process.stdout.read()
    _, _, used = os.wait4(process.pid, 0)
    if not seconds:
        raise SystemExit(f"{program} ended at: {folder} {scheme} {words}")
    return tokens / float(seconds), used.ru_maxrss // 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("work")
    parser.add_argument("--shapes", default="135m,1.1b")
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--amx", action="store_true", help="build llama.cpp for this processor as it is")
    parser.add_argument("--json", action="store_true")
    found = parser.parse_args()
    os.makedirs(found.work, exist_ok=True)
    bin = build(found.work, found.amx)
    rows = []
    for shape in found.shapes.split(","):
        folder, whole = llama_shapes.write(shape, found.work)
        for wanted in found.cases.split(","):
            case, bits = wanted.split()
            quant, scheme = QUANTS[bits]
            model = os.path.join(found.work, f"{shape}-{quant}.gguf")
            if not os.path.exists(model):
                run(bin, "llama-quantize", whole, model, quant)
            pairs = [(ours(found.program, folder, scheme, case), theirs(bin, model, case, found.threads)) for _ in range(found.repeats)]
            mine, peer = (statistics.median(speed for speed, _ in side) for side in zip(*pairs))
            memory = [max(used for _, used in side) for side in zip(*pairs)]
            row = {"case": f"{shape} {wanted}", "ours": round(mine, 1), "peer": round(peer, 1), "ratio": round(mine / peer, 2), "mib": memory}
            rows.append(row)
            if not found.json:
                print(f"{row['case']:20} {row['ours']:9} {row['peer']:9} tok/s  {row['ratio']:.2f}   {memory[0]} / {memory[1]} MiB", flush=True)
    if found.json:
        print(json.dumps(rows))


if __name__ == "__main__":
    main()
