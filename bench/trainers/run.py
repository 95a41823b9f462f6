"""How fast the trainers mlx and torch train one model on this machine, side by side: rounds take turns, and medians count.

run.py MODEL NAME=PYTHON…     NAME is mlx or torch, PYTHON has that trainer; MODEL is a directory of Hugging Face's
"""

import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

ROUNDS = 3
METHODS = {"lora": "adapters on all layers", "full": "whole model"}


def main() -> None:
    model, pythons = sys.argv[1], dict(a.split("=", 1) for a in sys.argv[2:])
    script = str(Path(__file__).with_name("measure.py"))
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    for _ in range(ROUNDS):
        for method in METHODS:
            for trainer, python in pythons.items():
                done = subprocess.run([python, script, trainer, method, model], stdout=subprocess.PIPE, text=True)
                if done.returncode != 0:
                    sys.exit(f"{trainer} does not train: see above")
                found.setdefault((trainer, method), []).append(json.loads(done.stdout.splitlines()[-1]))
    speed = {k: statistics.median(r["tokens_per_second"] for r in all) for k, all in found.items()}
    memory = {k: statistics.median(r["memory_gb"] for r in all) for k, all in found.items()}
    print(f"{platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; {ROUNDS} rounds")
    print(f"\n| tokens a second, memory | {' | '.join(METHODS.values())} |\n| --- {'| --- ' * len(METHODS)}|")
    for trainer in pythons:
        cells = [f"{speed[trainer, m]:.0f}, {memory[trainer, m]:.1f} GB" for m in METHODS]
        print(f"| {trainer} | {' | '.join(cells)} |")
    result = {f"{t}_{m}": round(speed[t, m], 1) for t in pythons for m in METHODS}
    if {"mlx", "torch"} <= pythons.keys():
        for m in METHODS:
            result[f"mlx_vs_torch_{m}"] = round(speed["mlx", m] / speed["torch", m], 2)
    print("\nRESULT " + json.dumps(result, separators=(",", ":")))


main()
