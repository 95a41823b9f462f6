"""Writes blocks.json: blocks that llama.cpp's llama-quantize makes, and the numbers that Hugging Face's reader takes them for.

    pip install gguf    then    python blocks.py LLAMA_QUANTIZE > blocks.json

For each format the first and the last row of one matrix: its bytes, and its numbers as float32, both in base64.

    python blocks.py LLAMA_QUANTIZE --check    compares with what is stored instead
"""

import base64
import json
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import gguf
import numpy as np

FORMATS = ["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"]
WIDTH, ROWS = 512, 64


def model(path):
    """One layer of numbers from a fixed seed, some of their rows far from zero and some of one number."""
    r = np.random.default_rng(20261130)
    w = gguf.GGUFWriter(path, "llama")
    for add, n in ((w.add_block_count, 1), (w.add_context_length, 64), (w.add_embedding_length, WIDTH), (w.add_feed_forward_length, ROWS),
                   (w.add_head_count, 4), (w.add_head_count_kv, 4), (w.add_vocab_size, ROWS)):  # fmt: skip
        add(n)
    w.add_layer_norm_rms_eps(1e-5)
    gains = {"output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"}
    names = ["token_embd", "output_norm", *(f"blk.0.{n}" for n in ("attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm", "ffn_gate", "ffn_up", "ffn_down"))]
    for name in names:
        shape = (WIDTH,) if name in gains else (WIDTH, ROWS) if name.endswith("ffn_down") else (ROWS, WIDTH) if "ffn" in name or "embd" in name else (WIDTH, WIDTH)
        x = r.standard_normal(shape, dtype=np.float32)
        if len(shape) == 2:
            x[0] += np.repeat(np.arange(shape[1] // 32, dtype=np.float32) - 3, 32)
            x[0, :32] = 0
            x[-1] *= np.float32(0.01)
            x[-1, 40] = 7
        w.add_tensor(name + ".weight", x)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def text(a):
    return base64.b64encode(np.ascontiguousarray(a).tobytes()).decode()


def blocks(quantize):
    out = {}
    with tempfile.TemporaryDirectory() as d:
        plain = Path(d) / "plain.gguf"
        model(plain)
        for f in FORMATS:
            made = Path(d) / f"{f}.gguf"
            name = f.replace("_K", "_K_S") if f in ("Q4_K", "Q5_K") else f
            subprocess.run([quantize, "--pure", plain, made, name, "1"], check=True, capture_output=True)
            t = next(t for t in gguf.GGUFReader(made).tensors if t.name == "blk.0.attn_q.weight")
            assert t.tensor_type.name == f, t.tensor_type
            rows = t.data[[0, -1]]
            out[f] = {"bytes": text(rows), "numbers": text(gguf.quants.dequantize(rows, t.tensor_type).astype(np.float32))}
    return out


def main():
    stored = Path(__file__).parent / "blocks.json"
    new = blocks(sys.argv[1])
    if sys.argv[2:] == ["--check"]:
        if json.loads(stored.read_text()) != new:
            sys.exit("blocks.json: llama-quantize or gguf gives something else")
        print(f"gguf {version('gguf')}: {len(new)} formats, as stored")
        return
    print(json.dumps(new, indent=1))


if __name__ == "__main__":
    main()
