"""Random models of Llama's shape, the same numbers for both sides: a folder of safetensors and a GGUF file."""

import json
import os

import gguf
import numpy as np
from safetensors.numpy import save_file

SHAPES = {
    # vocab, d_model, layers, heads, kv heads, d_ff
    "135m": (49152, 576, 30, 9, 3, 1536),
    "1.1b": (32000, 2048, 22, 32, 4, 5632),
}
CONTEXT = 32768


def write(name, folder):
    """Writes the model to `folder/name/` and `folder/name-f16.gguf`, unless they are there."""
    vocab, d, layers, heads, kv_heads, ff = SHAPES[name]
    home, path = os.path.join(folder, name), os.path.join(folder, f"{name}-f16.gguf")
    if os.path.exists(path):
        return home, path
    os.makedirs(home, exist_ok=True)
    width = d // heads
    config = {
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": vocab, "hidden_size": d, "num_hidden_layers": layers,
        "num_attention_heads": heads, "num_key_value_heads": kv_heads, "intermediate_size": ff, "max_position_embeddings": CONTEXT,
        "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu", "tie_word_embeddings": True, "bos_token_id": 1, "eos_token_id": 2,
        "torch_dtype": "float16",
    }
    with open(os.path.join(home, "config.json"), "w") as file:
        json.dump(config, file)
    rng = np.random.default_rng(0)
    draw = lambda *shape: (rng.standard_normal(shape, dtype=np.float32) * 0.02).astype(np.float16)
    writer = gguf.GGUFWriter(path + ".part", "llama")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(d)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(ff)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(width)
    writer.add_vocab_size(vocab)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_tokenizer_model("none")
    tensors = {}

    def add(hf, theirs, values):
        tensors[hf] = values
        writer.add_tensor(theirs, values)

    add("model.embed_tokens.weight", "token_embd.weight", draw(vocab, d))
    add("model.norm.weight", "output_norm.weight", np.ones(d, np.float32))
    for layer in range(layers):
        ours, theirs = f"model.layers.{layer}.", f"blk.{layer}."
        add(ours + "input_layernorm.weight", theirs + "attn_norm.weight", np.ones(d, np.float32))
        add(ours + "self_attn.q_proj.weight", theirs + "attn_q.weight", draw(heads * width, d))
        add(ours + "self_attn.k_proj.weight", theirs + "attn_k.weight", draw(kv_heads * width, d))
        add(ours + "self_attn.v_proj.weight", theirs + "attn_v.weight", draw(kv_heads * width, d))
        add(ours + "self_attn.o_proj.weight", theirs + "attn_output.weight", draw(d, heads * width))
        add(ours + "post_attention_layernorm.weight", theirs + "ffn_norm.weight", np.ones(d, np.float32))
        add(ours + "mlp.gate_proj.weight", theirs + "ffn_gate.weight", draw(ff, d))
        add(ours + "mlp.up_proj.weight", theirs + "ffn_up.weight", draw(ff, d))
        add(ours + "mlp.down_proj.weight", theirs + "ffn_down.weight", draw(d, ff))
    save_file(tensors, os.path.join(home, "model.safetensors"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(path + ".part", path)
    return home, path
