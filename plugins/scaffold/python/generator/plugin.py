"""A generator: it continues a prompt with words from a list. A model would be read from request.model.path."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import jupiter_sdk as sdk


@dataclass(frozen=True, kw_only=True)
class Config:
    """What a plan can say. effect is what a change of an attribute does to work that is done."""

    words: list[str] = sdk.attribute(default_factory=lambda: ["to", "be", "or", "not"], description="What it can say.")
    length: int = sdk.attribute(default=5, description="Words of a text.")
    batch: int = sdk.attribute(default=50, effect="none", description="Samples that are handed over at once.")

    def validate(self) -> Iterable[sdk.Diagnostic]:
        """Finds what the schema cannot."""
        if not self.words:
            yield sdk.error("No words", "There is nothing to draw from.", "words")
        for name, n in (("length", self.length), ("batch", self.batch)):
            if n < 1:
                yield sdk.error("Number too small", f"{name} is at least 1.", name)

    def estimate(self, request: sdk.EstimateRequest) -> sdk.EstimateResponse:
        """What texts take, before anything runs."""
        words = request.items * self.length
        return sdk.EstimateResponse(completion_tokens=words, max_completion_tokens=words, bytes_written=8 * words)

    def draw(self, sampling: sdk.Sampling | None, *seed: object) -> sdk.Draft:
        """A text that depends on its own seed alone: a call that goes on draws what the first would have.

        A word is a token here; the draft has as many as the sampling allows, and ends before the first stop sequence.
        """
        rng, draft = random.Random(repr(seed)), sdk.Draft(sampling)
        for i in range(self.length):
            if not draft.add((" " if i else "") + rng.choice(self.words)):
                break
        return draft


# revision rises when the same inputs give other outputs. Equal calls give equal bytes, a call goes on where it was cut
# off, and several run at once: true of what is below.
@sdk.generator(
    "starter",
    Config,
    description="Draws words from a list.",
    revision=1,
    deterministic=True,
    resumable=True,
    concurrent=True,
    produces=[sdk.RECORDS_MEDIA_TYPE],
)
class Generator(sdk.Generator[Config]):
    def generate(self, call: sdk.Call, config: Config, request: sdk.GenerateRequest) -> Iterable[sdk.RecordBatch]:
        """Draws the samples of each set.

        The host moves a set's start past what it has; when the call is stopped, what was handed over stays.
        """
        done, total = 0, sum(s.samples for s in request.sets)
        for s in request.sets:
            end = s.start_index + s.samples
            for first in range(s.start_index, end, config.batch):
                if call.stopped.is_set():
                    return
                numbers = range(first, min(end, first + config.batch))
                records = [self.sample(call, config, request.sampling, s, i) for i in numbers]
                done += len(records)
                yield sdk.RecordBatch(records=records, cursor=b"%d" % done)
                call.progress(done, total, "samples")

    def sample(
        self, call: sdk.Call, config: Config, sampling: sdk.Sampling | None, s: sdk.PromptSet, i: int
    ) -> sdk.Record:
        draft = config.draw(sampling, call.seed, s.template, i)
        call.spend(0, draft.tokens)
        return draft.record(s.prompts[i % len(s.prompts)] if s.prompts else None)

    def complete(
        self,
        call: sdk.Call,
        config: Config,
        model: sdk.Artifact | None,
        sampling: sdk.Sampling | None,
        prompts: Sequence[sdk.Prompt],
    ) -> Iterable[sdk.Completion]:
        """Answers prompts, one completion each, in order."""
        for p in prompts:
            if call.stopped.is_set():
                return
            draft = config.draw(sampling, call.seed, p.text)
            call.spend(0, draft.tokens)
            yield draft.completion()


PLUGIN = sdk.Plugin("starter", "0.1.0", [Generator])


def main() -> None:
    sdk.serve(PLUGIN)
