"""A collector: it reads a text file, a record a line."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import jupiter_sdk as sdk


@dataclass(frozen=True, kw_only=True)
class Config:
    """What a plan can say. effect is what a change of an attribute does to work that is done."""

    path: str = sdk.attribute(description="The file, relative to the plan.")
    min_chars: int = sdk.attribute(default=1, description="Shorter lines are passed over.")
    batch: int = sdk.attribute(default=100, effect="none", description="Records that are handed over at once.")

    def validate(self) -> Iterable[sdk.Diagnostic]:
        """Finds what the schema cannot."""
        if self.min_chars < 0:
            yield sdk.error("Negative length", "min_chars is a number of characters.", "min_chars")
        if self.batch < 1:
            yield sdk.error("Empty batch", "A batch has at least one record.", "batch")

    def fingerprint(self) -> str:
        """What the source is now. A plan finds by it that the file has changed."""
        try:
            return "sha256:" + hashlib.sha256(Path(self.path).read_bytes()).hexdigest()
        except OSError as e:
            raise sdk.StageError(str(e)) from e


# revision rises when the same inputs give other outputs. Equal calls give equal bytes, a call goes on from a cursor,
# and several run at once: true of what is below.
@sdk.collector(
    "starter",
    Config,
    description="Reads a text file, a record a line.",
    revision=1,
    deterministic=True,
    resumable=True,
    concurrent=True,
)
def collect(call: sdk.Call, config: Config) -> Iterable[sdk.RecordBatch]:
    """Goes on behind the line that the cursor names. The host keeps what was handed over with a cursor."""
    start = line = int(call.cursor or b"0")
    batch: list[sdk.Record] = []
    if not Path(config.path).is_file():
        raise sdk.StageError(f"there is no file {config.path}")
    with open(config.path, encoding="utf-8") as file:
        for n, raw in enumerate(file, 1):
            if call.stopped.is_set():
                break
            text = raw.strip()
            if n <= start:
                continue
            line = n
            if text and len(text) >= config.min_chars:
                batch.append(sdk.Record(text=text, meta={"source_line": str(n)}))
            if len(batch) == config.batch:
                yield sdk.RecordBatch(records=batch, cursor=b"%d" % n)
                call.progress(n, unit="lines")
                batch = []
    yield sdk.RecordBatch(records=batch, cursor=b"%d" % line)
    call.progress(line, unit="lines")


PLUGIN = sdk.Plugin("starter", "0.1.0", [collect])


def main() -> None:
    sdk.serve(PLUGIN)
