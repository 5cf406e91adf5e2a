"""Sentences a second of torch (float32, bfloat16) and ONNX Runtime (float32, dynamic int8) on the texts of `cargo bench --bench encoder`.

    python encoder_peers.py path/to/all-MiniLM-L6-v2 [--threads 2] [--rounds 5]

Needs torch, transformers, onnx and onnxruntime. The ONNX graph is exported from the same weights into a temporary folder.
"""

import argparse
import functools
import os
import pathlib
import statistics
import tempfile
import time

# The same words as in benches/encoder.rs: 110 words of one token each, with [CLS] and [SEP] 112 tokens.
WORDS = "river stone copper window engine garden letter winter signal harbour"
TEXT = " ".join([WORDS] * 11)
QUERY = "where is the museum of the old city harbour bridge"
SENTENCES = 64
BATCH = 16


def torch_runner(folder, bfloat16=False):
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, dtype=torch.bfloat16 if bfloat16 else torch.float32).eval()

    def run(texts):
        with torch.inference_mode():
            batch = tokenizer(texts, padding=True, truncation=True, max_length=256, return_tensors="pt")
            hidden = model(**batch)[0].float()
            mask = batch["attention_mask"].unsqueeze(-1).float()
            pooled = (hidden * mask).sum(1) / mask.sum(1)
            return torch.nn.functional.normalize(pooled).numpy()

    return tokenizer, model, run


def onnx_runners(tokenizer, model, threads):
    """Float32, and weights and activations in eight bits as `quantize_dynamic` makes them."""
    import numpy
    import onnxruntime
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic

    class Hidden(torch.nn.Module):
        """Positional inputs and one output, which is what the exporter can trace."""

        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, input_ids, attention_mask, token_type_ids):
            return self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)[0]

    with tempfile.TemporaryDirectory() as scratch:
        path = pathlib.Path(scratch) / "encoder.onnx"
        sample = tokenizer([TEXT, QUERY], padding=True, return_tensors="pt")
        names = ["input_ids", "attention_mask", "token_type_ids"]
        torch.onnx.export(
            Hidden().eval(),
            tuple(sample[name] for name in names),
            str(path),
            input_names=names,
            output_names=["hidden"],
            dynamic_axes={name: {0: "batch", 1: "seq"} for name in [*names, "hidden"]},
            opset_version=17,
            dynamo=False,
        )
        small = pathlib.Path(scratch) / "encoder-int8.onnx"
        quantize_dynamic(str(path), str(small), weight_type=QuantType.QInt8, per_channel=True)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        sessions = [onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"]) for file in (path, small)]

    def run(session, texts):
        batch = tokenizer(texts, padding=True, truncation=True, max_length=256, return_tensors="np")
        hidden = session.run(None, {name: batch[name].astype(numpy.int64) for name in names})[0]
        mask = batch["attention_mask"][..., None].astype(numpy.float32)
        pooled = (hidden * mask).sum(1) / mask.sum(1)
        return pooled / numpy.linalg.norm(pooled, axis=1, keepdims=True)

    return [functools.partial(run, session) for session in sessions]


def measure(name, run, rounds):
    run([TEXT] * BATCH)
    rates, queries = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(SENTENCES // BATCH):
            run([TEXT] * BATCH)
        rates.append(SENTENCES / (time.perf_counter() - start))
    for _ in range(20):
        start = time.perf_counter()
        run([QUERY])
        queries.append(1000 * (time.perf_counter() - start))
    print(f"{name}: {statistics.median(rates):.1f} sentences/s (best {max(rates):.1f}), query {statistics.median(queries):.2f} ms", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)

    import torch

    torch.set_num_threads(arguments.threads)
    tokenizer, model, run = torch_runner(arguments.folder)
    print(f"{len(tokenizer(TEXT)['input_ids'])} tokens a text, {len(tokenizer(QUERY)['input_ids'])} in the query, {arguments.threads} threads")
    expected = run([TEXT, QUERY])
    measure("torch f32", run, arguments.rounds)
    measure("torch bf16", torch_runner(arguments.folder, bfloat16=True)[2], arguments.rounds)
    onnx, small = onnx_runners(tokenizer, model, arguments.threads)
    assert abs(onnx([TEXT, QUERY]) - expected).max() < 1e-4, "ONNX Runtime and torch disagree"
    measure("ONNX Runtime f32", onnx, arguments.rounds)
    assert ((small([TEXT, QUERY]) * expected).sum(1) > 0.98).all(), "ONNX Runtime's eight bits are far off"
    measure("ONNX Runtime dynamic int8", small, arguments.rounds)


if __name__ == "__main__":
    main()
