"""A model of transformers', with adapters of peft's or without."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import jupiter_sdk as sdk
import torch
from jupiter_trainers import adapter, source
from jupiter_trainers.checkpoint import ADAPTER_WEIGHTS
from jupiter_trainers.config import FULL
from safetensors.torch import load_file, save_file

from . import devices
from .config import Config

_ATTENTION = ("full_attention", "sliding_attention")


# transformers keeps in the process what it does while it loads a model, and so loads one at a time. A call that was
# cancelled may still be at it when the next one begins.
_loading = threading.Lock()


def load(directory: Path, config: Config, device: str) -> Any:
    """The model of a directory, where it computes. What is trained is float32, what is frozen has the numbers it uses."""
    with _loading:
        return _load(directory, config, device)


def _load(directory: Path, config: Config, device: str) -> Any:
    from transformers import AutoModelForCausalLM

    dtype = torch.float32 if config.method == FULL else devices.numbers(devices.dtype_of(config, device))
    more: dict[str, Any] = {}
    if config.quantize is not None:
        from transformers import BitsAndBytesConfig

        more["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
        )
        more["device_map"] = {"": devices.place(device)}
    try:
        model, about = AutoModelForCausalLM.from_pretrained(
            str(directory),
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=dtype,
            output_loading_info=True,
            **more,
        )
    except (ValueError, KeyError, TypeError, OSError, ImportError, AttributeError) as e:
        raise sdk.StageError(f"transformers cannot load {directory}: {e}") from e
    for what in ("missing_keys", "mismatched_keys"):
        if found := sorted(map(str, about[what])):
            raise sdk.StageError(
                f"{directory} is not whole: {len(found)} tensors are missing or misshapen, first {found[0]}"
            )
    model.config.use_cache = False
    return model if config.quantize is not None else model.to(devices.place(device))


def check_packing(model: Any, width: int) -> None:
    """Refuses a model that would let records in a row see each other, or not see all of themselves."""
    kinds = set(getattr(model.config, "layer_types", None) or ["full_attention"])
    window = getattr(model.config, "sliding_window", None)
    if not kinds <= set(_ATTENTION) or not getattr(model.config, "num_attention_heads", None):
        raise sdk.StageError("the model has layers that are no attention, and rows cannot be shared: packing = false")
    if window and window < width:
        raise sdk.StageError(
            f"the model's attention reaches {window} tokens, and rows that are shared may have {width}: lower "
            "max_seq_length, or say packing = false"
        )


def adapt(model: Any, config: Config, seed: int) -> tuple[Any, list[str]]:
    """Puts fresh adapters beside linear layers, and gives the model and those layers' names."""
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    a = config.adapter
    output = model.get_output_embeddings()
    linear = {n: m for n, m in model.named_modules() if isinstance(m, torch.nn.Linear)}
    last = next((n for n, m in linear.items() if m is output), "")
    layers = adapter.chosen(sorted(linear), last, a.targets)
    if config.quantize is not None:
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    torch.manual_seed(seed & ((1 << 63) - 1))
    lora = LoraConfig(
        r=a.rank, lora_alpha=a.alpha, lora_dropout=a.dropout, target_modules=layers, task_type="CAUSAL_LM", bias="none"
    )
    return get_peft_model(model, lora), layers


def read_adapters(model: Any, directory: Path, config: Config, layers: list[str]) -> None:
    """Puts adapters that were trained before in the place of fresh ones."""
    from peft import set_peft_model_state_dict

    adapter.check_config(directory, config.adapter)
    file = directory / ADAPTER_WEIGHTS
    adapter.check_names(file, source.header(file), layers)
    set_peft_model_state_dict(model, load_file(str(file)))


def write_adapters(model: Any, directory: Path, config: Config, layers: list[str]) -> None:
    from peft import get_peft_model_state_dict

    there = get_peft_model_state_dict(model, save_embedding_layers=False)
    tensors = {k: v.detach().to("cpu", torch.float32).contiguous() for k, v in there.items()}
    save_file(tensors, str(directory / ADAPTER_WEIGHTS), {"format": "pt"})
    adapter.write_config(directory, config.adapter, layers)
