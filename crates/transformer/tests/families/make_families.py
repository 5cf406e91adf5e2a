"""Writes the tiny models of tests/families, and what Hugging Face transformers computes with them in float32.

    python make_families.py [NAME ...]

Needs torch, transformers, safetensors and peft; README.md beside this file says which versions the files were made with, and what is in
them. Weights are random but not small, biases and norms included, so that no tensor can be left out or misplaced unnoticed. Goldens are
computed from the saved folders. The script stops where a fixture would not notice its own subject (a window that is ignored, say) or a
missing tensor, where padded and lone sequences disagree, or where greedy tokens with and without a cache do.
"""

import copy
import json
import pathlib
import sys
import warnings
from dataclasses import dataclass, field

import peft
import torch
import transformers
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
VOCAB = 96
SPREAD = 0.25
LENGTHS = [12, 7, 3]
SINGLE, LONG, GREEDY, VARIETY = 9, 40, 20, 4
# By how much another implementation may differ. A mistake that a fixture is there to find costs more than that, two ways of computing the
# same thing here differ by less, and no greedy token wins by so little that rounding could change it.
TOLERANCE = 2e-4
NOTICED, AGREED, LEAD = 2 * TOLERANCE, TOLERANCE / 10, 50 * TOLERANCE
# So large that a wrong epsilon shows.
EPSILON = 1e-3

SIZES = {"vocab_size": VOCAB, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 64}
DECODER = SIZES | {"intermediate_size": 40, "rms_norm_eps": EPSILON, "bos_token_id": 1, "eos_token_id": 2}
GROUPED = DECODER | {"num_key_value_heads": 2}
ENCODER = SIZES | {"intermediate_size": 40, "layer_norm_eps": EPSILON, "max_position_embeddings": 16}
SHALLOW = ENCODER | {"num_hidden_layers": 1}
ROBERTA = {"max_position_embeddings": 18, "type_vocab_size": 1}
DISTILBERT = {"vocab_size": VOCAB, "dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 40, "max_position_embeddings": 16}
LABELS = {"id2label": {0: "no", 1: "maybe", 2: "yes"}, "label2id": {"no": 0, "maybe": 1, "yes": 2}}
PLAIN = {"rope_type": "default", "rope_theta": 10000.0}


def rope(rope_type, theta=10000.0, **parameters):
    return {"rope_type": rope_type, "rope_theta": theta, **parameters}


@dataclass
class Family:
    """A model to make: its class by name, its configuration, and changes of the configuration that must change the logits."""

    model: str
    config: dict
    matters: dict = field(default_factory=dict)


LLAMA3 = rope("llama3", 500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=256)
YARN = rope("yarn", factor=4.0, original_max_position_embeddings=32)
YARN_SPELLED = YARN | {"beta_fast": 2.0, "beta_slow": 0.5, "attention_factor": 1.3, "truncate": False}
SHORT, FAR = [1.0, 1.1, 1.3, 1.6], [1.2, 1.9, 2.6, 3.5]
LONGROPE = rope("longrope", short_factor=SHORT, long_factor=FAR)
PHI3 = GROUPED | {"pad_token_id": 0, "original_max_position_embeddings": 64}
PLAIN_ROPE = {"rope_parameters": PLAIN}
FULL, SLIDING = "full_attention", "sliding_attention"

DECODERS = {
    "gpt2": Family(
        "GPT2LMHeadModel",
        {"vocab_size": VOCAB, "n_positions": 64, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_inner": 40, "layer_norm_epsilon": EPSILON}
        | {"bos_token_id": 1, "eos_token_id": 1},
        {"activation": {"activation_function": "gelu"}},
    ),
    "llama": Family("LlamaForCausalLM", DECODER | {"rope_parameters": PLAIN}),
    "llama_bias": Family("LlamaForCausalLM", GROUPED | {"attention_bias": True, "mlp_bias": True}),
    "llama3": Family(
        "LlamaForCausalLM",
        GROUPED | {"head_dim": 16, "tie_word_embeddings": True, "max_position_embeddings": 2048, "rope_parameters": LLAMA3},
        {"scaling": {"rope_parameters": rope("default", 500000.0)}, "factor": {"rope_parameters": LLAMA3 | {"factor": 4.0}}},
    ),
    "llama_linear": Family("LlamaForCausalLM", GROUPED | {"rope_parameters": rope("linear", factor=2.0)}, {"scaling": PLAIN_ROPE}),
    "llama_dynamic": Family(
        "LlamaForCausalLM",
        GROUPED | {"max_position_embeddings": 32, "rope_parameters": rope("dynamic", factor=2.0)},
        {"scaling": PLAIN_ROPE, "length": {"max_position_embeddings": 16}},
    ),
    "llama_yarn": Family(
        "LlamaForCausalLM",
        GROUPED | {"head_dim": 16, "max_position_embeddings": 128, "rope_parameters": YARN},
        {"scaling": PLAIN_ROPE, "amplitude": {"rope_parameters": YARN | {"attention_factor": 1.0}}}
        | {"whole ends": {"rope_parameters": YARN | {"truncate": False}}},
    ),
    "llama_yarn_spelled": Family(
        "LlamaForCausalLM",
        GROUPED | {"num_hidden_layers": 1, "head_dim": 16, "max_position_embeddings": 128, "rope_parameters": YARN_SPELLED},
        {"fast end": {"rope_parameters": YARN_SPELLED | {"beta_fast": 32.0}}}
        | {"slow end": {"rope_parameters": YARN_SPELLED | {"beta_slow": 1.0}}}
        | {"amplitude": {"rope_parameters": YARN_SPELLED | {"attention_factor": None}}}
        | {"unrounded ends": {"rope_parameters": YARN_SPELLED | {"truncate": True}}},
    ),
    "llama_mqa": Family("LlamaForCausalLM", DECODER | {"num_key_value_heads": 1}),
    "mistral": Family(
        "MistralForCausalLM",
        GROUPED | {"sliding_window": 8},
        {"window": {"sliding_window": None}, "size": {"sliding_window": 9}},
    ),
    "qwen2": Family("Qwen2ForCausalLM", GROUPED | {"tie_word_embeddings": True, "rope_parameters": rope("default", 1000000.0)}),
    "qwen2_sliding": Family(
        "Qwen2ForCausalLM",
        GROUPED | {"num_hidden_layers": 3, "use_sliding_window": True, "sliding_window": 8, "max_window_layers": 1},
        {"window": {"use_sliding_window": False, "layer_types": None}, "layers": {"max_window_layers": 2, "layer_types": None}},
    ),
    "qwen3": Family(
        "Qwen3ForCausalLM",
        GROUPED | {"head_dim": 12, "tie_word_embeddings": True, "rope_parameters": rope("default", 1000000.0)},
    ),
    "smollm2": Family(
        "LlamaForCausalLM",
        DECODER | {"hidden_size": 36, "num_attention_heads": 9, "num_key_value_heads": 3, "tie_word_embeddings": True}
        | {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 2, "rope_parameters": rope("default", 100000.0)}
        | {"is_llama_config": True, "rope_interleaved": False},
    ),
    "phi3": Family("Phi3ForCausalLM", PHI3 | {"sliding_window": 12}, {"window": {"sliding_window": None}}),
    "phi3_partial": Family(
        "Phi3ForCausalLM",
        PHI3 | {"num_attention_heads": 2, "num_key_value_heads": 1, "tie_word_embeddings": True}
        | {"rope_parameters": rope("default", partial_rotary_factor=0.75)},
        {"part": {"rope_parameters": rope("default", partial_rotary_factor=1.0)}},
    ),
    "phi3_longrope": Family(
        "Phi3ForCausalLM",
        PHI3 | {"original_max_position_embeddings": 32, "rope_parameters": LONGROPE, "max_position_embeddings": 128},
        {"long factors": {"rope_parameters": LONGROPE | {"long_factor": SHORT}}, "amplitude": {"max_position_embeddings": 64}},
    ),
    "gemma2": Family(
        "Gemma2ForCausalLM",
        GROUPED | {"num_hidden_layers": 3, "head_dim": 12, "query_pre_attn_scalar": 24, "sliding_window": 8, "pad_token_id": 0}
        | {"attn_logit_softcapping": 2.0, "final_logit_softcapping": 8.0, "bos_token_id": 2, "eos_token_id": 1},
        {"scores' cap": {"attn_logit_softcapping": None}, "logits' cap": {"final_logit_softcapping": None}}
        | {"scale": {"query_pre_attn_scalar": 12}, "full layers": {"layer_types": [SLIDING] * 3}}
        | {"sliding layers": {"layer_types": [FULL] * 3}, "which layers": {"layer_types": [FULL, SLIDING, FULL]}},
    ),
}

ENCODERS = {
    "bert": Family("BertModel", ENCODER, {"activation": {"hidden_act": "gelu_new"}}),
    "bert_gelu_new": Family("BertModel", SHALLOW | {"hidden_act": "gelu_new"}, {"activation": {"hidden_act": "gelu"}}),
    "bert_relu": Family("BertModel", SHALLOW | {"hidden_act": "relu"}, {"activation": {"hidden_act": "gelu"}}),
    "bert_classifier": Family("BertForSequenceClassification", SHALLOW | LABELS),
    "cross_encoder": Family("BertForSequenceClassification", SHALLOW | {"num_labels": 1}),
    "roberta": Family("RobertaModel", ENCODER | ROBERTA),
    "roberta_classifier": Family("RobertaForSequenceClassification", SHALLOW | ROBERTA | LABELS),
    "xlm_roberta": Family("XLMRobertaModel", SHALLOW | ROBERTA),
    "xlm_roberta_reranker": Family("XLMRobertaForSequenceClassification", SHALLOW | ROBERTA | {"num_labels": 1}),
    "distilbert": Family("DistilBertModel", DISTILBERT),
    "distilbert_classifier": Family("DistilBertForSequenceClassification", DISTILBERT | {"n_layers": 1} | LABELS),
}

MARIAN = Family(
    "MarianMTModel",
    {"vocab_size": VOCAB, "d_model": 32, "max_position_embeddings": 64, "encoder_layers": 2, "decoder_layers": 2}
    | {"encoder_attention_heads": 4, "decoder_attention_heads": 4, "encoder_ffn_dim": 40, "decoder_ffn_dim": 40}
    | {"activation_function": "relu", "scale_embedding": True, "pad_token_id": VOCAB - 1, "decoder_start_token_id": VOCAB - 1}
    | {"forced_eos_token_id": None},
    {"activation": {"activation_function": "swish"}, "embedding scale": {"scale_embedding": False}},
)


def check(holds, complaint):
    if not holds:
        raise SystemExit(complaint)


def new_model(family, changes=None):
    kind = getattr(transformers, family.model)
    config = kind.config_class(**copy.deepcopy(family.config | (changes or {})))
    return kind._from_config(config, attn_implementation="eager", dtype=torch.float32).eval()


def randomise(model, seed):
    """Normal matrices; norms and biases normal around what they start at. Sinusoidal tables stay."""
    generator = torch.Generator().manual_seed(seed)

    def noise(tensor):
        return SPREAD * torch.randn(tensor.shape, generator=generator)

    with torch.no_grad():
        for module in model.modules():
            is_norm = "Norm" in type(module).__name__
            for parameter in module.parameters(recurse=False):
                if parameter.requires_grad:
                    parameter.copy_(noise(parameter) + (parameter if is_norm else 0.0))
            if "final_logits_bias" in dict(module.named_buffers(recurse=False)):
                module.final_logits_bias.copy_(noise(module.final_logits_bias))
    model.tie_weights()


def random_ids(shape, seed, low=5):
    """Tokens that are no special ones."""
    return torch.randint(low, VOCAB - 1, shape, generator=torch.Generator().manual_seed(seed))


def ragged(pad, side):
    """Sequences of LENGTHS tokens, padded on one side, and their mask."""
    ids = torch.full((len(LENGTHS), max(LENGTHS)), pad)
    mask = torch.zeros_like(ids)
    for row, length in enumerate(LENGTHS):
        where = slice(0, length) if side == "right" else slice(max(LENGTHS) - length, None)
        ids[row, where] = random_ids((length,), 100 + row)
        mask[row, where] = 1
    return ids, mask


def positions(mask):
    """As generation counts them."""
    return (mask.cumsum(-1) - 1).clamp(min=0)


def difference(a, b):
    return (a - b).abs().max().item()


def long_logits(model):
    return model(random_ids((1, LONG), 3), use_cache=False).logits


@torch.no_grad()
def greedy(model, ids, **inputs):
    """GREEDY tokens by `generate` with its cache; none ends it."""
    config = transformers.GenerationConfig(max_new_tokens=GREEDY, do_sample=False, num_beams=1, pad_token_id=0)
    model.generation_config = transformers.GenerationConfig()
    start = model.config.decoder_start_token_id if model.config.is_encoder_decoder else None
    config.decoder_start_token_id = start
    tokens = model.generate(ids, generation_config=config, **inputs)[:, 1 if start is not None else ids.shape[1] :]
    check(tokens.shape[1] == GREEDY, f"generate stopped after {tokens.shape[1]} tokens")
    return tokens


def lead(logits):
    """By how much the best token leads the next one."""
    best = logits.topk(2, dim=-1).values
    return (best[..., 0] - best[..., 1]).min().item()


def translated(model):
    """The greedy translation of three padded sequences, and the logits that it is read from."""
    ids, mask = ragged(model.config.pad_token_id, "right")
    tokens = greedy(model, ids, attention_mask=mask)
    start = torch.full((len(LENGTHS), 1), model.config.decoder_start_token_id)
    before = torch.cat([start, tokens[:, :-1]], 1)
    return tokens, model(ids, attention_mask=mask, decoder_input_ids=before, use_cache=False).logits


def continued(model):
    """The greedy continuation of a lone sequence, and the logits that it is read from."""
    ids = random_ids((1, SINGLE), 1)
    tokens = greedy(model, ids)
    return tokens, model(torch.cat([ids, tokens], 1), use_cache=False).logits[:, SINGLE - 1 : -1]


@torch.no_grad()
def settled(family, go_on):
    """A model whose greedy tokens vary and never win narrowly, so that rounding cannot change them."""
    for seed in range(1, 1000):
        model = new_model(family)
        randomise(model, seed)
        tokens, logits = go_on(model)
        if tokens.unique().numel() >= VARIETY and lead(logits) > LEAD:
            check(torch.equal(logits.argmax(-1), tokens), "greedy tokens differ with and without a cache")
            return model
    raise SystemExit("no seed gives greedy tokens that vary")


def listed(name, tensors):
    return {f"{name}.{layer}": tensor for layer, tensor in enumerate(tensors)}


@torch.no_grad()
def decoder_golden(model):
    single = random_ids((1, SINGLE), 1)
    seen = model(single, output_hidden_states=True, output_attentions=True, use_cache=False)
    golden = {"ids.single": single, "logits.single": seen.logits, "greedy": greedy(model, single)}
    golden |= listed("hidden.single", seen.hidden_states) | listed("attentions.single", seen.attentions)
    for side in ["right", "left"]:
        ids, mask = ragged(0, side)
        places = positions(mask) if side == "left" else None
        logits = model(ids, attention_mask=mask, position_ids=places, use_cache=False).logits
        golden |= {f"ids.{side}": ids, f"mask.{side}": mask, f"logits.{side}": logits}
        for row, length in enumerate(LENGTHS):
            alone = model(random_ids((1, length), 100 + row), use_cache=False).logits[0]
            apart = difference(logits[row][mask[row] == 1], alone)
            check(apart < AGREED, f"padded on the {side} and alone differ by {apart}")
    return golden | {"ids.long": random_ids((1, LONG), 3), "logits.long": long_logits(model)}


def encoder_inputs(config):
    ids, mask = ragged(config.pad_token_id, "right")
    inputs = {"input_ids": ids, "attention_mask": mask}
    if getattr(config, "type_vocab_size", 1) > 1:
        half = torch.tensor(LENGTHS).unsqueeze(1) // 2
        inputs["token_type_ids"] = (torch.arange(max(LENGTHS)) >= half).long() * mask
    return inputs


@torch.no_grad()
def encoder_golden(model):
    inputs = encoder_inputs(model.config)
    seen = model.base_model(**inputs, output_hidden_states=True, output_attentions=True)
    golden = {"ids": inputs["input_ids"], "mask": inputs["attention_mask"], "last_hidden_state": seen.last_hidden_state}
    golden |= listed("hidden", seen.hidden_states[:-1]) | listed("attentions", seen.attentions)
    if "token_type_ids" in inputs:
        golden["token_type_ids"] = inputs["token_type_ids"]
    if getattr(seen, "pooler_output", None) is not None:
        golden["pooled"] = seen.pooler_output
    if model is not model.base_model:
        golden["logits"] = model(**inputs).logits
    return golden


@torch.no_grad()
def marian_golden(model):
    ids, mask = ragged(model.config.pad_token_id, "right")
    start = torch.full((len(LENGTHS), 1), model.config.decoder_start_token_id)
    decoder_ids = torch.cat([start, random_ids((len(LENGTHS), 9), 5)], 1)
    inputs = {"input_ids": ids, "attention_mask": mask, "decoder_input_ids": decoder_ids}
    seen = model(**inputs, output_hidden_states=True, output_attentions=True, use_cache=False)
    golden = {"ids": ids, "mask": mask, "decoder_ids": decoder_ids, "logits": seen.logits, "encoder.last": seen.encoder_last_hidden_state}
    golden |= listed("encoder.hidden", seen.encoder_hidden_states[:-1]) | listed("encoder.attentions", seen.encoder_attentions)
    golden |= listed("decoder.hidden", seen.decoder_hidden_states) | listed("decoder.attentions", seen.decoder_attentions)
    golden |= listed("cross", seen.cross_attentions)
    return golden | {"greedy": translated(model)[0]}


def write(golden, path):
    """Floats as float32, everything else as int32."""
    kinds = {True: torch.float32, False: torch.int32}
    save_file({name: tensor.to(kinds[tensor.is_floating_point()]).contiguous() for name, tensor in golden.items()}, path)


def save(model, name, **how):
    folder = HERE / name
    model.save_pretrained(folder, **how)
    (folder / "generation_config.json").unlink(missing_ok=True)
    return folder


def load(folder, kind):
    return getattr(transformers, kind).from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def outputs(model):
    """What a mistake must change."""
    if model.config.is_encoder_decoder:
        ids, mask = ragged(model.config.pad_token_id, "right")
        return model(ids, attention_mask=mask, decoder_input_ids=random_ids((len(LENGTHS), 10), 5), use_cache=False).logits
    if hasattr(model, "lm_head"):
        return long_logits(model)
    golden = encoder_golden(model)
    return torch.cat([golden[name].flatten() for name in ["last_hidden_state", "pooled", "logits"] if name in golden])


@torch.no_grad()
def check_subjects(name, family, model):
    small = {key: {key: 1e-6} for key in ["rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon"] if key in family.config}
    for subject, changes in (family.matters | small).items():
        changed = new_model(family, changes)
        changed.load_state_dict(model.state_dict())
        apart = difference(outputs(changed), outputs(model))
        print(f"    {subject}: {apart:.4f}")
        check(apart > NOTICED, f"{name} would not notice its {subject}")


@torch.no_grad()
def check_tensors(name, model):
    """Every tensor counts. A bias of keys cannot without rotary positions: it adds the same to all scores of a query."""
    before = outputs(model)
    least = ("", float("inf"))
    for key, tensor in model.state_dict().items():
        unrotated = "rope_parameters" not in model.config.to_dict()
        if "embed_positions" in key or (unrotated and key.endswith(("key.bias", "k_lin.bias", "k_proj.bias"))):
            continue
        kept = tensor.clone()
        tensor.fill_(1.0 if "norm" in key.lower() and key.endswith("weight") else 0.0)
        least = min(least, (key, difference(outputs(model), before)), key=lambda pair: pair[1])
        tensor.copy_(kept)
    print(f"    {least[0]}: {least[1]:.4f}")
    check(least[1] > NOTICED, f"{name} would not notice {least[0]}")


@torch.no_grad()
def check_token_types(name, model):
    inputs = encoder_inputs(model.config)
    if "token_type_ids" in inputs:
        plain = inputs | {"token_type_ids": torch.zeros_like(inputs["token_type_ids"])}
        apart = difference(model.base_model(**inputs).last_hidden_state, model.base_model(**plain).last_hidden_state)
        check(apart > NOTICED, f"{name} would not notice its token types")


def old_shape(config):
    """The same configuration as files from before `rope_parameters` have it."""
    old = {key: value for key, value in config.items() if key not in ["rope_parameters", "layer_types", "dtype", "transformers_version"]}
    scaling = dict(config["rope_parameters"])
    old["rope_theta"] = scaling.pop("rope_theta")
    partial = scaling.pop("partial_rotary_factor", 1.0)
    if partial != 1.0:
        old["partial_rotary_factor"] = partial
    if "original_max_position_embeddings" in config:
        scaling.pop("original_max_position_embeddings", None)
        scaling["type"] = scaling.pop("rope_type")
    kind = scaling.get("rope_type", scaling.get("type"))
    old["rope_scaling"] = None if kind == "default" else scaling
    if config.get("use_sliding_window") is False:
        old["sliding_window"] = 8  # to be ignored
    if config.get("head_dim") == config["hidden_size"] // config["num_attention_heads"]:
        del old["head_dim"]
    if config["model_type"] == "gemma2":
        old["hidden_act"] = config["hidden_activation"]
    return dict(sorted(old.items())) | {"torch_dtype": config["dtype"], "transformers_version": "4.45.0"}


@torch.no_grad()
def write_old_config(folder, kind):
    """`config_old.json`, which transformers must read as the same model."""
    old = old_shape(json.loads((folder / "config.json").read_text()))
    path = folder / "config_old.json"
    path.write_text(json.dumps(old, indent=2) + "\n")
    model = load(folder, kind)
    config = type(model.config).from_dict(old)
    again = type(model)._from_config(config, attn_implementation="eager", dtype=torch.float32).eval()
    again.load_state_dict(model.state_dict())
    check(torch.equal(long_logits(again), long_logits(model)), f"{path} is another model")


def make_decoder(name, family):
    folder = save(settled(family, continued), name)
    model = load(folder, family.model)
    check_subjects(name, family, model)
    check_tensors(name, model)
    write(decoder_golden(model), folder / "golden.safetensors")
    if "rope_parameters" in model.config.to_dict():
        write_old_config(folder, family.model)


def make_encoder(name, family):
    model = new_model(family)
    randomise(model, 1)
    folder = save(model, name)
    model = load(folder, family.model)
    check_subjects(name, family, model)
    check_tensors(name, model)
    check_token_types(name, model)
    write(encoder_golden(model), folder / "golden.safetensors")


def make_marian():
    folder = save(settled(MARIAN, translated), "marian")
    model = load(folder, MARIAN.model)
    check_subjects("marian", MARIAN, model)
    check_tensors("marian", model)
    write(marian_golden(model), folder / "golden.safetensors")


@torch.no_grad()
def make_llama_files():
    """llama as two shards or more, and in half precision; the goldens of the latter are float32 computed from rounded weights."""
    llama = load(HERE / "llama", "LlamaForCausalLM")
    folder = save(llama, "llama_sharded", max_shard_size="40KB")
    check(len(list(folder.glob("*.safetensors"))) >= 2, "one shard only")
    check(torch.equal(long_logits(load(folder, "LlamaForCausalLM")), long_logits(llama)), "the shards are another model")
    for name, kind in {"llama_bf16": torch.bfloat16, "llama_f16": torch.float16}.items():
        folder = save(copy.deepcopy(llama).to(kind), name)
        rounded = load(folder, "LlamaForCausalLM")
        golden = {"ids.single": random_ids((1, SINGLE), 1), "ids.long": random_ids((1, LONG), 3)}
        golden |= {ids.replace("ids", "logits"): rounded(golden[ids], use_cache=False).logits for ids in list(golden)}
        check(difference(golden["logits.long"], long_logits(llama)) > NOTICED, f"{name} is not rounded")
        write(golden, folder / "golden.safetensors")


@torch.no_grad()
def make_lora():
    """An adapter of llama in PEFT's format, and the logits with it."""
    targets = ["q_proj", "v_proj", "down_proj"]
    config = peft.LoraConfig(r=4, lora_alpha=8, lora_dropout=0.05, target_modules=targets, task_type="CAUSAL_LM")
    llama = load(HERE / "llama", "LlamaForCausalLM")
    base = long_logits(llama)
    model = peft.get_peft_model(llama, config).eval()
    generator = torch.Generator().manual_seed(7)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.copy_(SPREAD * torch.randn(parameter.shape, generator=generator))
    model.peft_config["default"].base_model_name_or_path = "llama"
    model.peft_config["default"].target_modules = targets
    folder = HERE / "llama/lora"
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)
    adapted = peft.PeftModel.from_pretrained(load(HERE / "llama", "LlamaForCausalLM"), folder).eval()
    golden = {"ids.single": random_ids((1, SINGLE), 1), "ids.long": random_ids((1, LONG), 3)}
    golden |= {ids.replace("ids", "logits"): adapted(input_ids=golden[ids], use_cache=False).logits for ids in list(golden)}
    check(difference(golden["logits.long"], base) > NOTICED, "the adapter does nothing")
    merged = adapted.merge_and_unload()
    check(difference(long_logits(merged), golden["logits.long"]) < AGREED, "the merged model differs from the adapted one")
    write(golden, folder / "golden.safetensors")


def main():
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", FutureWarning)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    makers = {name: lambda name=name, family=family: make_decoder(name, family) for name, family in DECODERS.items()}
    makers |= {"llama_files": make_llama_files, "llama_lora": make_lora}
    makers |= {name: lambda name=name, family=family: make_encoder(name, family) for name, family in ENCODERS.items()}
    makers |= {"marian": make_marian}
    for name in sys.argv[1:] or makers:
        print(name)
        makers[name]()
    size = sum(path.stat().st_size for path in HERE.rglob("*") if path.is_file())
    print(f"{size / 2**20:.2f} MiB; torch {torch.__version__}, transformers {transformers.__version__}, peft {peft.__version__}")


if __name__ == "__main__":
    main()
