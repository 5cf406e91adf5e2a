"""Figures of scikit-learn, for tests/classification.rs.

    pip install scikit-learn==1.9.1
    python golden/classification.py > golden/classification.json
"""
import json
import random
import sys
import warnings

import numpy as np
from sklearn import metrics

LABELS = ["a", "b", "c", "d"]


def pairs(rng, n, skill):
    truth = [rng.choices(LABELS[:3], [5, 3, 1])[0] for _ in range(n)]
    predicted = [label if rng.random() < skill else rng.choice(LABELS) for label in truth]
    return truth, predicted


def averages(truth, predicted, average, zero_division):
    score = metrics.precision_recall_fscore_support(
        truth, predicted, labels=LABELS, average=average, zero_division=zero_division)
    return [None if np.isnan(figure) else float(figure) for figure in score[:3]]


def classes(truth, predicted):
    score = metrics.precision_recall_fscore_support(truth, predicted, labels=LABELS, zero_division=np.nan)
    half = metrics.fbeta_score(truth, predicted, labels=LABELS, beta=0.5, average=None, zero_division=np.nan)
    columns = [*score[:3], half]
    return [[None if np.isnan(value) else float(value) for value in row] for row in zip(*columns)]


def confusion(rng, n, skill):
    truth, predicted = pairs(rng, n, skill)
    return {
        "truth": truth,
        "predicted": predicted,
        "matrix": metrics.confusion_matrix(truth, predicted, labels=LABELS).flatten().tolist(),
        "accuracy": metrics.accuracy_score(truth, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, predicted),
        "matthews": metrics.matthews_corrcoef(truth, predicted),
        "classes": classes(truth, predicted),
        "macro_zero": averages(truth, predicted, "macro", 0),
        "macro_one": averages(truth, predicted, "macro", 1),
        "macro_exclude": averages(truth, predicted, "macro", np.nan),
        "weighted_zero": averages(truth, predicted, "weighted", 0),
        "micro": averages(truth, predicted, "micro", 0),
    }


def binary(rng, n, decimals):
    positive = [rng.random() < 0.3 for _ in range(n)]
    scores = [round(min(1, max(0, rng.gauss(0.6 if is_positive else 0.4, 0.2))), decimals) for is_positive in positive]
    false_positive_rate, recall, _ = metrics.roc_curve(positive, scores, drop_intermediate=False)
    return {
        "positive": positive,
        "scores": scores,
        "roc_auc": metrics.roc_auc_score(positive, scores),
        "average_precision": metrics.average_precision_score(positive, scores),
        "brier": metrics.brier_score_loss(positive, scores),
        "log_loss": metrics.log_loss(positive, [min(0.999, max(0.001, score)) for score in scores]),
        "recall_at_10": float(max(recall[false_positive_rate <= 0.1])),
        "calibration_error": calibration_error(positive, scores, 10),
    }


def calibration_error(positive, scores, bins):
    """Naeini et al. 2015, over the bins of scikit-learn's calibration curve."""
    accuracy, confidence = metrics_calibration(positive, scores, bins)
    edges = np.linspace(0, 1, bins + 1)
    counts = np.bincount(np.searchsorted(edges[1:-1], scores), minlength=bins)
    counts = counts[counts > 0]
    gaps = np.abs(accuracy - confidence)
    return [float(np.sum(gaps * counts) / len(scores)), float(max(gaps))]


def metrics_calibration(positive, scores, bins):
    from sklearn.calibration import calibration_curve

    return calibration_curve(positive, scores, n_bins=bins, strategy="uniform")


def multiclass(rng, n):
    truth = [rng.randrange(3) for _ in range(n)]
    rows = []
    for label in truth:
        weights = [rng.random() + (0.7 if place == label else 0.05) for place in range(3)]
        rows.append([weight / sum(weights) for weight in weights])
    return {
        "truth": truth,
        "rows": rows,
        "log_loss": metrics.log_loss(truth, rows),
        "brier": metrics.brier_score_loss(truth, rows, scale_by_half=False, labels=[0, 1, 2]),
        "roc_auc": metrics.roc_auc_score(truth, rows, multi_class="ovr", average="macro"),
    }


def main():
    warnings.simplefilter("ignore")
    rng = random.Random(11)
    golden = {
        "confusion": [confusion(rng, n, skill) for n, skill in [(60, 0.6), (60, 0.0), (7, 0.5), (3, 0.9), (200, 1.0)]],
        "binary": [binary(rng, n, decimals) for n, decimals in [(200, 3), (200, 1), (40, 2), (300, 2)]],
        "multiclass": [multiclass(rng, n) for n in [30, 120]],
    }
    json.dump(golden, sys.stdout, indent=0)


main()
