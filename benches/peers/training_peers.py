"""A training step of nanoGPT's setting for a processor in PyTorch: 4 layers, 4 heads, width 128, 64 tokens, batches of 12, float32.

    python training_peers.py input.txt [--steps 100] [--threads 2] [--json]

The same model is trained by

    cargo run --example phase3_transformer -- train --family gpt2 --text input.txt --tokenizer chars --steps 100 --json

Run both in turn and compare tokens a second.
"""

import argparse
import json
import pathlib
import statistics
import time

import torch
from torch import nn
from torch.nn import functional

LAYERS, HEADS, WIDTH, CONTEXT, ROWS = 4, 4, 128, 64, 12
WARM_UP = 20


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention_norm = nn.LayerNorm(WIDTH)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.output = nn.Linear(WIDTH, WIDTH)
        self.network_norm = nn.LayerNorm(WIDTH)
        self.up = nn.Linear(WIDTH, 4 * WIDTH)
        self.down = nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        rows, seq, _ = x.shape
        heads = [part.view(rows, seq, HEADS, -1).transpose(1, 2) for part in self.qkv(self.attention_norm(x)).chunk(3, -1)]
        attended = functional.scaled_dot_product_attention(*heads, is_causal=True)
        x = x + self.output(attended.transpose(1, 2).reshape(rows, seq, WIDTH))
        return x + self.down(functional.gelu(self.up(self.network_norm(x)), approximate="tanh"))


class Decoder(nn.Module):
    def __init__(self, vocab):
        super().__init__()
        self.tokens = nn.Embedding(vocab, WIDTH)
        self.positions = nn.Embedding(CONTEXT, WIDTH)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, ids):
        x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))
        for layer in self.layers:
            x = layer(x)
        return self.norm(x) @ self.tokens.weight.T


def train(ids, vocab, steps):
    model = Decoder(vocab)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1)
    times = []
    for _ in range(steps):
        starts = torch.randint(len(ids) - CONTEXT - 1, (ROWS,))
        windows = torch.stack([ids[start : start + CONTEXT + 1] for start in starts])
        began = time.perf_counter()
        loss = functional.cross_entropy(model(windows[:, :-1]).reshape(-1, vocab), windows[:, 1:].reshape(-1))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        times.append(time.perf_counter() - began)
    return statistics.median(times[WARM_UP:]), loss.item()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    text = arguments.text.read_text()
    characters = sorted(set(text))
    number = {character: index for index, character in enumerate(characters)}
    ids = torch.tensor([number[character] for character in text])
    seconds, loss = train(ids, len(characters), arguments.steps)
    result = {"peer": f"torch {torch.__version__}", "ms_per_step": 1e3 * seconds, "tokens_per_second": ROWS * CONTEXT / seconds, "loss": loss}
    print(json.dumps(result) if arguments.json else result)


if __name__ == "__main__":
    main()
