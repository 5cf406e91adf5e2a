"""Python's `json_repair` on the corpus of `cargo bench -p jarre-guardrails --bench repair`: the share that it reads as meant, and its time.

    pip install json_repair jsonschema
    python benches/peers/repair_peers.py [--rounds 20]

Lines with a schema are counted apart; `json_repair` is given the schema. A text that it returns unread, or as an empty text, counts as refused.
"""

import argparse
import json
import math
import pathlib
import statistics
import time

import json_repair

CORPUS = pathlib.Path(__file__).parents[2] / "crates/guardrails/tests/repair_corpus.txt"
NOTHING = object()


def read(line, **options):
    try:
        value = json_repair.loads(line["broken"], **options)
    except Exception:
        return NOTHING
    return NOTHING if value in ("", line["broken"]) else value


def same(one, other):
    """Equality that tells true from 1, as JSON does."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True) or (
        isinstance(one, float) and isinstance(other, (int, float)) and not isinstance(other, bool) and one == other
    )


def interval(hits, count, z=1.96):
    share = hits / count
    middle = share + z * z / (2 * count)
    spread = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return (middle - spread) / (1 + z * z / count), (middle + spread) / (1 + z * z / count)


def table(name, lines, outcomes):
    readable = [(line, value) for line, value in zip(lines, outcomes) if "expected" in line]
    doubtful = [value for line, value in zip(lines, outcomes) if "expected" not in line]
    right = sum(value is not NOTHING and same(value, line["expected"]) for line, value in readable)
    refused = sum(value is NOTHING for value in doubtful)
    for what, hits, count in (("read as meant", right, len(readable)), ("refused as meant", refused, len(doubtful))):
        low, high = interval(hits, count)
        print(f"{name}, {what}: {hits}/{count} (95 %: {low:.3f} to {high:.3f})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    lines = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    plain = [line for line in lines if "schema" not in line]
    fitted = [line for line in lines if "schema" in line]
    table("json_repair", plain, [read(line) for line in plain])
    table("json_repair with the schema", fitted, [read(line, schema=line["schema"]) for line in fitted])
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        for line in plain:
            read(line)
        times.append(time.perf_counter() - start)
    print(f"{len(plain)} lines: {statistics.median(times) * 1e3:.2f} ms")
    row = "{{'id': {0}, 'name': 'row {0}, it\\'s one', 'tags': ['a', 'b',], 'ok': True, 'none': None}}"
    text = "[" + ",\n ".join(row.format(number) for number in range(12_000)) + "]"
    start = time.perf_counter()
    value = json_repair.loads(text)
    print(f"{len(text)} bytes: {time.perf_counter() - start:.2f} s, {'right' if value[-1]['id'] == 11_999 else 'wrong'}")


if __name__ == "__main__":
    main()
