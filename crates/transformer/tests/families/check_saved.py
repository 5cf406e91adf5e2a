"""Says how far the logits of a saved folder, as Hugging Face transformers computes them in float32, are from golden ones.

    python check_saved.py FOLDER GOLDEN [--adapter FOLDER] [--tolerance 2e-4]

GOLDEN is a safetensors file with `ids` and `logits`, or with pairs such as `ids.single` and `logits.single`, and where rows are padded with
`mask` beside them; places that are padding are not compared. Prints a line a pair and fails where one is over the tolerance, or where the
folder lacks tensors or has ones that transformers does not know. Needs torch, transformers and safetensors, and peft with --adapter.
"""

import argparse
import sys
import warnings

import torch
import transformers
from safetensors.torch import load_file


def load(folder, adapter):
    kind = "AutoModelForCausalLM"
    architecture = (transformers.AutoConfig.from_pretrained(folder).architectures or [""])[0]
    if architecture.endswith("ForSequenceClassification"):
        kind = "AutoModelForSequenceClassification"
    model, info = getattr(transformers, kind).from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    wrong = {what: names for what, names in info.items() if names}
    if adapter:
        import peft

        model = peft.PeftModel.from_pretrained(model, adapter)
    return model.eval(), wrong


def inputs_of(golden, suffix):
    ids = golden["ids" + suffix].long()
    mask = golden.get("mask" + suffix, torch.ones_like(ids)).long()
    inputs = {"input_ids": ids, "attention_mask": mask}
    if "token_type_ids" + suffix in golden:
        inputs["token_type_ids"] = golden["token_type_ids" + suffix].long()
    if mask[:, 0].min() == 0:
        inputs["position_ids"] = (mask.cumsum(-1) - 1).clamp(min=0)
    return inputs


@torch.no_grad()
def worst(model, golden, suffix):
    inputs, wanted = inputs_of(golden, suffix), golden["logits" + suffix]
    apart = (model(**inputs).logits - wanted).abs()
    if apart.isnan().any():
        return float("nan")
    return (apart[inputs["attention_mask"] == 1] if apart.dim() == 3 else apart).max().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("golden")
    parser.add_argument("--adapter")
    parser.add_argument("--tolerance", type=float, default=2e-4)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", FutureWarning)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    model, wrong = load(arguments.folder, arguments.adapter)
    golden = load_file(arguments.golden)
    suffixes = sorted(name.removeprefix("logits") for name in golden if name.startswith("logits"))
    differences = {suffix: worst(model, golden, suffix) for suffix in suffixes}
    for suffix, apart in differences.items():
        print(f"logits{suffix}: {apart:.3g}")
    for what, names in wrong.items():
        print(f"{what}: {sorted(map(str, names))}")
    close = bool(differences) and all(apart <= arguments.tolerance for apart in differences.values())
    sys.exit(0 if close and not wrong else 1)


if __name__ == "__main__":
    main()
