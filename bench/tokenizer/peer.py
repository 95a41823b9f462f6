"""The same training in Hugging Face's tokenizers, as a worker of the benchmark.

    python peer.py TEXTS VOCAB

It says what it is, then trains for each line that it reads and answers with the seconds that it took. It ends with its input.
"""

import json
import resource
import sys
import time

import tokenizers
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as f:
        texts = json.load(f)
    size = sum(len(t.encode()) for t in texts)
    print(json.dumps({"version": tokenizers.__version__, "texts": len(texts), "bytes": size}), flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        tok = Tokenizer(models.BPE(ignore_merges=True))
        tok.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Split(Regex(PATTERN), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
        )
        trainer = trainers.BpeTrainer(
            vocab_size=int(sys.argv[2]), min_frequency=2, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
        )
        tok.train_from_iterator(texts, trainer)
        seconds = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        print(json.dumps({"seconds": seconds, "tokens": tok.get_vocab_size(), "peak_mb": peak}), flush=True)


if __name__ == "__main__":
    main()
