#!/usr/bin/env python3
"""Fits the weights of `answer/extractive.rs` and tells how often the chosen sentences hold the answer.

Input: JSON Lines as `retrieval_eval --task answers --dump FILE` writes them, one row a question and candidate sentence: {"id": ...,
"features": {...}, "holds": whether a gold answer stands in it, "gold": whether it stands in a paragraph that answers}. Needs numpy.

The model is a softmax over the sentences of a question, fitted to put its mass on those that hold the answer and stand in a gold
paragraph, with an L2 penalty on standardised features; five folds by a hash of the question's id. `defines`, `asks` and `leads` are left out:
questions of this kind say nothing about them.
"""

import hashlib
import json
import sys
from collections import defaultdict

import numpy as np

FEATURES = ["coverage", "context", "before", "after", "closeness", "figure", "no_figure", "kind", "no_kind", "rank", "dense", "passage",
            "first", "length"]
FOLDS = 5
PENALTY = 1.0


def load(path):
    questions = defaultdict(list)
    with open(path, encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            questions[row["id"]].append(row)
    loaded = []
    for id_, rows in questions.items():
        values = np.array([[row["features"][name] for name in FEATURES] for row in rows])
        holds = np.array([row["holds"] for row in rows])
        gold = holds & np.array([row["gold"] for row in rows])
        loaded.append((hashlib.sha256(id_.encode()).digest()[0] % FOLDS, values, holds, gold))
    return loaded


def fit(questions):
    """Gradient descent with Adam's step on the mean loss; the problem is small and smooth."""
    stacked = np.concatenate([values for _, values, _, _ in questions])
    deviation = stacked.std(0) + 1e-6
    usable = [(values / deviation, gold) for _, values, _, gold in questions if gold.any()]
    weights, first, second = np.zeros(len(FEATURES)), np.zeros(len(FEATURES)), np.zeros(len(FEATURES))
    for step in range(1, 1501):
        gradient = 2 * PENALTY * weights
        for values, gold in usable:
            scores = values @ weights
            mass = np.exp(scores - scores.max())
            mass /= mass.sum()
            target = np.where(gold, mass, 0)
            gradient -= values.T @ (target / target.sum() - mass)
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        weights -= 0.02 * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return weights / deviation


def measure(questions, models, margins):
    one, two, both = [], {margin: [] for margin in margins}, {margin: [] for margin in margins}
    for fold, values, holds, _ in questions:
        scores = values @ models[fold]
        order = np.argsort(-scores, kind="stable")[:2]
        one.append(holds[order[0]])
        for margin in margins:
            taken = [at for at in order if scores[at] >= scores[order[0]] - margin]
            two[margin].append(holds[taken].any())
            both[margin].append(len(taken) == 2)
    print(f"one sentence: {np.mean(one):.3f}")
    for margin in margins:
        print(f"a second within {margin}: {np.mean(two[margin]):.3f}, taken in {np.mean(both[margin]):.3f}")


questions = load(sys.argv[1])
models = {fold: fit([q for q in questions if q[0] != fold]) for fold in range(FOLDS)}
print(f"{len(questions)} questions, held out:")
measure(questions, models, [0.5, 1.0, 1.5, 2.0, 3.0, 99.0])
whole = fit(questions)
print("fitted on all:", ", ".join(f"{name}: {weight:.2f}" for name, weight in zip(FEATURES, whole)))
measure(questions, {fold: whole for fold in range(FOLDS)}, [1.5])
