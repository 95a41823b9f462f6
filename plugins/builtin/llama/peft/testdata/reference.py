"""Writes adapters as PEFT does, with what merge_and_unload makes of each.

    python reference.py DIR [--seed N] [--scale N]

Each directory in DIR has base.safetensors, adapter_config.json, adapter_model.safetensors and
merged.safetensors, all in float32. Parameters are random. Needs peft, transformers and torch; the stored ones are of

    python reference.py .
"""

import argparse
import shutil
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
CASES = {
    "attention": (False, {"r": 2, "lora_alpha": 4, "target_modules": ["q_proj", "v_proj"]}),
    "all": (True, {"r": 3, "lora_alpha": 5, "target_modules": LINEAR, "use_rslora": True, "lora_dropout": 0.1}),
    "patterns": (
        False,
        {"r": 2, "lora_alpha": 3, "target_modules": "all-linear", "rank_pattern": {"q_proj": 3}, "alpha_pattern": {"mlp.up_proj": 7}, "init_lora_weights": "gaussian"},
    ),
    "whole": (False, {"r": 2, "lora_alpha": 2, "target_modules": ["o_proj", "down_proj"], "modules_to_save": ["lm_head", "embed_tokens"]}),
    "whole-tied": (True, {"r": 2, "lora_alpha": 2, "target_modules": ["o_proj"], "modules_to_save": ["embed_tokens"], "ensure_weight_tying": True}),
    "head": (False, {"r": 2, "lora_alpha": 2, "target_modules": ["lm_head", "k_proj"]}),
    "some-layers": (False, {"r": 2, "lora_alpha": 2, "target_modules": ["gate_proj"], "layers_to_transform": [1]}),
}


def tensors(model) -> dict:
    """A model's parameters by name, those that are one under the first of their names."""
    out, seen = {}, set()
    for name, p in model.state_dict().items():
        if p.data_ptr() not in seen:
            seen.add(p.data_ptr())
            out[name] = p.detach().float().contiguous().clone()
    return out


def write(directory: Path, tied: bool, options: dict, scale: int) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    base = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=11 * scale, hidden_size=8 * scale, intermediate_size=12 * scale, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, head_dim=2 * scale, max_position_embeddings=32, tie_word_embeddings=tied, bos_token_id=0, eos_token_id=1,
        )
    )
    with torch.no_grad():
        for p in base.parameters():
            p.normal_(std=0.3)
    save_file(tensors(base), directory / "base.safetensors")
    adapted = get_peft_model(base, LoraConfig(task_type="CAUSAL_LM", **options))
    with torch.no_grad():
        for p in adapted.parameters():
            if p.requires_grad:
                p.normal_(std=0.5)
    adapted.save_pretrained(directory, save_embedding_layers=False)
    (directory / "README.md").unlink(missing_ok=True)
    save_file(tensors(adapted.merge_and_unload()), directory / "merged.safetensors")


def main() -> None:
    p = argparse.ArgumentParser()
    p.add_argument("directory", type=Path)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--scale", type=int, default=1)
    o = p.parse_args()
    torch.manual_seed(o.seed)
    torch.set_num_threads(1)
    for name, (tied, options) in CASES.items():
        write(o.directory / name, tied, options, o.scale)


main()
