"""What a model with adapters says greedily, by the library that trained them, beside the model and not merged into it.

Reads {"model", "adapter", "tokens", "prompts": [{"text", "chat"}]} and writes the texts. A chat is one message of a user's.
"""

import json
import sys
from pathlib import Path

from jupiter_mlx import model as models
from jupiter_mlx.config import Config
from jupiter_trainers.config import Lora
from mlx_lm import stream_generate, utils


def main() -> None:
    asked = json.load(sys.stdin)
    directory, adapter = Path(asked["model"]), Path(asked["adapter"])
    about = json.loads((adapter / "adapter_config.json").read_text())
    config = Config(lora=Lora(rank=about["r"], alpha=about["lora_alpha"]), dtype="f32")
    model, _ = models.load(directory, config)
    layers = models.adapt(model, config, 0)
    model.update(models.read_adapters(adapter, config, layers))
    model.eval()
    tokenizer = utils.load_tokenizer(directory)
    texts = []
    for p in asked["prompts"]:
        ids = tokenizer.encode(p["text"], add_special_tokens=False)
        if p["chat"]:
            ids = tokenizer.apply_chat_template([{"role": "user", "content": p["text"]}], add_generation_prompt=True)
        # The library's own text loses a space at its beginning.
        tokens = [r.token for r in stream_generate(model, tokenizer, ids, max_tokens=asked["tokens"])]
        texts.append(tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False))
    json.dump(texts, sys.stdout)


main()
