"""Writes `model.gguf` beside the weights of decoders here, with the converter of llama.cpp.

    pip install torch transformers sentencepiece
    python make_gguf.py path/to/llama.cpp [FAMILY ...]

The folders have no tokenizer, so the converter's vocabularies are left out. Weights stay float32.
"""

import importlib
import json
import pathlib
import runpy
import shutil
import sys
import tempfile

FAMILIES = ["gpt2", "llama", "llama3", "llama_bias", "llama_linear", "llama_yarn", "qwen2", "qwen3", "smollm2", "phi3", "phi3_longrope", "phi3_partial"]


def without_vocabulary(root):
    sys.path[:0] = [str(root), str(root / "gguf-py")]
    base = importlib.import_module("conversion.base")
    for module in ("gemma", "gpt2", "llama", "phi", "qwen"):
        importlib.import_module(f"conversion.{module}")

    def patch(kind):
        if "set_vocab" in vars(kind):
            kind.set_vocab = lambda self: None
        for child in kind.__subclasses__():
            patch(child)

    patch(base.ModelBase)


def main():
    root, families = pathlib.Path(sys.argv[1]), sys.argv[2:] or FAMILIES
    without_vocabulary(root)
    for family in families:
        folder = pathlib.Path(__file__).parent / family
        with tempfile.TemporaryDirectory() as work:
            source = pathlib.Path(shutil.copytree(folder, pathlib.Path(work) / family))
            config = json.loads((source / "config.json").read_text())
            # Newer files of GPT-2 leave out what the converter asks for.
            config.setdefault("n_ctx", config.get("n_positions", 0))
            (source / "config.json").write_text(json.dumps(config))
            sys.argv = ["convert_hf_to_gguf.py", str(source), "--outfile", str(folder / "model.gguf"), "--outtype", "f32"]
            runpy.run_path(str(root / "convert_hf_to_gguf.py"), run_name="__main__")


if __name__ == "__main__":
    main()
