"""Gradients, the optimizer, and what is saved."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from jupiter_trainers import source
from jupiter_trainers.checkpoint import ADAPTER, MODEL, STATE
from jupiter_trainers.config import FULL
from jupiter_trainers.engine import NotFinite
from jupiter_trainers.feed import Row
from jupiter_trainers.start import Start
from safetensors.torch import load_file, save_file

from . import devices
from . import model as models
from .config import Config
from .errors import translated

_OPTIMIZER, _SCALE = "optimizer.safetensors", "scale.json"
_MOMENTS = ("exp_avg", "exp_avg_sq", "step")


class TorchEngine:
    """A model in torch. What is trained is kept in float32, whatever the model computes with."""

    def __init__(self, config: Config, start: Start, seed: int, device: str) -> None:
        self._config, self._device = config, device
        self._dtype = devices.numbers(devices.dtype_of(config, device))
        together = dist.is_initialized()
        self.rank: int = dist.get_rank() if together else 0
        self.processes: int = dist.get_world_size() if together else 1
        self._layers: list[str] = []
        with translated():
            self._model = models.load(start.model, config, device)
            if config.packing:
                models.check_packing(self._model, config.max_seq_length)
            if config.gradient_checkpointing:
                self._model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
            if config.method != FULL:
                self._model, self._layers = models.adapt(self._model, config, seed)
            if start.adapter is not None:
                models.read_adapters(self._model, start.adapter, config, self._layers)
            self._model.train()
            self._trained = {n: p for n, p in self._model.named_parameters() if p.requires_grad}
            self._optimizer = _optimizer(config, self._trained.values())
            # Gradients in f16 are too small for it: the loss is scaled, as far as it goes.
            self._scaler = torch.amp.GradScaler(device, enabled=self._dtype == torch.float16)
            if start.state is not None:
                self._read_state(start.state)

    def gradients(self, rows: Sequence[Row], total: float, seed: int) -> float:
        with translated():
            torch.manual_seed(seed)
            width = max(len(r.tokens) for r in rows)
            tokens = self._tensor([r.tokens + [0] * (width - len(r.tokens)) for r in rows], torch.long)
            weights = self._tensor([r.weights + [0.0] * (width - len(r.tokens)) for r in rows], torch.float32)
            with torch.autocast(self._device, self._dtype, enabled=self._dtype != torch.float32):
                logits = self._model(input_ids=tokens[:, :-1], use_cache=False, **self._shared(rows, width - 1)).logits
            losses = torch.nn.functional.cross_entropy(
                logits.float().flatten(0, 1), tokens[:, 1:].flatten(), reduction="none"
            )
            loss = (losses * weights[:, 1:].flatten()).sum() / total
            self._scaler.scale(loss).backward()
            return float(loss.item())

    def _shared(self, rows: Sequence[Row], width: int) -> dict[str, torch.Tensor]:
        """Positions and attention for rows that several records share; nothing where each has one record alone."""
        if all(len(r.lengths) == 1 for r in rows):
            return {}
        record = [[i for i, n in enumerate(r.lengths) for _ in range(n)] for r in rows]
        position = [[i for n in r.lengths for i in range(n)] for r in rows]
        of = self._tensor([(r + [-1] * width)[:width] for r in record], torch.long)
        at = torch.arange(width, device=of.device)
        mask = ((of[:, :, None] == of[:, None, :]) & (at[:, None] >= at[None]))[:, None]
        if getattr(self._model.config, "_attn_implementation", "") != "sdpa":  # others take what is added to scores
            added = torch.zeros(mask.shape, dtype=self._dtype, device=mask.device)
            mask = added.masked_fill_(~mask, torch.finfo(self._dtype).min)
        return {
            "attention_mask": mask,
            "position_ids": self._tensor([(p + [0] * width)[:width] for p in position], torch.long),
        }

    def _tensor(self, values: list[Any], dtype: torch.dtype) -> torch.Tensor:
        return torch.tensor(values, dtype=dtype, device=devices.place(self._device))

    def apply(self, rate: float, loss: float) -> tuple[float, float]:
        with translated():
            loss = self._sum(loss)
            self._scaler.unscale_(self._optimizer)
            limit = self._config.clip if self._config.clip > 0 else math.inf
            norm = float(torch.nn.utils.clip_grad_norm_(self._trained.values(), limit).item())
            # Where losses are scaled, a gradient may be too large for once: the scaler leaves that step out.
            if not math.isfinite(loss) or (not math.isfinite(norm) and self._scaler.get_scale() <= 1):
                self.discard()
                raise NotFinite(f"the loss is {loss:g} and the gradient's norm {norm:g}")
            for group in self._optimizer.param_groups:
                group["lr"] = rate
            self._scaler.step(self._optimizer)
            self._scaler.update()
            self._optimizer.zero_grad(set_to_none=True)
        return loss, norm

    def _sum(self, loss: float) -> float:
        """Sums loss and gradients over all processes."""
        if self.processes == 1:
            return loss
        for p in self._trained.values():
            if p.grad is None:  # this process had no rows
                p.grad = torch.zeros_like(p)
            dist.all_reduce(p.grad)
        total = torch.tensor([loss], dtype=torch.float64, device=self._place())
        dist.all_reduce(total)
        return float(total.item())

    def agree(self, state: int) -> int:
        if self.processes == 1:
            return state
        highest = torch.tensor([state], device=self._place())
        dist.all_reduce(highest, op=dist.ReduceOp.MAX)
        return int(highest.item())

    def _place(self) -> torch.device:
        return devices.place(self._device)

    def discard(self) -> None:
        self._optimizer.zero_grad(set_to_none=True)
        devices.collect(self._device)

    def save(self, directory: Path) -> None:
        tensors = {
            f"{name}.{m}": self._optimizer.state[p][m].detach().cpu().contiguous()
            for name, p in self._trained.items()
            for m in _MOMENTS
            if p in self._optimizer.state
        }
        save_file(tensors, str(directory / STATE / _OPTIMIZER), {"format": "pt"})
        if self._scaler.is_enabled():
            (directory / STATE / _SCALE).write_text(json.dumps(self._scaler.state_dict()), encoding="utf-8")
        if self._layers:
            models.write_adapters(self._model, directory / ADAPTER, self._config, self._layers)
        else:
            self._model.save_pretrained(str(directory / MODEL))

    def _read_state(self, directory: Path) -> None:
        file = directory / _OPTIMIZER
        source.header(file)  # an error that says what is wrong with it
        there = load_file(str(file))
        for name, p in self._trained.items():
            if f"{name}.step" not in there:
                continue  # it had no gradient yet
            found = {m: there[f"{name}.{m}"] for m in _MOMENTS}
            self._optimizer.state[p] = {m: v if m == "step" else v.to(p.device) for m, v in found.items()}
        if self._scaler.is_enabled() and (directory / _SCALE).exists():
            self._scaler.load_state_dict(json.loads((directory / _SCALE).read_text(encoding="utf-8")))

    def memory(self) -> float:
        return devices.peak(self._device)

    def close(self) -> None:
        self._model = self._optimizer = None
        self._trained = {}
        devices.collect(self._device)


def _optimizer(config: Config, parameters: Any) -> Any:
    """AdamW, which lets matrices decay and nothing else."""
    several = list(parameters)
    groups = [
        {"params": [p for p in several if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in several if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        [g for g in groups if g["params"]], lr=config.peak, betas=(config.betas[0], config.betas[1])
    )
