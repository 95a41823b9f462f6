"""The attributes that all these trainers have, beside the core's own."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import jupiter_sdk as sdk

FULL, LORA = "full", "lora"
AUTO = "auto"
TEXT, CHAT = "text", "chat"
DTYPES = ("bf16", "f16", "f32")

_LORA_RANK = 16
_TYPICAL = 8  # the share of max_seq_length that a record is taken to fill, for the first forecast: one in so many


@dataclass(frozen=True, kw_only=True)
class Lora:
    """The attributes of `lora`. Nothing said: rank 16, alpha twice the rank, no dropout, all linear layers."""

    rank: int | None = None
    alpha: float | None = None
    dropout: float | None = None
    targets: list[str] | None = None


@dataclass(frozen=True)
class Adapter:
    """What `lora` comes to."""

    rank: int
    alpha: float
    dropout: float
    targets: tuple[str, ...]  # empty: every linear layer but the output's


@dataclass(frozen=True, kw_only=True)
class Config:
    """The attributes of a trainer block."""

    method: str = sdk.attribute(
        default=LORA, description='"lora" trains adapters beside the frozen model, "full" the model itself.'
    )
    lora: Lora | None = sdk.attribute(
        default=None,
        description="Adapters: rank (16), alpha (twice the rank), dropout (0), and targets, names of linear layers such "
        'as "q_proj" (all of them but the output layer).',
    )
    dtype: str = sdk.attribute(
        default=AUTO,
        description='Numbers that the model computes with: "bf16", "f16" or "f32". What is trained is kept in float32.',
    )
    learning_rate: float | None = sdk.attribute(
        default=None, description="Peak learning rate. Default: 0.0002 of adapters, 0.00002 of a whole model."
    )
    warmup_steps: int = sdk.attribute(default=10, description="Steps of linear warm-up at the start of each window.")
    min_lr_ratio: float = sdk.attribute(
        default=0.05, description="Learning rate at the end of the cosine, as a share of the peak."
    )
    weight_decay: float = sdk.attribute(default=0.01, description="Decoupled weight decay of all matrices.")
    betas: list[float] = sdk.attribute(
        default_factory=lambda: [0.9, 0.999], description="AdamW's two averaging factors."
    )
    clip: float = sdk.attribute(default=1.0, description="Largest norm of the gradient; 0 for no limit.")
    batch_size: int = sdk.attribute(default=16, description="Records of a step, on all devices together.")
    micro_batch: int = sdk.attribute(
        default=4,
        effect="none",
        description="Rows that are computed at once. Gradients are gathered until the batch is whole: but for rounding it "
        "changes no result. Where memory runs out it is halved.",
    )
    max_seq_length: int = sdk.attribute(default=512, description="Longest sequence in tokens; longer records are cut.")
    packing: bool = sdk.attribute(
        default=False,
        description="Whether a step's records share rows of max_seq_length tokens. None sees another.",
    )
    gradient_checkpointing: bool = sdk.attribute(
        default=False,
        effect="none",
        description="Whether layers are computed again on the way back, instead of being remembered.",
    )
    prompt_loss_weight: float = sdk.attribute(
        default=0.0,
        description="Weight of a prompt's tokens in the loss, where an answer's weigh 1. Of a chat, what its messages say "
        "of themselves counts.",
    )

    prompts: str = sdk.attribute(
        default=TEXT,
        description='How a record with a prompt is learned: "text", as the beginning of a text, or "chat", as the question '
        'of one, by the model\'s own template. Say "chat" where the generator is asked so.',
    )

    def validate(self) -> Iterable[sdk.Diagnostic]:
        yield from self._words()
        yield from self._numbers()
        yield from self._adapters()

    def _words(self) -> Iterable[sdk.Diagnostic]:
        for name, value, there in (
            ("method", self.method, (LORA, FULL)),
            ("dtype", self.dtype, (AUTO, *DTYPES)),
            ("prompts", self.prompts, (TEXT, CHAT)),
        ):
            if value not in there:
                yield sdk.error("Unknown word", f"{name} is {_short(value)}; there are {', '.join(there)}.", name)

    def _numbers(self) -> Iterable[sdk.Diagnostic]:
        yield from _whole("warmup_steps", self.warmup_steps, 0, 1 << 30)
        yield from _whole("batch_size", self.batch_size, 1, 1 << 20)
        yield from _whole("micro_batch", self.micro_batch, 1, 1 << 20)
        yield from _whole("max_seq_length", self.max_seq_length, 2, 1 << 20)
        if self.learning_rate is not None:
            yield from _real("learning_rate", self.learning_rate, 10)
        yield from _real("min_lr_ratio", self.min_lr_ratio, 1)
        yield from _real("weight_decay", self.weight_decay, 10)
        yield from _real("clip", self.clip, 1e9)
        yield from _real("prompt_loss_weight", self.prompt_loss_weight, 1000)
        if len(self.betas) != 2:
            detail = f"betas has {len(self.betas)} numbers; AdamW has two averaging factors, such as [0.9, 0.999]."
            yield sdk.error("Two numbers wanted", detail, "betas")
            return
        for i, b in enumerate(self.betas):
            yield from _real("betas", b, 1, "betas", i, below=True)

    def _adapters(self) -> Iterable[sdk.Diagnostic]:
        if self.lora is None:
            return
        if self.method == FULL:
            detail = 'lora is about adapters, and method = "full" trains none: take one of the lines out.'
            yield sdk.error("No adapters", detail, "lora")
        a = self.adapter
        yield from _whole("lora.rank", a.rank, 1, 4096, "lora", "rank")
        if not (0 < a.alpha <= 1e6):
            yield sdk.error("Number out of range", f"lora.alpha is {a.alpha:g}; it must be above 0.", "lora", "alpha")
        yield from _real("lora.dropout", a.dropout, 1, "lora", "dropout", below=True)
        for i, t in enumerate(a.targets):
            if not t or not t.replace("_", "").replace(".", "").isalnum():
                detail = f"{_short(t)} is no name of a layer, such as q_proj."
                yield sdk.error("Unusable name", detail, "lora", "targets", i)

    @property
    def adapter(self) -> Adapter:
        lora = self.lora or Lora()
        rank = _LORA_RANK if lora.rank is None else lora.rank
        alpha = 2.0 * rank if lora.alpha is None else lora.alpha
        return Adapter(rank, alpha, lora.dropout or 0.0, tuple(dict.fromkeys(lora.targets or ())))

    @property
    def peak(self) -> float:
        """The peak learning rate."""
        if self.learning_rate is not None:
            return self.learning_rate
        return 2e-4 if self.method == LORA else 2e-5

    def forecast(self, request: sdk.EstimateRequest) -> sdk.EstimateResponse:
        """What so many steps read. The model's size is nowhere in a configuration, so nothing is said of the rest."""
        records = request.items * self.batch_size
        return sdk.EstimateResponse(records=records, prompt_tokens=records * max(2.0, self.max_seq_length / _TYPICAL))


def _whole(name: str, value: int, low: int, high: int, *path: str | int) -> Iterable[sdk.Diagnostic]:
    if not low <= value <= high:
        yield sdk.error("Number out of range", f"{name} must be from {low} to {high}.", *(path or (name,)))


def _real(name: str, value: float, high: float, *path: str | int, below: bool = False) -> Iterable[sdk.Diagnostic]:
    if not math.isfinite(value) or value < 0 or value > high or (below and value == high):
        bound = "below" if below else "at most"
        detail = f"{name} is {value:g}; it must be at least 0 and {bound} {high:g}."
        yield sdk.error("Number out of range", detail, *(path or (name,)))


def _short(value: str) -> str:
    return repr(value if len(value) <= 40 else value[:40] + "…")
