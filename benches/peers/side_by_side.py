"""What the scripts beside it share: a program of ours that answers lines with seconds, and the table of both sides."""

import argparse
import json
import platform
import subprocess
import time

import torch

# Threads of a side look for work for some milliseconds after its last product (libgomp's do), on the cores of the side that is next.
PAUSE = 0.02


def arguments(repeats=7):
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--repeats", type=int, default=repeats)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    found = parser.parse_args()
    torch.set_num_threads(found.threads)
    return found


class Program:
    """Runs while cases are measured; `seconds` asks it for one, when the side before has come to rest, and then rests itself."""

    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def seconds(self, *case):
        time.sleep(PAUSE)
        print(*case, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"{self.process.args[0]} ended at: {' '.join(map(str, case))}")
        time.sleep(PAUSE)
        return float(answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def show(rows, found, unit):
    if found.json:
        print(json.dumps(rows))
        return
    width = max(len(row["case"]) for row in rows)
    print(f"{platform.processor() or platform.machine()}, {found.threads} threads, torch {torch.__version__}, {unit}")
    for row in rows:
        print(f"{row['case']:{width}} {row['ours']:9} {row['peer']:9}  {row['ratio']:.2f}")
