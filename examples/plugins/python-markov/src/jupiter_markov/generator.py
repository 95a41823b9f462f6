"""The generator: it draws, completes and scores texts."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import jupiter_sdk as sdk

from .exporter import MODEL_MEDIA_TYPE
from .models import Models
from .sampling import Drawn, Sampling, draw, sample_seed, score
from .text import decode, encode

_BATCH_EVERY = 0.5  # seconds: whatever is there by then is sent
_BATCH_SIZE = 256  # records
_REPORT_EVERY = 0.5  # seconds


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig:
    """The attributes of a generator "markov" block; model, samples and seed are the core's."""

    temperature: float = sdk.attribute(
        default=1.0, description="Below 1 likely bytes become likelier. 0 takes the likeliest byte."
    )
    top_p: float = sdk.attribute(
        default=1.0,
        description="Draw from the fewest likeliest bytes that have this probability together. 1: from all.",
    )
    top_k: int = sdk.attribute(default=0, description="Draw from this many of the likeliest bytes. 0: from all.")
    min_p: float = sdk.attribute(
        default=0.0,
        description="Draw from bytes with at least this part of the likeliest one's probability. 0: from all.",
    )
    max_tokens: int = sdk.attribute(
        default=256,
        description="Bytes after which a text is cut. A sample that was cut is marked, and never trained on.",
    )
    stop: list[str] = sdk.attribute(default_factory=list, description="A text ends before the first of these strings.")

    def validate(self) -> Iterable[sdk.Diagnostic]:
        for name, ok, wanted in (
            ("temperature", 0 <= self.temperature <= 100, "between 0 and 100"),
            ("top_p", 0 < self.top_p <= 1, "above 0 and at most 1"),
            ("top_k", self.top_k >= 0, "at least 0"),
            ("min_p", 0 <= self.min_p <= 1, "between 0 and 1"),
            ("max_tokens", 1 <= self.max_tokens < 1 << 31, "at least 1"),
        ):
            if not ok:
                yield sdk.error("Value out of range", f"{name} is {getattr(self, name)}: it must be {wanted}.", name)
        for i, s in enumerate(self.stop):
            if not s:
                yield sdk.error("Empty stop string", "Every text contains the empty string.", "stop", i)

    def estimate(self, request: sdk.EstimateRequest) -> sdk.EstimateResponse:
        """How long texts become is up to the model: half of max_tokens is expected, all of it at most."""
        most = float(request.items * self.max_tokens)
        prompt = request.items * (1 + request.prompt_bytes) + request.scored_bytes
        return sdk.EstimateResponse(
            prompt_tokens=prompt, completion_tokens=most / 2, max_completion_tokens=most, bytes_written=most / 2
        )

    def fingerprint(self) -> str:
        raise sdk.StageError(
            "there is no model to run: name the trainer that makes it, as in model = trainer.markov.base"
        )

    def sampling(self, asked: sdk.Sampling | None) -> Sampling:
        """What a request asks for, or the configuration where it says nothing. In a request 0 switches a filter off."""
        own = Sampling(
            self.temperature, self.top_k, self.top_p, self.min_p, self.max_tokens, tuple(map(encode, self.stop))
        )
        if asked is None:
            return own
        if asked.json_schema:
            raise sdk.StageError("this generator cannot follow a JSON schema")
        if asked.repetition_penalty not in (0, 1):
            raise sdk.StageError("this generator has no repetition penalty")
        return replace(
            own,
            temperature=asked.temperature,
            top_k=asked.top_k,
            top_p=asked.top_p or 1.0,
            min_p=asked.min_p,
            max_tokens=asked.max_tokens or self.max_tokens,
            stop=tuple(map(encode, asked.stop)),
        )


@sdk.generator(
    "markov",
    GeneratorConfig,
    description="Runs an n-gram model that the exporter markov has written.",
    revision=1,
    deterministic=True,
    resumable=True,
    concurrent=True,
    consumes=[MODEL_MEDIA_TYPE],
    produces=[sdk.RECORDS_MEDIA_TYPE],
)
class MarkovGenerator(sdk.Generator[GeneratorConfig]):
    def __init__(self) -> None:
        self._models = Models()

    def generate(
        self, call: sdk.Call, config: GeneratorConfig, request: sdk.GenerateRequest
    ) -> Iterator[sdk.RecordBatch]:
        model = self._models.get(request.model if request.HasField("model") else None)
        sampling = config.sampling(request.sampling if request.HasField("sampling") else None)
        pace = Pace(call, sum(s.samples for s in request.sets), "samples")
        for s, start in remaining(request.sets, call.cursor):
            batch: list[sdk.Record] = []
            next_one, sent = start, time.monotonic()
            for i in range(start, s.start_index + s.samples):
                prompt = s.prompts[i % len(s.prompts)] if s.prompts else sdk.Prompt()
                tokens, seed = encode_prompt(prompt), sample_seed(call.seed, s.template, i)
                call.spend(len(tokens) + 1, 0)
                drawn = draw(model, tokens, sampling, seed, pace.stopped)
                if drawn is None:
                    break
                call.spend(0, drawn.count)
                batch.append(record(prompt, s.template, drawn, seed, len(tokens) + 1))
                next_one = i + 1
                pace.count(1)
                if len(batch) >= _BATCH_SIZE or time.monotonic() - sent >= _BATCH_EVERY:
                    yield sdk.RecordBatch(records=batch, cursor=cursor(s.template, next_one))
                    batch, sent = [], time.monotonic()
            if batch:
                yield sdk.RecordBatch(records=batch, cursor=cursor(s.template, next_one))
            if call.stopped.is_set():
                return

    def complete(
        self,
        call: sdk.Call,
        config: GeneratorConfig,
        model: sdk.Artifact | None,
        sampling: sdk.Sampling | None,
        prompts: Sequence[sdk.Prompt],
    ) -> Iterator[sdk.Completion]:
        m, how = self._models.get(model), config.sampling(sampling)
        pace = Pace(call, len(prompts), "completions")
        for i, p in enumerate(prompts):
            tokens = encode_prompt(p)
            call.spend(len(tokens) + 1, 0)
            # A completion depends on the prompt and its id; without an id, on its place.
            drawn = draw(
                m, tokens, how, sample_seed(call.seed, f"completion of {p.id}", 0 if p.id else i), pace.stopped
            )
            if drawn is None:
                return
            call.spend(0, drawn.count)
            pace.count(1)
            yield sdk.Completion(
                text=decode(drawn.tokens),
                logprobs=drawn.logprobs,
                finish_reason=drawn.finish,
                prompt_tokens=len(tokens) + 1,
                completion_tokens=drawn.count,
            )

    def score(
        self,
        call: sdk.Call,
        config: GeneratorConfig,
        model: sdk.Artifact | None,
        items: Sequence[sdk.LikelihoodItem],
    ) -> Iterator[sdk.LikelihoodEvent]:
        m = self._models.get(model)
        for item in items:
            if call.stopped.is_set():
                return
            event = sdk.LikelihoodEvent(prompt_id=item.prompt_id)
            for c in map(encode, item.continuations):
                logprob, n = score(m, encode(item.prompt), c, item.end)
                event.likelihoods.add(sum_logprob=logprob, tokens=n, bytes=len(c))
            yield event


def encode_prompt(prompt: sdk.Prompt) -> str:
    """The tokens that a model is given for a prompt."""
    if prompt.system:
        raise sdk.StageError(
            f'prompt "{prompt.id}" has a system message, and this model has no tokens for turns of a chat'
        )
    return encode(prompt.text)


def record(prompt: sdk.Prompt, template: str, drawn: Drawn, seed: int, prompt_tokens: int) -> sdk.Record:
    """A sample. One that was cut says so: it has not ended, and is not to be learned from."""
    meta = {"template": template}
    if drawn.finish == "length":
        meta["finish"] = "length"
    return sdk.Record(
        prompt=prompt.text,
        text=decode(drawn.tokens),
        bucket=prompt.bucket,
        sample_seed=seed,
        prompt_tokens=prompt_tokens,
        completion_tokens=drawn.count,
        meta=meta,
    )


def cursor(template: str, next_one: int) -> bytes:
    """Says that samples of the sets before this one, and below next_one in it, are done."""
    return json.dumps({"template": template, "next": next_one}, separators=(",", ":")).encode()


def remaining(sets: Sequence[sdk.PromptSet], at: bytes) -> Iterator[tuple[sdk.PromptSet, int]]:
    """What is left of the sets after a cursor, with the first sample of each. A host may also move start_index."""
    place = None
    if at:
        try:
            place = json.loads(at)
            templates = [s.template for s in sets]
            first = templates.index(place["template"])
        except (ValueError, KeyError, TypeError):
            raise sdk.StageError("the cursor is not one of this generator, or of this request") from None
        sets = sets[first:]
    for i, s in enumerate(sets):
        start = s.start_index
        if place is not None and i == 0:
            start = max(start, int(place["next"]))
        yield s, start


class Pace:
    """Tells the host how a call goes on, at most twice a second, also while one text takes long."""

    def __init__(self, call: sdk.Call, total: int, unit: str) -> None:
        self._call, self._total, self._unit = call, total, unit
        self._done = 0
        self._last = time.monotonic()

    def count(self, done: int) -> None:
        """Counts what is done."""
        self._done += done
        self._report()

    def stopped(self) -> bool:
        """Whether the call is to end; it is asked before every token."""
        self._report()
        return self._call.stopped.is_set()

    def _report(self) -> None:
        now = time.monotonic()
        if now - self._last >= _REPORT_EVERY:
            self._last = now
            self._call.progress(self._done, self._total, self._unit)
