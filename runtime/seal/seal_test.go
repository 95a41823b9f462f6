package seal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func build(t testing.TB, items ...Item) *Index {
	t.Helper()
	ix, err := Build(items)
	if err != nil {
		t.Fatal(err)
	}
	return ix
}

const (
	long  = "A courier leaves the depot at nine in the morning, rides forty kilometres to the coast, rests for half an hour, and returns by the same road at twenty kilometres an hour against the wind. When is she back at the depot?"
	short = "What is the capital of the province of Soria?" // nine words
	tiny  = "Who wrote Niebla?"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	ix := build(t,
		Item{ID: "long", Question: long, Answer: "At half past one."},
		Item{ID: "short", Question: short, Answer: "Soria"},
		Item{ID: "tiny", Question: tiny, Answer: "Unamuno"},
		Item{ID: "about", Question: "According to the handbook, what must be done before a valve is opened while the plant is running at full load?", Answer: "Call the shift lead.", Evidence: []string{"handbook.md"}},
	)
	handbook := "Chapter 4. What must be done before a valve is opened while the plant is running at full load? Call the shift lead."
	for _, c := range []struct {
		name   string
		sample Sample
		kind   Kind // empty: no hit
		item   string
	}{
		{"the question", Sample{Prompt: long, Text: "Some answer."}, Exact, "long"},
		{"case, space and punctuation", Sample{Prompt: "  what is the CAPITAL of the\nprovince of Soria ", Text: "x"}, Exact, "short"},
		{"as a line of a few-shot prompt", Sample{Prompt: "Answer briefly.\n" + tiny + "\nUnamuno\nWho wrote Zalacaín?", Text: "Baroja"}, Exact, "tiny"},
		{"a run of words inside a document", Sample{Text: "Exercise 12. She rides forty kilometres to the coast, rests for half an hour, and returns by another road."}, Ngram, "long"},
		{"twelve words in a row", Sample{Text: "Once more: forty kilometres to the coast, rests for half an hour, and RETURNS home."}, "", ""},
		{"thirteen words in a row", Sample{Text: "Once more: forty kilometres to the coast, rests for half an hour, and returns by bus."}, Ngram, "long"},
		{"a short item inside a text", Sample{Text: "Tell me, what is the capital of the province of Soria, please?"}, Ngram, "short"},
		{"most of a short item", Sample{Text: "Tell me, what is the capital of the province of Zamora, please?"}, "", ""},
		{"something else", Sample{Prompt: "How many provinces are there?", Text: "Fifty."}, "", ""},
		{"a heading of two words", Sample{Text: "Who wrote\nthis book about fog"}, "", ""},
		{"evidence", Sample{Source: []string{"handbook.md"}, Text: handbook}, "", ""},
		{"evidence by another of its names", Sample{Source: []string{"books.txt", "handbook.md"}, Text: handbook}, "", ""},
		{"the same text from elsewhere", Sample{Source: []string{"notes.md"}, Text: handbook}, Ngram, "about"},
		{"evidence of another item", Sample{Source: []string{"handbook.md"}, Text: long}, Exact, "long"},
		{"a key where the items have none", Sample{Key: "k", Text: long}, Exact, "long"},
		{"nothing", Sample{}, "", ""},
	} {
		hit, found := ix.Check(c.sample)
		if found != (c.kind != "") || found && (hit.Kind != c.kind || hit.Item != c.item) {
			t.Errorf("%s: %v, %+v; want %q on %q", c.name, found, hit, c.kind, c.item)
		}
		if found && (hit.String() == "" || strings.Contains(hit.String(), "courier")) {
			t.Errorf("%s: the reason is %q", c.name, hit.String())
		}
	}
}

func TestCheckKeys(t *testing.T) {
	t.Parallel()
	ix := build(t, Item{ID: "1", Key: "3ft9in+7ft5in", Question: "7ft5in+3ft9in:", Answer: "5+9=14;14-12=2;7+3+1=11;11ft2in"})
	for _, c := range []struct {
		name   string
		sample Sample
		kind   Kind
	}{
		{"the key, otherwise worded", Sample{Key: "3ft9in+7ft5in", Text: "3ft9in+7ft5in:9+5=14"}, Key},
		{"another key, the same figures", Sample{Key: "3st9lb+7st5lb", Text: "7ft5in+3ft9in:5+9=14;14-12=2;7+3+1=11;11ft2in"}, ""},
		{"no key, the same text", Sample{Text: "7ft5in+3ft9in:5+9=14;14-12=2;7+3+1=11;11ft2in"}, Exact},
	} {
		if hit, found := ix.Check(c.sample); found != (c.kind != "") || found && hit.Kind != c.kind {
			t.Errorf("%s: %v, %+v; want %q", c.name, found, hit, c.kind)
		}
	}
}

// vocabulary of made-up prose.
func prose(r *rand.Rand, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("w%c%d", 'a'+rune(r.IntN(26)), r.IntN(200))
	}
	return out
}

// Items are planted whole, with words replaced, or cut, inside documents of 2,000 words. What must be found is stated
// for each; clean documents must never hit.
func TestCheckPlanted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		edit        func(item []string, r *rand.Rand) []string
		least, most float64 // rate of hits
	}{
		{"verbatim", func(w []string, _ *rand.Rand) []string { return w }, 1, 1},
		{"half of it", func(w []string, _ *rand.Rand) []string { return w[:len(w)/2] }, 1, 1},
		{"13 words of it", func(w []string, _ *rand.Rand) []string { return w[20:33] }, 1, 1},
		{"12 words of it", func(w []string, _ *rand.Rand) []string { return w[20:32] }, 0, 0},
		{"every 13th word replaced", everyNth(13), 0.95, 1},
		{"every 10th word replaced", everyNth(10), 1, 1},
		{"every 7th word replaced", everyNth(7), 0, 0},
		{"every 5th word replaced", everyNth(5), 0, 0},
		{"3 % of words replaced", replaced(0.03), 1, 1},
		{"10 % of words replaced", replaced(0.10), 0.95, 1},
		{"words in another order", func(w []string, r *rand.Rand) []string {
			w = slices.Clone(w)
			r.Shuffle(len(w), func(i, j int) { w[i], w[j] = w[j], w[i] })
			return w
		}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(11, 11))
			var items []Item
			var texts [][]string
			for i := range 60 {
				w := prose(r, 60)
				texts = append(texts, w)
				items = append(items, Item{ID: fmt.Sprint(i), Question: strings.Join(w, " ")})
			}
			ix := build(t, items...)
			hits := 0
			for i, w := range texts {
				clean := append(prose(r, 1000), prose(r, 1000)...)
				if hit, found := ix.Check(Sample{Text: strings.Join(clean, " ")}); found {
					t.Fatalf("a clean document hits: %+v", hit)
				}
				dirty := slices.Concat(clean[:1000], c.edit(w, r), clean[1000:])
				if hit, found := ix.Check(Sample{Text: strings.Join(dirty, " ")}); found {
					hits++
					if hit.Item != fmt.Sprint(i) {
						t.Errorf("item %d was planted, and %+v hits", i, hit)
					}
				}
			}
			rate := float64(hits) / float64(len(texts))
			t.Logf("%s: %.0f %% found", c.name, 100*rate)
			if rate < c.least || rate > c.most {
				t.Errorf("found %.2f, want %.2f to %.2f", rate, c.least, c.most)
			}
		})
	}
}

func everyNth(n int) func([]string, *rand.Rand) []string {
	return func(w []string, _ *rand.Rand) []string {
		w = slices.Clone(w)
		for i := n - 1; i < len(w); i += n {
			w[i] = fmt.Sprint("edit", i)
		}
		return w
	}
}

func replaced(share float64) func([]string, *rand.Rand) []string {
	return func(w []string, r *rand.Rand) []string {
		w = slices.Clone(w)
		for i := range w {
			if r.Float64() < share {
				w[i] = fmt.Sprint("edit", i)
			}
		}
		return w
	}
}

type example struct{ Prompt, Text, Reference, Key string }

func examples(t *testing.T, name string) []example {
	t.Helper()
	data, err := os.ReadFile("../../domains/quantities/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var out []example
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		var e example
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

// The default domain without its keys: examples that are other questions share figures, and must not hit; the items
// themselves must.
func TestCheckWorkedExamples(t *testing.T) {
	t.Parallel()
	gate := examples(t, "gate.jsonl")
	keyless := make([]Item, len(gate))
	for i, e := range gate {
		keyless[i] = Item{ID: fmt.Sprint(i), Question: e.Prompt, Answer: e.Reference}
	}
	ix := build(t, keyless...)
	clean := 0
	for _, name := range []string{"real.jsonl", "validation.jsonl", "dev.jsonl"} {
		for _, e := range examples(t, name) {
			clean++
			answer := e.Text + e.Reference
			for _, s := range []Sample{{Prompt: e.Prompt, Text: answer}, {Text: e.Prompt + answer}} {
				if hit, found := ix.Check(s); found {
					t.Errorf("%s: %q hits: %+v, %q", name, e.Prompt+answer, hit, gate[index(t, hit.Item)].Prompt)
				}
			}
		}
	}
	for _, e := range gate {
		for _, s := range []Sample{{Prompt: e.Prompt, Text: e.Reference}, {Text: e.Prompt + e.Reference}, {Prompt: e.Prompt, Text: "nonsense"}} {
			if _, found := ix.Check(s); !found {
				t.Errorf("item %q does not hit as %+v", e.Prompt, s)
			}
		}
	}
	if clean < 1000 || len(gate) < 1000 {
		t.Errorf("%d clean examples against %d items show little", clean, len(gate))
	}
}

func index(t *testing.T, id string) (i int) {
	t.Helper()
	if _, err := fmt.Sscan(id, &i); err != nil {
		t.Fatal(err)
	}
	return i
}

func TestEncode(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(12, 12))
	var items []Item
	for i := range 40 {
		items = append(items, Item{ID: fmt.Sprint(i), Key: fmt.Sprint("k", i%7), Question: strings.Join(prose(r, 5+i), " "), Answer: "x", Evidence: []string{"b", "a", "b"}})
	}
	ix := build(t, items...)
	data := ix.Encode()
	got, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ix, got, cmp.AllowUnexported(Index{}, posting{})); diff != "" {
		t.Errorf("decoded otherwise:\n%s", diff)
	}
	slices.Reverse(items)
	if other := build(t, items...); other.Digest() != ix.Digest() {
		t.Error("the order of the items changes the digest")
	}
	items[3].Answer = "y"
	if other := build(t, items...); other.Digest() == ix.Digest() {
		t.Error("another benchmark has the same digest")
	}
	for _, bad := range [][]byte{nil, []byte("jupiter"), []byte(magic), data[:len(data)-1], data[:len(data)/2], flipped(data, len(data)/2), flipped(data, len(data)-1), flipped(data, 3)} {
		if _, err := Decode(bad); err == nil {
			t.Errorf("%d bytes of another file decode", len(bad))
		}
	}
}

func flipped(data []byte, i int) []byte {
	data = bytes.Clone(data)
	data[i] ^= 1
	return data
}

// A digest names a seal across versions of this program.
func TestDigestIsStable(t *testing.T) {
	t.Parallel()
	ix := build(t, Item{ID: "a", Key: "k", Question: long, Answer: "x"}, Item{ID: "b", Question: short, Evidence: []string{"doc"}})
	if got, want := ix.Digest(), "sha256:d9f5570688b21754102eae78fdf728e6ec97927e32d4abdbf8962bf44f170a5d"; got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
}

func TestShingles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b   string
		n      int
		shared int
	}{
		{"one two three", "ONE, two; four", 2, 1},
		{"one two three one two", "one two", 2, 1},
		{"one", "one", 2, 1},
		{"1 2 3", "1 2 3", 2, 0}, // figures alone
		{"", "", 2, 0},
	} {
		n := 0
		for _, h := range Shingles(c.a, c.n) {
			if slices.Contains(Shingles(c.b, c.n), h) {
				n++
			}
		}
		if n != c.shared {
			t.Errorf("%q and %q share %d", c.a, c.b, n)
		}
	}
}

func TestBuildRefuses(t *testing.T) {
	t.Parallel()
	for _, items := range [][]Item{nil, {{ID: "", Question: "x"}}, {{ID: "a", Question: "x"}, {ID: "a", Question: "y"}}, {{ID: "a", Question: " .,"}}} {
		if ix, err := Build(items); err == nil {
			t.Errorf("%v builds %v", items, ix)
		}
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	var items []Item
	for i := range 3000 {
		items = append(items, Item{ID: fmt.Sprint(i), Key: fmt.Sprint("key", i)})
	}
	dev, gate := Split(items, 0)
	if n := len(dev); len(dev)+len(gate) != 3000 || n < 530 || n > 670 { // 600 ± 3 standard deviations
		t.Errorf("%d dev and %d gate of 3000", len(dev), len(gate))
	}
	_, capped := Split(items, 500)
	if diff := cmp.Diff(gate[:500], capped); diff != "" {
		t.Errorf("the capped pool is not the head of the whole:\n%s", diff)
	}
	in := map[string]bool{}
	for _, it := range dev {
		in[it.Key] = true
	}
	// More items in another order, under other IDs: those that were there stay where they were.
	more := []Item{}
	for i := 3999; i >= 0; i-- {
		more = append(more, Item{ID: fmt.Sprint("n", i), Key: fmt.Sprint("key", i)})
	}
	dev, gate = Split(more, 0)
	moved := 0
	for _, it := range gate {
		if in[it.Key] {
			moved++
		}
	}
	if moved > 0 || len(dev) < 600 {
		t.Errorf("%d items moved from dev to gate; dev has %d", moved, len(dev))
	}
	dev, gate = Split([]Item{{ID: "1", Question: "a"}, {ID: "2", Question: "a"}}, 0)
	if len(dev) != 0 && len(gate) != 0 {
		t.Error("two items of the same text fall on both sides")
	}
}

func BenchmarkCheck(b *testing.B) {
	r := rand.New(rand.NewPCG(13, 13))
	var items []Item
	for i := range 2000 {
		items = append(items, Item{ID: fmt.Sprint(i), Question: strings.Join(prose(r, 100), " ")})
	}
	ix := build(b, items...)
	text := strings.Join(prose(r, 2000), " ")
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if hit, found := ix.Check(Sample{Text: text}); found {
			b.Fatal(hit)
		}
	}
}
