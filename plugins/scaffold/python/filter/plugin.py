"""A filter: it drops texts in capitals."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import jupiter_sdk as sdk


@dataclass(frozen=True, kw_only=True)
class Config:
    """What a plan can say. effect is what a change of an attribute does to work that is done."""

    max_share: float = sdk.attribute(
        default=0.5, description="Most of a text's letters that may be capitals, from 0 to 1."
    )
    report: bool = sdk.attribute(default=True, effect="none", description="Show how many were dropped while it runs.")

    def validate(self) -> Iterable[sdk.Diagnostic]:
        """Finds what the schema cannot."""
        if not 0 <= self.max_share <= 1:
            yield sdk.error("Share out of range", "max_share is between 0 and 1.", "max_share")


# revision rises when the same inputs give other outputs. Equal calls give equal bytes, and several run at once: true of
# what is below.
@sdk.filter("starter", Config, description="Drops texts in capitals.", revision=1, deterministic=True, concurrent=True)
class Judge(sdk.Judge):
    """Serves one call, from one thread."""

    def __init__(self, call: sdk.Call, config: Config) -> None:
        self.call, self.config = call, config
        self.seen = self.dropped = 0

    def judge(self, records: Sequence[sdk.Record]) -> list[sdk.Verdict]:
        """One verdict a record, in order.

        A call that is stopped has nothing to save, so it answers what it was asked, and the host ends it between two
        batches.
        """
        verdicts = [self.verdict(r.text) for r in records]
        self.seen += len(records)
        self.dropped += sum(not v.keep for v in verdicts)
        if self.config.report and not self.call.stopped.is_set():
            self.call.progress(self.seen, unit="records", metrics={"dropped": self.dropped})
        return verdicts

    def verdict(self, text: str) -> sdk.Verdict:
        letters = [c for c in text if c.isalpha()]
        share = sum(c.isupper() for c in letters) / max(1, len(letters))
        keep = share <= self.config.max_share
        # The reason is a short stable word: dropped records are counted by it.
        return sdk.Verdict(keep=keep, score=share, reason="" if keep else "capitals")


PLUGIN = sdk.Plugin("starter", "0.1.0", [Judge])


def main() -> None:
    sdk.serve(PLUGIN)
