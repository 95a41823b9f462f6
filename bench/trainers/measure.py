"""How fast one trainer trains a model. Run with the Python of its environment; writes a line of JSON.

measure.py TRAINER METHOD MODEL
"""

import importlib
import json
import sys
import tempfile
from pathlib import Path

import jupiter_sdk as sdk
from jupiter_sdk import testing
from jupiter_trainers.testing import Bench, metrics, write_records

ROWS, LENGTH, STEPS = 2, 128, 4


def main() -> None:
    trainer, method, model = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    plugin = importlib.import_module(f"jupiter_{trainer}.plugin").PLUGIN
    config = {"method": method, "dtype": "f32", "batch_size": ROWS, "micro_batch": ROWS, "max_seq_length": LENGTH}
    with tempfile.TemporaryDirectory() as work, testing.connect(plugin) as conn:
        # Texts that are longer than a row: each is cut at its length.
        text = "The canal was begun under Antonio de Ulloa. " * 20
        texts = [sdk.Record(text=f"{i}: {text}") for i in range(ROWS * STEPS)]
        data = write_records(Path(work) / "records.jsonl.zst", texts)
        bench = Bench(conn, trainer, config, model, data)
        events = bench.events(bench.request(0, STEPS, end=STEPS))
        m = metrics(events)  # of the last step
        json.dump({"tokens_per_second": m["tokens_per_second"], "memory_gb": m["memory_bytes"] / 1e9}, sys.stdout)
    print()


main()
