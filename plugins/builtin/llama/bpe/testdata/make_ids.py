"""Writes ids.json: the ids that Hugging Face's tokenizers gives for texts.json under tokenizer.json.

    pip install tokenizers    then    python make_ids.py

Special tokens are split off the texts by Hugging Face and not by this package, so texts.json contains none.
"""
import json
import os

import tokenizers

here = os.path.dirname(os.path.abspath(__file__))
tok = tokenizers.Tokenizer.from_file(os.path.join(here, "tokenizer.json"))
with open(os.path.join(here, "texts.json"), encoding="utf-8") as f:
    texts = json.load(f)
ids = [tok.encode(t, add_special_tokens=False).ids for t in texts]
with open(os.path.join(here, "ids.json"), "w", encoding="utf-8") as f:
    json.dump(ids, f, separators=(",", ":"))
    f.write("\n")
print(f"tokenizers {tokenizers.__version__}: {len(texts)} texts, {sum(map(len, ids))} ids")
