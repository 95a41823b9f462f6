package bpe

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The files of testdata/reference.py: what Hugging Face's tokenizers makes of 10,000 lines of mixed text, and what it takes
// each character for.

var update = flag.Bool("update", false, "write testdata/tokenizer.json anew; then run testdata/reference.py")

// stored reads a file of the reference; .gz ones are unpacked.
func stored(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(name, ".gz") {
		return data
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if data, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	return data
}

func lines(t *testing.T) (all []string) {
	t.Helper()
	if err := json.Unmarshal(stored(t, "lines.json.gz"), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 10000 {
		t.Fatalf("%d lines", len(all))
	}
	return all
}

// digestOf is how reference.py writes ids.
func digestOf(ids []int32) string {
	var b []byte
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(id), 10)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:4])
}

// llama3 is the tokenizer that Hugging Face's trainer learnt, with Llama 3's names and template; digits are merged in it.
func llama3(t *testing.T) *Tokenizer {
	t.Helper()
	tok, err := FromJSONAs(stored(t, "llama3.json"), Names{BOS: "<|begin_of_text|>", EOS: "<|end_of_text|>"})
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// smollm is another that Hugging Face's trainer learnt, in SmolLM's form.
func smollm(t testing.TB) *Tokenizer {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "smollm.json"))
	if err != nil {
		t.Fatal(err)
	}
	tok, err := FromJSONAs(data, Names{BOS: "<|im_start|>", EOS: "<|im_end|>", Pad: "<|im_end|>"})
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// kept is a text without the bytes that a tokenizer has no token for.
func kept(tok *Tokenizer, text string) string {
	var b []byte
	for i := range len(text) {
		if tok.bytes[text[i]] != None {
			b = append(b, text[i])
		}
	}
	return string(b)
}

// 10,000 lines of mixed text have the ids that Hugging Face's tokenizers gives them, under a tokenizer that was trained here
// and under two that were trained there.
func TestIDsAreHuggingFaces(t *testing.T) {
	t.Parallel()
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", "tokenizer.json"), trained(340).JSON(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if own := stored(t, "tokenizer.json"); string(own) != string(trained(340).JSON()) {
		t.Error("training on the same texts gives another tokenizer.json than the stored one")
	}
	own, err := FromJSON(stored(t, "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	texts, want := lines(t), strings.Fields(string(stored(t, "ids.txt")))
	if len(want) != 3*len(texts) {
		t.Fatalf("%d digests of %d lines", len(want), len(texts))
	}
	wrong, lossy := 0, 0
	for k, tok := range []*Tokenizer{own, llama3(t), smollm(t)} {
		for i, text := range texts {
			ids := tok.Encode(text)
			rest := kept(tok, text)
			if rest != text {
				lossy++
			}
			if got := tok.Decode(ids); got != rest {
				t.Errorf("line %d, %q, comes back as %q", i, text, got)
			}
			if digestOf(ids) == want[3*i+k] {
				continue
			}
			if wrong++; wrong <= 10 {
				t.Errorf("tokenizer %d, line %d: Hugging Face's ids of %q are others than %d", k, i, text, ids)
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d lines have other ids", wrong, 3*len(texts))
	}
	if smollm(t).Missing() != 21 || lossy < 10 {
		t.Errorf("%d bytes have no token, and %d lines have such: the comparison does not show what becomes of them", smollm(t).Missing(), lossy)
	}
}

// Every character is to the split pattern what it is there.
func TestClassesAreHuggingFaces(t *testing.T) {
	t.Parallel()
	names := map[string]class{"symbol": symbol, "letter": letter, "number": number, "blank": blank, "newline": newline}
	everyCharacter(t, "classes.txt", 1000, func(c rune, name string) bool {
		is, known := names[name]
		if !known {
			t.Fatalf("class %q", name)
		}
		got, n := next(string(c))
		return got == is && n == len(string(c))
	})
}

// The characters that are cut off one by one are those that are there.
func TestDigitsAreHuggingFaces(t *testing.T) {
	t.Parallel()
	everyCharacter(t, "digits.txt", 100, func(c rune, name string) bool {
		return (name == "number") == (len(slices.Collect(SmolLM.Pieces("a"+string(c)+"a"))) == 3 && len(slices.Collect(SmolLM.Pieces(string(c)+string(c)))) == 2)
	})
}

// everyCharacter compares each character with a stored list of at least so many runs: where a run begins, and what its
// characters are.
func everyCharacter(t *testing.T, file string, least int, same func(c rune, name string) bool) {
	t.Helper()
	type run struct {
		from rune
		is   string
	}
	var runs []run
	for line := range strings.Lines(string(stored(t, file))) {
		var r run
		if _, err := fmt.Sscanf(line, "%x %s", &r.from, &r.is); err != nil {
			t.Fatal(err)
		}
		runs = append(runs, r)
	}
	if len(runs) < least {
		t.Fatalf("%d runs", len(runs))
	}
	at, wrong := 0, 0
	for c := rune(0); c <= 0x10ffff; c++ {
		if 0xd800 <= c && c < 0xe000 {
			continue // no characters
		}
		for at+1 < len(runs) && runs[at+1].from <= c {
			at++
		}
		if !same(c, runs[at].is) {
			if wrong++; wrong <= 20 {
				t.Errorf("%U is no %s here", c, runs[at].is)
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d characters are taken for something else", wrong)
	}
}

// What was read from Hugging Face's form is written and read again without loss.
func TestForeignTokenizerRoundTrips(t *testing.T) {
	t.Parallel()
	for _, tok := range []*Tokenizer{llama3(t), smollm(t)} {
		back, err := FromJSONAs(tok.JSON(), tok.Names())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(tok.Vocabulary(), back.Vocabulary()); d != "" {
			t.Errorf("(-read +written and read):\n%s", d)
		}
	}
}

// Hugging Face's tokenizers, the program itself, gives our files the ids that they have here: those of a tokenizer that was
// trained here on the lines, of one with a fixed vocabulary, and of the foreign ones as they are written here. TRANSFORMERS_PYTHON names
// a Python that has it; `make check-tokenizer` makes one.
func TestTokenizersReadsOurs(t *testing.T) {
	t.Parallel()
	python := os.Getenv("TRANSFORMERS_PYTHON")
	if python == "" {
		t.Skip("set TRANSFORMERS_PYTHON to a Python that has tokenizers to compare with it")
	}
	texts := lines(t)
	fixed, err := Fixed([]string{" the", "the", " of", " Größe", "größe", "==", "123", " 日本語", "日本語", "'s", "\n\n"})
	if err != nil {
		t.Fatal(err)
	}
	for name, tok := range map[string]*Tokenizer{
		"fixed":        fixed,
		"trained":      Train(slices.Values(texts), Options{VocabSize: 4000}),
		"spaces apart": Train(slices.Values(texts), Options{VocabSize: 1000, SpacesApart: true, Specials: []string{"<|tool|>"}}),
		"foreign":      llama3(t),
		"SmolLM's":     smollm(t),
	} {
		file := filepath.Join(t.TempDir(), "tokenizer.json")
		if err := os.WriteFile(file, tok.JSON(), 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(python, filepath.Join("testdata", "reference.py"), "--ids", file).Output()
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Fields(string(out))
		if len(want) != len(texts) {
			t.Fatalf("%s: %d digests", name, len(want))
		}
		for i, text := range texts {
			if got := digestOf(tok.Encode(text)); got != want[i] {
				t.Errorf("%s: line %d, %q: other ids", name, i, text)
			}
		}
	}
}
