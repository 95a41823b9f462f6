"""The exporter: counts become a smoothed model."""

from __future__ import annotations

from collections.abc import Iterator

import jupiter_sdk as sdk

from .checkpoint import SUFFIX, read_counts, write_model
from .kneser_ney import estimate

MODEL_MEDIA_TYPE = "application/vnd.jupiter.markov+json"


@sdk.exporter(
    "markov",
    sdk.NoConfig,
    description="Smooths a checkpoint's counts, and writes the model as one JSON file.",
    revision=1,
    deterministic=True,
    concurrent=True,
    consumes=[sdk.CHECKPOINT_MEDIA_TYPE],
    produces=[MODEL_MEDIA_TYPE],
)
def markov_exporter(call: sdk.Call, config: sdk.NoConfig, checkpoint: sdk.Artifact) -> Iterator[sdk.Output]:
    counts, step = read_counts(checkpoint.path)
    if not counts.grams:
        raise sdk.StageError("the checkpoint has seen no text")
    model = estimate(counts)
    name = f"model{SUFFIX}"
    write_model(call.work_dir / name, model)
    parameters = sum(len(after) for table in model.tables for after in table.values())
    meta = {"order": str(counts.order), "parameters": str(parameters), "step": str(step)}
    yield sdk.Output(name="model", media_type=MODEL_MEDIA_TYPE, path=name, meta=meta)
