"""Writes reference.json: what PyTorch computes for three small models, in float64.

    python reference.py > reference.json

Tests compare the logits, the loss, the gradient of every parameter and the loss of ten updates with it. Parameters and
tokens come from formulas that the tests repeat, in numbers that float32 holds exactly. Needs PyTorch alone.
"""

import json
import math

import torch
import torch.nn.functional as F

STEPS, RATE, DECAY, CLIP = 10, 0.01, 0.1, 1.0
CASES = {
    "tied, grouped heads": {"vocab": 19, "dim": 10, "layers": 2, "heads": 4, "kv_heads": 2, "head_dim": 6, "ffn": 13, "tied": True},
    "untied": {"vocab": 17, "dim": 12, "layers": 1, "heads": 2, "kv_heads": 2, "head_dim": 6, "ffn": 9, "tied": False},
    "scaled positions": {
        "vocab": 17, "dim": 8, "layers": 1, "heads": 2, "kv_heads": 1, "head_dim": 8, "ffn": 9, "tied": True,
        "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 100},
    },
}
LENGTHS = [8, 3, 12]
THETA, EPS = 10000.0, 1e-5


def shapes(c: dict) -> list[tuple[str, tuple[int, ...]]]:
    """All parameters, in the order in which they lie in one vector."""
    q, kv = c["heads"] * c["head_dim"], c["kv_heads"] * c["head_dim"]
    block = [
        ("attn_norm", (c["dim"],)), ("qkv", (q + 2 * kv, c["dim"])), ("o", (c["dim"], q)),
        ("ffn_norm", (c["dim"],)), ("gate_up", (2 * c["ffn"], c["dim"])), ("down", (c["dim"], c["ffn"])),
    ]
    every = [("embed", (c["vocab"], c["dim"]))]
    for i in range(c["layers"]):
        every += [(f"layers.{i}.{name}", shape) for name, shape in block]
    every.append(("norm", (c["dim"],)))
    return every if c["tied"] else [*every, ("output", (c["vocab"], c["dim"]))]


def parameters(c: dict) -> dict[str, torch.Tensor]:
    """Number i is uniform in [−½, ½) by Knuth's multiplicative hash; gains are around 1."""
    every, at = {}, 0
    for name, shape in shapes(c):
        n = torch.Size(shape).numel()
        values = [((i * 2654435761 % 2**32) >> 16) / 65536 - 0.5 for i in range(at, at + n)]
        at += n
        every[name] = (torch.tensor(values, dtype=torch.float64).view(shape) + float(len(shape) == 1)).requires_grad_()
    return every


def sequences(c: dict) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Tokens, and the weight of each in the loss."""
    return [
        (
            torch.tensor([(5 * j + 3 * s * j * j + s) % c["vocab"] for j in range(n)]),
            torch.tensor([[1.0, 0.25, 0.0, 1.0][(j + s) % 4] for j in range(n)], dtype=torch.float64),
        )
        for s, n in enumerate(LENGTHS)
    ]


def frequencies(c: dict) -> torch.Tensor:
    """Turns a position, in radians. Of three kinds where they are scaled: as they are, divided by the factor, and between."""
    head = c["head_dim"]
    every = THETA ** (-torch.arange(head // 2, dtype=torch.float64) * 2 / head)
    if s := c.get("rope_scaling"):
        length, low, high = s["original_max_position_embeddings"], s["low_freq_factor"], s["high_freq_factor"]
        for i, f in enumerate(every.tolist()):
            wave = 2 * math.pi / f
            if wave > length / low:
                every[i] = f / s["factor"]
            elif wave >= length / high:
                smooth = (length / wave - low) / (high - low)
                every[i] = (1 - smooth) * f / s["factor"] + smooth * f
    return every


def rotate(x: torch.Tensor, c: dict) -> torch.Tensor:
    """x is [heads, length, head]."""
    half = c["head_dim"] // 2
    angles = torch.outer(torch.arange(x.shape[1], dtype=torch.float64), frequencies(c))
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * angles.cos() - b * angles.sin(), b * angles.cos() + a * angles.sin()], -1)


def logits(c: dict, p: dict[str, torch.Tensor], ids: torch.Tensor) -> torch.Tensor:
    x = p["embed"][ids]
    q, kv, head = c["heads"] * c["head_dim"], c["kv_heads"] * c["head_dim"], c["head_dim"]
    for i in range(c["layers"]):
        w = {name: p[f"layers.{i}.{name}"] for name in ("attn_norm", "qkv", "o", "ffn_norm", "gate_up", "down")}
        parts = (F.rms_norm(x, (c["dim"],), w["attn_norm"], EPS) @ w["qkv"].T).split([q, kv, kv], -1)
        queries, keys, values = (part.view(len(ids), -1, head).transpose(0, 1) for part in parts)
        group = c["heads"] // c["kv_heads"]
        keys, values = rotate(keys, c).repeat_interleave(group, 0), values.repeat_interleave(group, 0)
        a = F.scaled_dot_product_attention(rotate(queries, c), keys, values, is_causal=True)
        x = x + a.transpose(0, 1).reshape(len(ids), q) @ w["o"].T
        gate, up = (F.rms_norm(x, (c["dim"],), w["ffn_norm"], EPS) @ w["gate_up"].T).chunk(2, -1)
        x = x + (F.silu(gate) * up) @ w["down"].T
    return F.rms_norm(x, (c["dim"],), p["norm"], EPS) @ p["embed" if c["tied"] else "output"].T


def loss(c: dict, p: dict[str, torch.Tensor]) -> torch.Tensor:
    total, weight = torch.zeros((), dtype=torch.float64), 0.0
    for ids, weights in sequences(c):
        each = F.cross_entropy(logits(c, p, ids[:-1]), ids[1:], reduction="none")
        total = total + (each * weights[1:]).sum()
        weight += weights[1:].sum()
    return total / weight


def numbers(x: torch.Tensor) -> list[float]:
    return [float(f"{v:.9g}") for v in x.detach().flatten().tolist()]


def measure(name: str, c: dict) -> dict:
    p = parameters(c)
    value = loss(c, p)
    value.backward()
    out = {"name": name, **c, "loss": value.item(), "logits": numbers(logits(c, p, sequences(c)[2][0][:-1]))}
    out["gradient"] = [v for _, x in p.items() for v in numbers(x.grad)]
    matrices, gains = [x for x in p.values() if x.dim() > 1], [x for x in p.values() if x.dim() == 1]
    groups = [{"params": matrices, "weight_decay": DECAY}, {"params": gains, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.95), eps=1e-8)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        value = loss(c, p)
        value.backward()
        torch.nn.utils.clip_grad_norm_(p.values(), CLIP)
        optimizer.step()
        losses.append(value.item())
    return {**out, "losses": losses}


if __name__ == "__main__":
    cases = [measure(name, c) for name, c in CASES.items()]
    print(json.dumps({"torch": torch.__version__.split("+")[0], "rate": RATE, "decay": DECAY, "clip": CLIP, "cases": cases}))
