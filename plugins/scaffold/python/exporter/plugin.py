"""An exporter: it copies a checkpoint into the files that a generator runs, where a real one would convert it."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import jupiter_sdk as sdk

# What a generator of these files says that it consumes.
MODEL_MEDIA_TYPE = "application/vnd.starter.model"


@dataclass(frozen=True, kw_only=True)
class Config:
    """What a plan can say. effect is what a change of an attribute does to work that is done."""

    license: str = sdk.attribute(default="CC0-1.0", description="Written into the file LICENSE of the model: one line.")
    report: bool = sdk.attribute(default=True, effect="none", description="Show each file as it is copied.")

    def validate(self) -> Iterable[sdk.Diagnostic]:
        """Finds what the schema cannot."""
        if len(self.license.splitlines()) > 1:
            yield sdk.error("More than a line", 'license is one line, such as "CC0-1.0".', "license")


# revision rises when the same inputs give other outputs. Equal calls give equal bytes, and several run at once: true of
# what is below.
@sdk.exporter(
    "starter",
    Config,
    description="Copies a checkpoint, with a licence beside it.",
    revision=1,
    deterministic=True,
    concurrent=True,
    consumes=[sdk.CHECKPOINT_MEDIA_TYPE],
    produces=[MODEL_MEDIA_TYPE],
)
def export(call: sdk.Call, config: Config, checkpoint: sdk.Artifact) -> Iterable[sdk.Output]:
    """Writes below the call's work directory, and names the output "model".

    A checkpoint is a file or a directory. An export that is stopped begins again, so it gives nothing.
    """
    source, model = Path(checkpoint.path), call.work_dir / "model"
    model.mkdir()
    files = sorted(p for p in source.rglob("*") if p.is_file()) if source.is_dir() else [source]
    for n, file in enumerate(files, 1):
        if call.stopped.is_set():
            return
        to = model / (file.relative_to(source) if source.is_dir() else "weights")
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, to)
        if config.report:
            call.progress(n, len(files), "files")
    (model / "LICENSE").write_text(config.license + "\n")
    yield sdk.Output(name="model", path="model", media_type=MODEL_MEDIA_TYPE)


PLUGIN = sdk.Plugin("starter", "0.1.0", [export])


def main() -> None:
    sdk.serve(PLUGIN)
