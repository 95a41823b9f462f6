"""Reads models as Hugging Face's transformers does, for the tests: one question a line in JSON, one answer a line.

    {"dir": DIR, "texts": [...], "chat": [...], "new": N, "save": DIR}
    -> {"ids": [...], "chat": [...], "tokens": [...], "logprobs": [...], "greedy": [...]}

ids are those of each text without special tokens. tokens are N greedy ones after the text, found one by one with the logits of
the whole sequence, and logprobs are theirs. greedy are what the program's own loop gives, which stops where
generation_config.json says. save is where the program writes the model as it does, in several files.
"""

import json
import sys

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer


def answer(ask):
    tok = AutoTokenizer.from_pretrained(ask["dir"])
    model = AutoModelForCausalLM.from_pretrained(ask["dir"])
    model.save_pretrained(ask["save"], max_shard_size="20KB")
    tok.save_pretrained(ask["save"])
    model = model.float().eval()
    out = {"version": transformers.__version__, "ids": [], "tokens": [], "logprobs": [], "greedy": [], "chat": []}
    for text in ask["texts"]:
        out["ids"].append(tok.encode(text, add_special_tokens=False, split_special_tokens=True))
        start = tok.encode(text) or [tok.bos_token_id]  # what generate goes on from where it is given nothing
        with torch.no_grad():
            ids, logprobs = list(start), []
            for _ in range(ask["new"]):
                scores = model(torch.tensor([ids])).logits[0, -1].double().log_softmax(-1)
                ids.append(int(scores.argmax()))
                logprobs.append(float(scores[ids[-1]]))
            loop = model.generate(torch.tensor([start]), attention_mask=torch.ones(1, len(start), dtype=torch.long), do_sample=False, max_new_tokens=ask["new"])
        out["tokens"].append(ids[len(start):])
        out["logprobs"].append(logprobs)
        out["greedy"].append(loop[0].tolist()[len(start):])
    if ask["chat"]:
        text = tok.apply_chat_template(ask["chat"], add_generation_prompt=True, tokenize=False)
        out["chat"] = tok.encode(text, add_special_tokens=False)  # as servers do: the template is all that there is
    return out


torch.set_num_threads(1)
transformers.logging.set_verbosity_error()
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
