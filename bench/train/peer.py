"""The same model and the same step in PyTorch, as a worker of the benchmark.

    python peer.py LAYERS DIM HEADS FFN VOCAB LENGTH BATCH THREADS [compile]

It says "ready" with what it runs on, then reads a number of steps a line and answers with the seconds that they took and
the loss of the last one. It ends with its input.

Written as its users write it for speed: one projection for queries, keys and values and one for gate and up, the library's
own RMSNorm, attention, cross entropy and fused AdamW, gradients freed between steps, no value read back within a step.
"""

import json
import math
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, dim: int, heads: int, ffn: int, layers: int) -> None:
        super().__init__()
        self.heads, self.head = heads, dim // heads
        self.attn_norm, self.ffn_norm = nn.RMSNorm(dim, eps=1e-5), nn.RMSNorm(dim, eps=1e-5)
        self.qkv, self.o = nn.Linear(dim, 3 * dim, bias=False), nn.Linear(dim, dim, bias=False)
        self.gate_up, self.down = nn.Linear(dim, 2 * ffn, bias=False), nn.Linear(ffn, dim, bias=False)
        nn.init.normal_(self.qkv.weight, std=dim**-0.5)
        nn.init.normal_(self.o.weight, std=(dim * 2 * layers) ** -0.5)
        nn.init.normal_(self.gate_up.weight, std=dim**-0.5)
        nn.init.normal_(self.down.weight, std=(ffn * 2 * layers) ** -0.5)

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        batch, length, dim = x.shape
        qkv = self.qkv(self.attn_norm(x)).view(batch, length, 3, self.heads, self.head).permute(2, 0, 3, 1, 4)
        q, k = rotate(qkv[:2], cos, sin)
        a = F.scaled_dot_product_attention(q, k, qkv[2], is_causal=True)
        x = x + self.o(a.transpose(1, 2).reshape(batch, length, dim))
        gate, up = self.gate_up(self.ffn_norm(x)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Turns element i of a head with element i + half."""
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


class Model(nn.Module):
    def __init__(self, layers: int, dim: int, heads: int, ffn: int, vocab: int, length: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocab, dim)
        nn.init.normal_(self.embed.weight, std=0.05)
        self.blocks = nn.ModuleList(Block(dim, heads, ffn, layers) for _ in range(layers))
        self.norm = nn.RMSNorm(dim, eps=1e-5)
        half = dim // heads // 2
        angles = torch.outer(torch.arange(length), 10000.0 ** (-torch.arange(half) / half))
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def forward(self, ids: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        x = self.embed(ids)
        for block in self.blocks:
            x = block(x, self.cos, self.sin)
        logits = F.linear(self.norm(x), self.embed.weight)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def blas() -> str:
    config = torch.__config__.show()
    for line in config.splitlines():
        if "Math Kernel Library" in line:
            return line.strip(" -").split(" for ")[0]
    found = [part.split("=")[1] for part in config.replace("\n", ",").split(",") if "BLAS_INFO=" in part]
    return found[0] if found else "unknown BLAS"


def main() -> None:
    layers, dim, heads, ffn, vocab, length, batch, threads = map(int, sys.argv[1:9])
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    torch.manual_seed(1)
    model = Model(layers, dim, heads, ffn, vocab, length)
    decayed = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.95), fused=True)
    loss_of = torch.compile(model) if sys.argv[9:] == ["compile"] else model
    ids = torch.randint(0, vocab, (batch, length))
    targets = torch.randint(0, vocab, (batch, length))

    def step() -> torch.Tensor:
        loss = loss_of(ids, targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.detach()

    step()
    parameters = sum(p.numel() for p in model.parameters())
    about = {"version": torch.__version__, "blas": blas(), "cpu": torch.backends.cpu.get_cpu_capability(), "parameters": parameters}
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        began = time.perf_counter()
        for _ in range(int(line)):
            loss = step()
        value = loss.item()
        seconds = time.perf_counter() - began
        if not math.isfinite(value):
            sys.exit(f"the loss is {value}")
        print(json.dumps({"seconds": seconds, "loss": value}), flush=True)


if __name__ == "__main__":
    main()
