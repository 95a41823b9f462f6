"""Writes what Hugging Face's tokenizers makes of 10,000 lines of mixed text, for the tests to compare with.

    pip install tokenizers    then    python reference.py

lines.json.gz   the lines
llama3.json     a tokenizer that Hugging Face's trainer learnt from them, in the form that Llama 3's has
smollm.json     another, in the form that SmolLM's has: it lacks bytes, and puts nothing before a text
ids.txt         a line a line: digests of its ids under tokenizer.json, which Go's trainer made, llama3.json and smollm.json
classes.txt     what the split pattern takes each character for: where a run of characters of one class begins, and the class
digits.txt      the characters that SmolLM's form cuts off one by one, likewise

    python reference.py --check     compares with what is stored instead, and tells the first difference

    python reference.py --ids TOKENIZER    prints digests of the lines' ids under another tokenizer.json
"""

import argparse
import gzip
import hashlib
import json
import random
import sys
from pathlib import Path

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

HERE = Path(__file__).parent
PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

SCRIPTS = [
    (0x61, 0x7A), (0x41, 0x5A), (0xC0, 0x24F), (0x1E00, 0x1EFF), (0x370, 0x3FF), (0x400, 0x52F), (0x531, 0x58A), (0x590, 0x5FF),
    (0x600, 0x6FF), (0x700, 0x74F), (0x900, 0x97F), (0x980, 0x9FF), (0xA00, 0xA7F), (0xA80, 0xAFF), (0xB80, 0xBFF), (0xC00, 0xC7F),
    (0xD00, 0xD7F), (0xE00, 0xE7F), (0xF00, 0xFFF), (0x1000, 0x109F), (0x10A0, 0x10FF), (0x1100, 0x11FF), (0x1200, 0x137F), (0x13A0, 0x13FF),
    (0x1780, 0x17FF), (0x1800, 0x18AF), (0x2D30, 0x2D7F), (0x3040, 0x30FF), (0x3100, 0x312F), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xFB00, 0xFDFF),
    (0xFF00, 0xFFEF), (0x10330, 0x1034F), (0x10400, 0x1044F), (0x12000, 0x123FF), (0x13000, 0x143FF), (0x1D400, 0x1D7FF), (0x1E900, 0x1E95F), (0x20000, 0x2A6DF),
    (0x105C0, 0x105F3), (0x10D40, 0x10D8F), (0x16D40, 0x16D79), (0x2EBF0, 0x2EE5D),
]  # fmt: skip
SPACES = [" ", " ", " ", "  ", "   ", "\t", "\t\t", "\n", "\n\n", "\r\n", "\r", "\v", "\f", "\x1c", "\x85", "\xa0", "\u1680", "\u2003",
          "\u2007", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\u200b", "\u180e", "\ufeff"]  # fmt: skip
WORDS = """the a of and question answer student generator is not it that when better before value list for while return in to
être où naïve Größe Straße año mañana ação çok değil zażółć gęślą příliš žluťoučký kůň Щедра ёлка ещё ειρήνη ημέρα שלום مرحبا كتاب
नमस्ते हिन्दी বাংলা தமிழ் ภาษาไทย ខ្មែរ မြန်မာ საქართველო Հայաստան አማርኛ 日本語 こんにちは カタカナ 中文 漢字 한국어 안녕하세요 tiếng Việt""".split()
EMOJI = ["😀", "👍", "👍🏽", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇪🇸", "🇯🇵", "1️⃣", "#️⃣", "❤️", "❤", "☃", "🧑🏿‍🚀", "✓", "→", "∑", "€", "№", "©", "™", "🫠"]
CONTRACTED = ["s", "t", "re", "ve", "m", "ll", "d", "S", "T", "RE", "Re", "rE", "VE", "M", "LL", "lL", "D", "ſ", "x", "r", "v", "l", "em", "ẞ", "K", "st"]
QUOTES = ["'", "'", "'", "’", "ʼ", "`", '"', "′", "''"]
SYMBOLS = list("!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~") + ["…", "—", "–", "«", "»", "¿", "¡", "·", "§", "¶", "•", "==", "!=", "->", ":=", "//", "/*", "*/", "<|", "|>", "\u00ad"]
NUMBERS = ["0", "1", "12", "123", "1234", "12345", "1000000", "3.14159", "1,234,567.89", "-40", "+7", "0x1F4A9", "1e-10", "2026-11-30", "12:34:56", "½", "²",
           "³", "Ⅷ", "ⅻ", "①", "٣٤٥٦", "१२३४", "๑๒๓", "〇", "一二三", "１２３", "𝟘𝟙", "𑜺", "𐵀𐵁", "1st", "2nd", "7ft5in", "100%", "$9.99", "10⁻³", "v1.2.3"]  # fmt: skip
EDGES = ["\x00", "\x01", "\x07", "\x1b[0m", "\x7f", "\x80", "\x9f", "\ufffd", "\ufffd\ufffd", "\uffff", "\ufdd0", "\U0010ffff", "\U0001fffe", "\ue000", "\U000f0000", "\u0378", "\u202e",
         "\u2066", "\u200d", "\u200c", "\ufe0f", "\u0301", "\u0301\u0301\u0301", "e\u0301", "\u20e3", "\U000e0041", "\U000e007f", "\u1160", "\u0e33", "ﬃ", "ǆ", "İ", "ı", "ß", "ſ", "K",
         "Å", "<|begin_of_text|>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<s>", "</s>", "[PAD]", "Ġ", "Ċ", "Ā", "Ń"]  # fmt: skip


def word(r):
    if r.random() < 0.4:
        return r.choice(WORDS)
    lo, hi = r.choice(SCRIPTS)
    w = "".join(chr(r.randint(lo, hi)) for _ in range(r.randint(1, 9)))
    return w + (r.choice(["\u0301", "\u0308", "\u093f", "\u200d"]) if r.random() < 0.1 else "")


def name(r):
    return r.choice(["x", "i", "err", "ctx", "value", "_private", "camelCase", "snake_case", "HTTPServer", "λ", "größe", "t0"]) + r.choice(["", "", "2", "_", "'"])


def code(r):
    a, b, c, n = name(r), name(r), name(r), r.choice(NUMBERS)
    return r.choice([
        f"\tif {a} != nil {{\n\t\treturn fmt.Errorf(\"{b}: %w\", {a})\n\t}}\n",
        f"for {a} := range {n} {{\n\t{b}[{a}] += {c}*{n}\n}}\n\n",
        f"def {a}({b}: int = {n}, *, {c}=None) -> dict[str, int]:\n    return {{'{b}': {b}, \"{c}\": {c} or {n}}}\n",
        f'{{"{a}": [{n}, null, true], "{b}": "\\u00e9\\n"}}', f"<a href='https://example.org/{a}?{b}={n}&c=%20'>{c}</a>",
        f"$ {a} --{b}={n} | grep -v '^{c}' > /dev/null 2>&1", f"#define {a.upper()}({b}) (({b})->{c} << {n})\r\n",
        f"SELECT {a}, COUNT(*) FROM {b} WHERE {c} >= {n}; -- {a}", f"    {a} = lambda {b}: {b}**{n}  # {c}", f"\\frac{{{a}}}{{{b}}} \\leq {n}_{{{c}}}",
    ])  # fmt: skip


def line(r, kind):
    parts = []
    for _ in range(r.randint(1, 14)):
        match kind:
            case 0:
                parts += [word(r), r.choice([" ", " ", " ", ", ", ". ", "", "-", "\n"])]
            case 1:
                parts += [r.choice(EMOJI), r.choice(["", " ", word(r)])]
            case 2:
                parts += [code(r)] if len(parts) < 3 else []
            case 3:
                parts += [r.choice(NUMBERS), r.choice(["", " ", "+", "=", ",", ";", "\n", "x"])]
            case 4:
                parts += [r.choice(SPACES) for _ in range(r.randint(1, 6))] + [r.choice([word(r), "", r.choice(SYMBOLS), r.choice(NUMBERS)])]
            case 5:
                parts += [r.choice([word(r), "", " "]), r.choice(QUOTES), r.choice(CONTRACTED), r.choice(["", " ", "e", "\n", word(r)])]
            case 6:
                parts += [r.choice(EDGES), r.choice(["", " ", word(r), r.choice(SYMBOLS)])]
            case 7:
                parts += [r.choice([word, lambda r: r.choice(SPACES), lambda r: r.choice(SYMBOLS), lambda r: r.choice(NUMBERS), lambda r: r.choice(EMOJI),
                                    lambda r: r.choice(EDGES), lambda r: "'" + r.choice(CONTRACTED), lambda r: chr(r.choice([r.randint(1, 0xD7FF), r.randint(0xE000, 0x10FFFF)]))])(r)]  # fmt: skip
            case 8:
                parts += [r.choice(SYMBOLS) * r.randint(1, 5), r.choice(["", " ", word(r), "\n", "\r\n\r\n"])]
            case 9:
                parts += [r.choice([word(r), "a", " ", "=", "0", "\t", "語"]) * r.choice([1, 2, 3, 17, 64])]
    return "".join(parts)


def lines():
    r = random.Random(20261130)
    return [line(r, i % 10) for i in range(10000)]


def llama3(texts):
    """Trains a tokenizer and gives it the form of Llama 3's: its names, its split, its template, its treatment of whole pieces."""
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PATTERN), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])  # fmt: skip
    tok.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tok.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=3000, initial_alphabet=alphabet, show_progress=False))
    size = tok.get_vocab_size()
    names = ["<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
    tok.add_special_tokens([AddedToken(n, special=True, normalized=False) for n in names])
    tok.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single=f"{names[0]} $A", pair=f"{names[0]} $A {names[0]} $B:1", special_tokens=[(names[0], size)])])  # fmt: skip
    form = json.loads(tok.to_str())
    form["model"]["ignore_merges"] = True
    return form


# Bytes that SmolLM2's vocabulary has no token for.
MISSING = [0x04, 0x06, 0x13, 0x14, 0x16, 0x1D, 0xC0, 0xC1, 0xF1, 0xF2, *range(0xF5, 0x100)]


def smollm(texts):
    """Trains a tokenizer of SmolLM's form, on texts without the characters that have one of the missing bytes."""
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=True)])  # fmt: skip
    tok.decoder = decoders.ByteLevel()
    seen = [t for t in texts if not set(t.encode()) & set(MISSING)]
    missing = {chr(256 + b) if b <= 0x20 else chr(b) for b in MISSING}
    alphabet = [c for c in pre_tokenizers.ByteLevel.alphabet() if c not in missing]
    names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<file_sep>"]
    tok.train_from_iterator(seen, trainers.BpeTrainer(vocab_size=3000, initial_alphabet=alphabet, special_tokens=names, show_progress=False))
    return json.loads(tok.to_str())


def digits():
    split, out, last = pre_tokenizers.Digits(individual_digits=True), [], None
    for c in range(0x110000):
        if 0xD800 <= c < 0xE000:
            continue
        k = len(split.pre_tokenize_str(f"a{chr(c)}a")) == 3
        if k != last:
            out.append(f"{c:x} {'number' if k else 'other'}\n")
            last = k
    return "".join(out)


def load(source):
    tok = Tokenizer.from_str(source)
    tok.encode_special_tokens = True  # a special token in a text is text
    return tok


def digests(tok, texts):
    out = []
    for e in tok.encode_batch(texts, add_special_tokens=False):
        out.append(hashlib.sha256(",".join(map(str, e.ids)).encode()).hexdigest()[:8])
    return out


def classes():
    split = pre_tokenizers.Split(Regex(PATTERN), "isolated")

    def one(text):
        return len(split.pre_tokenize_str(text)) == 1

    out, last = [], ""
    for c in range(0x110000):
        if 0xD800 <= c < 0xE000:
            continue
        x = chr(c)
        if one(f"a{x}a"):
            k = "letter"
        elif one(f"1{x}1"):
            k = "number"
        elif one(f".{x}."):
            k = "symbol"
        elif one(f"{x}  "):
            k = "blank"
        else:
            k = "newline"
        if k != last:
            out.append(f"{c:x} {k}\n")
            last = k
    return "".join(out)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--check", action="store_true")
    args.add_argument("--ids", metavar="TOKENIZER")
    args = args.parse_args()
    if args.ids:
        texts = json.loads(gzip.decompress((HERE / "lines.json.gz").read_bytes()))
        print("\n".join(digests(load(Path(args.ids).read_text(encoding="utf-8")), texts)))
        return
    texts = lines()
    forms = [json.dumps(f(texts), ensure_ascii=False, separators=(",", ":")) + "\n" for f in (llama3, smollm)]
    each = [digests(load(s), texts) for s in ((HERE / "tokenizer.json").read_text(encoding="utf-8"), *forms)]
    made = {
        "lines.json.gz": json.dumps(texts, separators=(",", ":")).encode(),
        "llama3.json": forms[0].encode(),
        "smollm.json": forms[1].encode(),
        "ids.txt": "".join(" ".join(ids) + "\n" for ids in zip(*each)).encode(),
        "classes.txt": classes().encode(),
        "digits.txt": digits().encode(),
    }
    for name, data in made.items():
        path = HERE / name
        packed = name.endswith(".gz")
        if not args.check:
            path.write_bytes(gzip.compress(data, mtime=0) if packed else data)
        elif (gzip.decompress(path.read_bytes()) if packed else path.read_bytes()) != data:
            sys.exit(f"{name}: tokenizers {tokenizers.__version__} gives something else")
    print(f"tokenizers {tokenizers.__version__}: {len(texts)} lines" + (", as stored" if args.check else ""))


if __name__ == "__main__":
    main()
