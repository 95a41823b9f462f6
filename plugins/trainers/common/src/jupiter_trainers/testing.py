"""What the tests of the trainers share: a small model, made on the spot, and training over the protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jupiter_sdk as sdk
import numpy as np
from jupiter_sdk import testing
from jupiter_sdk._pb import plugin_pb2 as pb

TEMPLATE = (
    "{% for m in messages %}{% if loop.first and m.role != 'system' %}<|im_start|>system\nBe brief.<|im_end|>\n{% endif %}"
    "{% if m.role == 'banned' %}{{ raise_exception('no such role') }}{% endif %}"
    "{{ '<|im_start|>' + m.role + '\n' + m.content | trim + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SHAPE = {
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}


def make_model(directory: Path, *, tied: bool = True, template: str = TEMPLATE, width: int = 32) -> Path:
    """A Llama of random numbers, with a tokenizer of bytes and a few words."""
    directory.mkdir(parents=True, exist_ok=True)
    size = make_tokenizer(directory, template)
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": size,
        "max_position_embeddings": 256,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "tie_word_embeddings": tied,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "dtype": "float32",
        **SHAPE,
        "hidden_size": width,
    }
    (directory / "config.json").write_text(json.dumps(config))
    (directory / "generation_config.json").write_text(json.dumps({"bos_token_id": 0, "eos_token_id": 1}))
    from safetensors.numpy import save_file

    save_file(_weights(size, tied, width), directory / "model.safetensors", {"format": "pt"})
    return directory


def make_tokenizer(directory: Path, template: str = TEMPLATE) -> int:
    """Writes a tokenizer, and gives its size."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    marks = ["<|endoftext|>", "<|im_end|>", "<|im_start|>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {t: i for i, t in enumerate([*marks, *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(m, special=True, normalized=False) for m in marks])
    tokenizer.save(str(directory / "tokenizer.json"))
    about = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<|endoftext|>",
        "eos_token": "<|im_end|>",
        "clean_up_tokenization_spaces": False,
    }
    (directory / "tokenizer_config.json").write_text(json.dumps(about))
    if template:
        (directory / "chat_template.jinja").write_text(template)
    return len(vocabulary)


def _weights(vocabulary: int, tied: bool, width: int) -> dict[str, Any]:
    rng, inner = np.random.default_rng(0), SHAPE["intermediate_size"]
    narrow = width * SHAPE["num_key_value_heads"] // SHAPE["num_attention_heads"]

    def matrix(out: int, into: int) -> Any:
        return rng.normal(0, into**-0.5, (out, into)).astype(np.float32)

    ones = np.ones(width, np.float32)
    tensors = {"model.embed_tokens.weight": matrix(vocabulary, width), "model.norm.weight": ones}
    if not tied:
        tensors["lm_head.weight"] = matrix(vocabulary, width)
    for i in range(SHAPE["num_hidden_layers"]):
        p = f"model.layers.{i}."
        for name, out in (("q", width), ("k", narrow), ("v", narrow), ("o", width)):
            tensors[f"{p}self_attn.{name}_proj.weight"] = matrix(out, width)
        for name, out, into in (("gate", inner, width), ("up", inner, width), ("down", width, inner)):
            tensors[f"{p}mlp.{name}_proj.weight"] = matrix(out, into)
        tensors[f"{p}input_layernorm.weight"] = tensors[f"{p}post_attention_layernorm.weight"] = ones
    return {k: np.array(v) for k, v in tensors.items()}


def sums(n: int) -> list[sdk.Record]:
    """Sums: by turns a chat, a question with its answer, and a text."""
    out = []
    for i in range(n):
        a, b = i * 7 % 10, i * 3 % 8
        question, answer = f"{a}+{b}=", str(a + b)
        if i % 3 == 0:
            turns = [
                sdk.Message(role="user", content=question),
                sdk.Message(role="assistant", content=answer, train=True),
            ]
            out.append(sdk.Record(messages=turns))
        elif i % 3 == 1:
            out.append(sdk.Record(prompt=question, text=answer))
        else:
            out.append(sdk.Record(text=f"{question}{answer}, and " * (1 + i % 4)))
    return out


def write_records(path: Path, records: Sequence[sdk.Record]) -> Path:
    with sdk.create_records(path) as w:
        for r in records:
            w.write(r)
    return path


class Bench:
    """Trains over the protocol, as the host does: an import first, whose output is the base of all that follows."""

    def __init__(
        self, conn: testing.Connection, trainer: str, config: Mapping[str, Any], model: Path, data: Path
    ) -> None:
        self.conn, self.trainer, self.config, self.data = conn, trainer, dict(config), data
        self.base = self.import_model(model)

    def import_model(self, model: Path) -> str:
        call = self.conn.call("trainer", self.trainer, self.config)
        request = pb.ImportRequest(call=call, path=str(model))
        (output,) = [e.output for e in self.conn.stream("Trainer", "Import", request) if e.HasField("output")]
        assert output.name == "checkpoint" and output.media_type == sdk.CHECKPOINT_MEDIA_TYPE
        return str(Path(call.work_dir) / output.path)

    def request(self, first: int, last: int, start: str = "", end: int = 12, **more: Any) -> pb.TrainRequest:
        call = self.conn.call("trainer", self.trainer, {**self.config, **more}, seed=7)
        r = pb.TrainRequest(call=call, from_step=first, to_step=last, window_end=end, save_every_steps=4)
        r.dataset.path, r.base.path, r.base.digest = str(self.data), self.base, "sha256:ba5e"
        r.checkpoint.path = start or self.base
        return r

    def events(self, request: pb.TrainRequest) -> list[pb.TrainEvent]:
        return list(self.conn.stream("Trainer", "Train", request))

    def train(self, request: pb.TrainRequest) -> list[Path]:
        """The checkpoints of a training."""
        return [Path(request.call.work_dir) / c.output.path for c in self.conn.train(request)]


def files(directory: Path) -> dict[str, bytes]:
    """All files of a checkpoint that training decides on."""
    return {
        str(p.relative_to(directory)): p.read_bytes()
        for p in sorted(directory.rglob("*"))
        if p.is_file() and p.name != "trainer.json"
    }


def metrics(events: Sequence[pb.TrainEvent]) -> dict[str, float]:
    """The last figures that a training reported."""
    return [dict(e.progress.metrics) for e in events if e.progress.metrics][-1]


def load(file: Path) -> dict[str, Any]:
    """The tensors of a file."""
    from safetensors.numpy import load_file

    return dict(load_file(file))
