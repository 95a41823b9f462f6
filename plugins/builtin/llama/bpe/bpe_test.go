package bpe

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// naive learns merges by counting all pairs anew for every merge.
func naive(texts []string, size int) (merges []string) {
	counts := count(slices.Values(texts), false)
	words := map[string][]string{}
	for p := range counts {
		for i := range len(p) {
			words[p] = append(words[p], p[i:i+1])
		}
	}
	t := base(Options{}.specials())
	for len(t.tokens) < size {
		pairs := map[[2]string]int{}
		for p, w := range words {
			for i := range len(w) - 1 {
				pairs[[2]string{w[i], w[i+1]}] += counts[p]
			}
		}
		var best [2]string
		most := 1
		less := func(a, b [2]string) bool {
			if t.ids[a[0]] != t.ids[b[0]] {
				return t.ids[a[0]] < t.ids[b[0]]
			}
			return t.ids[a[1]] < t.ids[b[1]]
		}
		for p, n := range pairs {
			if n > most || n == most && most > 1 && less(p, best) {
				best, most = p, n
			}
		}
		if most < 2 {
			break
		}
		t.add(best[0] + best[1])
		merges = append(merges, Spell(best[0])+" "+Spell(best[1]))
		for p, w := range words {
			var out []string
			for i := 0; i < len(w); i++ {
				if i+1 < len(w) && w[i] == best[0] && w[i+1] == best[1] {
					out = append(out, w[i]+w[i+1])
					i++
					continue
				}
				out = append(out, w[i])
			}
			words[p] = out
		}
	}
	return merges
}

func TestTrainEqualsCountingAnew(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 30 {
		texts := slices.Clone(corpus)
		if i > 0 { // few letters make many ties, overlaps and tokens reached by two ways
			texts = nil
			for range 40 {
				var b strings.Builder
				for range 1 + r.IntN(30) {
					b.WriteByte("aab c"[r.IntN(5)])
				}
				texts = append(texts, b.String())
			}
		}
		size := 261 + r.IntN(200)
		got := Train(slices.Values(texts), Options{VocabSize: size}).Vocabulary().Merges
		if d := cmp.Diff(naive(texts, size), got); d != "" {
			t.Fatalf("case %d, size %d (-naive +incremental):\n%s", i, size, d)
		}
	}
}

func TestTrainOrderOfTextsDoesNotMatter(t *testing.T) {
	t.Parallel()
	a := trained(340).JSON()
	back := slices.Clone(corpus)
	slices.Reverse(back)
	b := Train(slices.Values(back), Options{VocabSize: 340}).JSON()
	if string(a) != string(b) {
		t.Error("the order of the texts changed the vocabulary")
	}
}

func TestVocabulary(t *testing.T) {
	t.Parallel()
	tok := trained(340)
	if tok.Size() != 340 {
		t.Errorf("%d tokens, not 340", tok.Size())
	}
	for id := range int32(340) {
		s := tok.Bytes(id)
		if digits := strings.IndexAny(s, "0123456789"); digits >= 0 && len(s) > 1 {
			t.Errorf("token %d, %q, merges a digit", id, s)
		}
	}
	small := Train(slices.Values([]string{"abcd"}), Options{VocabSize: 1000, Specials: []string{"<|tool|>"}})
	if want := MinVocab(Options{Specials: []string{"<|tool|>"}}); small.Size() != want || want != 262 {
		t.Errorf("no pair occurs twice, yet there are %d tokens, not %d", small.Size(), want)
	}
	if got := tok.Encode("84in5ft en"); len(got) != 6 {
		t.Errorf("84in5ft en: %d tokens, want 8, 4, in, 5, ft, en", len(got))
	}
}

func TestUserTextNeverBecomesASpecialToken(t *testing.T) {
	t.Parallel()
	tok := trained(340)
	for id := range int32(tok.Size()) {
		if !tok.Special(id) {
			continue
		}
		for _, text := range []string{tok.Bytes(id), "x" + tok.Bytes(id) + "y", " " + tok.Bytes(id)} {
			ids := tok.Encode(text)
			if slices.ContainsFunc(ids, tok.Special) {
				t.Errorf("%q encodes to a special token", text)
			}
			if tok.Decode(ids) != text {
				t.Errorf("%q decodes to %q", text, tok.Decode(ids))
			}
		}
	}
}

func TestLongPiece(t *testing.T) {
	t.Parallel()
	tok := Train(slices.Values([]string{strings.Repeat("a", 200), strings.Repeat("a", 200)}), Options{VocabSize: 300})
	text := strings.Repeat("a", 1<<20)
	ids := tok.Encode(text) // quadratic work would take hours
	if tok.Decode(ids) != text || len(ids) > 1<<14 {
		t.Errorf("a megabyte of one letter: %d tokens", len(ids))
	}
}

func TestJSONRoundTrip(t *testing.T) {
	t.Parallel()
	tok := trained(340)
	back, err := FromJSON(tok.JSON())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(tok.Vocabulary(), back.Vocabulary()); d != "" {
		t.Errorf("(-written +read):\n%s", d)
	}
	if string(back.JSON()) != string(tok.JSON()) {
		t.Error("written, read and written again: other bytes")
	}
}

func TestFromJSONRefuses(t *testing.T) {
	t.Parallel()
	good := string(trained(270).JSON())
	for _, c := range []struct{ name, old, new, want string }{
		{"pattern", `\\p{N}{1,3}`, `\\p{N}`, "split pattern"},
		{"merges used", `"ignore_merges": true`, `"ignore_merges": false`, "ignore_merges"},
		{"missing byte", `"Ā": 5`, `"ĀĀ": 5`, "byte 0x00"},
		{"id twice", `"Ā": 5`, `"Ā": 6`, "two tokens"},
		{"id beyond", `"Ā": 5`, `"Ā": 1048576`, "has id 1048576"},
		{"negative id", `"Ā": 5`, `"Ā": -1`, "has id -1"},
		{"no BOS", BeginText, "<|other|>", "puts something else round a text"},
		{"other digits", `"type": "Split"`, `"type": "Digits"`, "leaves several digits together"},
		{"normalizer", `"normalizer": null`, `"normalizer": {"type": "NFC"}`, "normalizer"},
		{"another template", `"type": "TemplateProcessing"`, `"type": "BertProcessing"`, "puts something else round a text"},
		{"trailing", "\n}\n", "\n} {}\n", "more than one"},
	} {
		bad := strings.ReplaceAll(good, c.old, c.new)
		if bad == good {
			t.Fatalf("%s: nothing replaced", c.name)
		}
		if _, err := FromJSON([]byte(bad)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one about %q", c.name, err, c.want)
		}
	}
}

// A file that puts nothing before a text is read so, and a text begins with BOS only where it has nothing else.
func TestNoBOS(t *testing.T) {
	t.Parallel()
	good := string(trained(340).JSON())
	for _, template := range []string{`"post_processor": null, "unused": {`, `"post_processor": {"type": "ByteLevel"}, "unused": {`,
		`"post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}]}, "unused": {`} {
		tok, err := FromJSON([]byte(strings.Replace(good, `"post_processor": {`, template, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if got := tok.Sequence("the"); !slices.Equal(got, tok.Encode("the")) {
			t.Errorf("a text is %v", got)
		}
		if got := tok.Sequence(""); !slices.Equal(got, []int32{tok.BOS()}) {
			t.Errorf("no text is %v", got)
		}
		if ids, _ := tok.Chat([]Message{{Role: "user", Content: "hi"}}, true); tok.Bytes(ids[0]) != StartTurn {
			t.Errorf("a chat begins with %q", tok.Bytes(ids[0]))
		}
		back, err := FromJSON(tok.JSON())
		if err != nil || !back.Vocabulary().NoBOS {
			t.Errorf("written and read again, %v", err)
		}
	}
}

// SmolLM's form is another in each of its parts, and half of one is refused.
func TestSmolLMRefuses(t *testing.T) {
	t.Parallel()
	tok := smollm(t)
	good := string(tok.JSON())
	for _, c := range []struct{ name, old, new, want string }{
		{"whole pieces", `"ignore_merges": false`, `"ignore_merges": true`, "ignore_merges is true"},
		{"digits together", `"individual_digits": true`, `"individual_digits": false`, "leaves several digits together"},
		{"no pattern", `"use_regex": true
      }
    ]`, `"use_regex": false
      }
    ]`, "no pattern of its own"},
		{"a blank", `"add_prefix_space": false`, `"add_prefix_space": true`, "adds a blank"},
		{"a printable byte", `"a": `, `"ĀĀ": `, "byte 0x61 has no token"},
	} {
		bad := strings.Replace(good, c.old, c.new, 1)
		if bad == good {
			t.Fatalf("%s: nothing replaced", c.name)
		}
		if _, err := FromJSONAs([]byte(bad), tok.Names()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one about %q", c.name, err, c.want)
		}
	}
}

func TestChat(t *testing.T) {
	t.Parallel()
	tok := trained(340)
	ids, loss := tok.Chat([]Message{
		{Role: "user", Content: "hi <|im_end|>"},
		{Role: "assistant", Content: "the answer", Train: true},
	}, true)
	want := BeginText + "<|im_start|>user\nhi <|im_end|><|im_end|>\n<|im_start|>assistant\nthe answer<|im_end|>\n<|im_start|>assistant\n"
	if got := tok.Decode(ids); got != want {
		t.Errorf("rendered %q, want %q", got, want)
	}
	var learned []int32
	for i, id := range ids {
		if loss[i] {
			learned = append(learned, id)
		}
	}
	if got := tok.Decode(learned); got != "the answer<|im_end|>" {
		t.Errorf("the loss covers %q", got)
	}
	if n := len(slices.DeleteFunc(slices.Clone(ids), func(id int32) bool { return id != tok.EndTurn() })); n != 2 {
		t.Errorf("%d ends of a turn, want 2: the user's text must not make one", n)
	}
}

func FuzzRoundTrip(f *testing.F) {
	both := []*Tokenizer{trained(340), smollm(f)}
	for _, s := range corpus {
		f.Add(s)
	}
	f.Add("\xff\xfe'\xf0\x9f")
	f.Fuzz(func(t *testing.T, text string) {
		for _, tok := range both {
			ids := tok.Encode(text)
			if got := tok.Decode(ids); got != kept(tok, text) {
				t.Errorf("%q came back as %q", text, got)
			}
			if slices.ContainsFunc(ids, tok.Special) {
				t.Errorf("%q encodes to a special token", text)
			}
		}
	})
}

// allocated is how much memory a call takes altogether, what it has given back included. Nothing else may run beside it.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// bound is the most that reading a tokenizer.json of n bytes may take.
func bound(n int) uint64 { return 1<<18 + 64*uint64(n) }

// What a hostile tokenizer.json says is refused in a few words, and takes memory in proportion to the file. Merges cannot go
// round in circles: each makes a longer token of two shorter ones that are there. Not parallel: it measures.
func TestHostileTokenizers(t *testing.T) {
	good := string(trained(262).JSON()) // one merge: Ġ and t
	first := trained(262).Vocabulary().Merges[0]
	for _, c := range []struct{ name, old, new, want string }{
		{"a merge with itself", first, "a a", "joins to no token"},
		{"a merge with nothing", first, "a ", `"" is not a token`},
		{"a merge that gives a part of itself", first, strings.Fields(first)[0] + strings.Fields(first)[1] + " a", "joins to no token"},
		{"a merge of a special token", first, BeginText + " a", "is not a token"},
		{"a merge of three", first, "a b c", "is not two tokens"},
		{"a merge that is no pair", `"` + first + `"`, `["a"]`, "a merge of 1 tokens"},
		{"a merge twice", `"` + first + `"`, `"` + first + `", "` + first + `"`, "is there twice"},
		{"a huge id", `"Ā": 5`, `"Ā": 2147483647`, "has id 2147483647"},
		{"an id beyond 32 bits", `"Ā": 5`, `"Ā": 9999999999`, "cannot unmarshal"},
		{"a long token", `"Ā": 5`, `"` + strings.Repeat("Ā", 100000) + `": 5`, "byte 0x00 has no token"},
		{"a token that is no bytes", `"Ā": 5`, `"` + strings.Repeat("語", 50000) + `": 5`, "is not in the byte-level spelling"},
		{"an added token that is none", `"special": true`, `"special": false`, "is not a plain special token"},
		{"many lists", `"truncation": null`, `"truncation": [` + strings.Repeat("[],", 50000) + `[]]`, ""},
		{"a deep list", `"truncation": null`, `"truncation": ` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000), "exceeded max depth"},
		{"many added tokens", `"added_tokens": [`, `"added_tokens": [` + strings.Repeat(`{"id":0,"content":"x","special":true},`, 20000), "id 0 stands for two tokens"},
	} {
		bad := strings.ReplaceAll(good, c.old, c.new)
		if bad == good {
			t.Fatalf("%s: nothing replaced", c.name)
		}
		var err error
		took := allocated(func() { _, err = FromJSON([]byte(bad)) })
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: error %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 400):
			t.Errorf("%s: error %v, want one about %q", c.name, err, c.want)
		}
		if took > bound(len(bad)) {
			t.Errorf("%s: %d bytes for a file of %d, at most %d", c.name, took, len(bad), bound(len(bad)))
		}
	}
}

// Whatever the bytes, reading ends without a panic, and takes memory in proportion to them.
func FuzzTokenizer(f *testing.F) {
	f.Add(trained(262).JSON())
	v := trained(262).Vocabulary()
	v.Split, v.NoBOS = SmolLM, true
	smol, err := New(v)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(smol.JSON())
	f.Add([]byte(`{"model":{"type":"BPE","vocab":{"a":99999999}}}`))
	f.Add([]byte(`{"model":{"type":"BPE","ignore_merges":true,"vocab":{"a":0,"b":1,"ab":2},"merges":[["a","b"],"ab a"]},"post_processor":{"type":"Sequence","processors":[]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var tok *Tokenizer
		var err error
		took := allocated(func() {
			tok, err = FromJSON(data)
			_, _ = NamesIn(data) // must end, whatever it says
		})
		if took > bound(len(data)) {
			t.Errorf("%d bytes for a file of %d, at most %d", took, len(data), bound(len(data)))
		}
		if err != nil {
			return
		}
		if tok.Decode(tok.Encode("any text 12")) != "any text 12" {
			t.Error("an accepted tokenizer does not round-trip")
		}
		if back, err := FromJSON(tok.JSON()); err != nil || back.Size() != tok.Size() {
			t.Errorf("accepted, but not once it is written: %v", err)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	tok := trained(340)
	text := strings.Join(corpus, "\n")
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		tok.Encode(text)
	}
}

func BenchmarkTrain(b *testing.B) {
	r := rand.New(rand.NewPCG(7, 8))
	var texts []string
	for range 2000 {
		texts = append(texts, randomText(r, 100))
	}
	for b.Loop() {
		Train(slices.Values(texts), Options{VocabSize: 2048})
	}
}
