#!/usr/bin/env python3
"""Fits the logistic models of `answer/refusal.rs` and tells how well they refuse.

Input: JSON Lines as `retrieval_eval --task refusal --dump FILE` writes them, one row a question and case: {"id": ..., "answerable": ...,
"signals": {"cosine": ..., ...}}. Each question is there twice: with the collection as it is, and with the paragraphs that answer it left
out. Needs numpy. Both cases of a question fall into the same half, by a hash of its id. The weights and the threshold are fitted to the
first half and measured on the second, which the questions of `examples/assets/refusal.jsonl` come from; then the other way round, to see
how far they depend on the half.

    cargo run --example retrieval_eval -- --corpus C --queries Q --task refusal --dump dense.jsonl
    cargo run --example retrieval_eval -- --corpus C --queries Q --task refusal --strategy sparse --dump sparse.jsonl
    python3 crates/rag/tools/fit_refusal.py dense.jsonl sparse.jsonl
"""

import hashlib
import json
import sys

import numpy as np

SIGNALS = ["cosine", "sentence", "passage", "top", "closeness"]
RIDGE = 0.01  # on standardised signals, times the number of rows
FALSE_REFUSALS = 0.05  # the share of answerable questions that may be refused: the threshold is the least one that reaches it


def load(path):
    with open(path, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    values = np.array([[row["signals"][name] for name in SIGNALS] for row in rows])
    answerable = np.array([bool(row["answerable"]) for row in rows])
    half = np.array([hashlib.sha256(row["id"].encode()).digest()[0] % 2 for row in rows])
    return values, answerable, half


def fit(values, answerable):
    """Newton's method; signals that do not vary get no weight. Returns weights of the raw signals and the bias."""
    mean, deviation = values.mean(0), values.std(0)
    used = deviation > 1e-9
    design = np.hstack([(values[:, used] - mean[used]) / deviation[used], np.ones((len(values), 1))])
    penalty = np.diag([RIDGE * len(values) / 4] * used.sum() + [0.0])
    theta = np.zeros(design.shape[1])
    for _ in range(50):
        probability = 1 / (1 + np.exp(-design @ theta))
        gradient = design.T @ (answerable - probability) - penalty @ theta
        hessian = (design * (probability * (1 - probability))[:, None]).T @ design + penalty
        step = np.linalg.solve(hessian, gradient)
        theta += step
        if np.abs(step).max() < 1e-10:
            break
    weights = np.zeros(values.shape[1])
    weights[used] = theta[:-1] / deviation[used]
    return weights, theta[-1] - weights @ mean


def predict(model, values):
    return 1 / (1 + np.exp(-(values @ model[0] + model[1])))


def area(probability, answerable):
    """The area under the ROC curve, by ranks."""
    order = np.argsort(np.argsort(probability, kind="stable"), kind="stable") + 1
    positives = answerable.sum()
    return (order[answerable].sum() - positives * (positives + 1) / 2) / (positives * (~answerable).sum())


def threshold_of(probability, answerable):
    return np.quantile(probability[answerable], FALSE_REFUSALS)


def report(path):
    values, answerable, half = load(path)
    print(f"{path}: {answerable.sum()} answerable, {(~answerable).sum()} not")
    for part in (0, 1):
        train, test = half == part, half != part
        model = fit(values[train], answerable[train])
        threshold = threshold_of(predict(model, values[train]), answerable[train])
        print(f" fitted to half {part}")
        print("  weights:", ", ".join(f"{name}: {weight:.2f}" for name, weight in zip(SIGNALS, model[0])))
        print(f"  bias: {model[1]:.2f}, threshold: {threshold:.2f}")
        measure(predict(model, values[test]), answerable[test], threshold)


def measure(probability, answerable, threshold):
    refused = probability < threshold
    print(f"  on the other half: area under the curve {area(probability, answerable):.3f},", end=" ")
    print(f"refused {refused[answerable].mean():.3f} of the answerable, {refused[~answerable].mean():.3f} of the others")
    order = np.argsort(-probability, kind="stable")
    risks = {coverage: 1 - answerable[order[: int(coverage * len(order))]].mean() for coverage in (0.3, 0.4, 0.45, 0.5, 0.6, 0.8)}
    print("  unanswerable among the answered, by share answered:", ", ".join(f"{c}: {risk:.3f}" for c, risk in risks.items()))


for path in sys.argv[1:]:
    report(path)
