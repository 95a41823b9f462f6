package godoc

import (
	"cmp"
	"go/scanner"
	"go/token"
	"regexp"
	"slices"
	"strings"
)

// Benchmarks.
const (
	Signature   = "signature"   // from the doc comment to parameters and results
	Cloze       = "cloze"       // from the text so far to the next word
	Declaration = "declaration" // from the doc comment to the whole declaration
)

// Item is a line of a held-out split.
type Item struct {
	Prompt      string   `json:"prompt"`
	Reference   string   `json:"reference"`
	Distractors []string `json:"distractors,omitempty"`
	Key         string   `json:"key"`
	Cluster     string   `json:"cluster"`
	Benchmark   string   `json:"benchmark"`
}

// wrong is how many distractors an item has.
const wrong = 3

// declarationItem asks for a whole function. It has no distractors: of a long text and a short one a model finds the short one
// likelier whatever it knows.
func declarationItem(e Example) Item {
	return Item{Prompt: e.Prompt, Reference: e.Text, Key: Declaration + " " + e.place(), Cluster: e.Path, Benchmark: Declaration}
}

// place is a name for an example that no other has.
func (e Example) place() string {
	if e.head == "" {
		return e.Path + " " + e.Family + " " + e.Name
	}
	return e.Path + " " + e.head
}

// signatureItem asks for the signature of a function. The distractors are what follows the name in other functions of the package,
// with other types and of about the same length; receiver and name are the right ones in all four, so they give nothing away.
// False: the package has too few.
func signatureItem(e Example, all []Example) (Item, bool) {
	seen := map[string]bool{e.types: true}
	var tails []string
	for _, o := range all {
		if o.types != "" && !seen[o.types] && fits(e, o) {
			seen[o.types] = true
			tails = append(tails, o.tail)
		}
	}
	if len(tails) < wrong {
		return Item{}, false
	}
	slices.SortFunc(tails, func(a, b string) int {
		return cmp.Or(cmp.Compare(apart(a, e.tail), apart(b, e.tail)), cmp.Compare(a, b))
	})
	it := Item{Prompt: e.Prompt, Reference: e.signature(), Key: Signature + " " + e.place(), Cluster: e.Path, Benchmark: Signature}
	for _, t := range some(tails[:min(len(tails), 3*wrong)], it.Key) {
		it.Distractors = append(it.Distractors, e.head+t)
	}
	return it, true
}

// fits reports whether the end of one function's signature can stand after the name of another: its parameters are not called like
// the receiver, and its types are not parameters of a receiver of its own.
func fits(e, o Example) bool {
	name, base, _ := strings.Cut(strings.TrimPrefix(e.head, "func ("), " ")
	_, other, _ := strings.Cut(strings.TrimPrefix(o.head, "func ("), " ")
	same := strings.Split(base, ")")[0] == strings.Split(other, ")")[0]
	return (e.Family != Method || !mentions(o.tail, name)) && (same || !strings.Contains(o.head, "["))
}

func apart(a, b string) int { return max(len(a)-len(b), len(b)-len(a)) }

// some draws distractors.
func some(from []string, key string) []string {
	from = slices.Clone(from)
	slices.SortFunc(from, func(a, b string) int { return cmp.Compare(draw(key, a), draw(key, b)) })
	return from[:wrong]
}

// span is a word of an example: where it begins and ends.
type span struct{ from, to int }

var (
	word     = regexp.MustCompile(`[A-Za-z]{4,}`)
	minCloze = 40 // bytes of doc comment or code before the word that is asked for
)

// wordsOf gives the words of an example, those of the doc comment or the identifiers of the code.
func wordsOf(e Example, code bool) []span {
	if code {
		return identifiers(e)
	}
	var out []span
	begin := len(e.Prompt) - len(docOf(e))
	for _, m := range word.FindAllStringIndex(e.Prompt[begin:], -1) {
		from, to := begin+m[0], begin+m[1]
		if !letter(e.Prompt[from-1]) && !letter(e.Prompt[to]) && e.Prompt[from:to] != e.Name {
			out = append(out, span{from, to})
		}
	}
	return out
}

func docOf(e Example) string {
	_, _, rest, _ := readClause(e.Prompt)
	return rest
}

func identifiers(e Example) []span {
	var s scanner.Scanner
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(e.Text))
	s.Init(file, []byte(e.Text), func(token.Position, string) {}, 0)
	var out []span
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return out
		}
		if at := file.Offset(pos); tok == token.IDENT && len(lit) > 2 && at > len(e.head) && lit != e.Name {
			out = append(out, span{len(e.Prompt) + at, len(e.Prompt) + at + len(lit)})
		}
	}
}

// clozeItem asks for a word of an example. The distractors are other words of the same kind, of the doc comments or of the code, from
// the same package, and begin with a letter of the same case. The character before a word belongs to it where it is neither a letter
// nor a line break, as it does for the tokenizer. False: the example or the package is too short.
func clozeItem(e Example, all []Example) (Item, bool) {
	text := e.Prompt + e.Text
	begin := len(e.Prompt) - len(docOf(e))
	key := Cloze + " " + e.place()
	code := draw("kind", key)%2 == 0
	spans := slices.DeleteFunc(wordsOf(e, code), func(s span) bool { return s.from < begin+minCloze })
	if len(spans) == 0 {
		return Item{}, false
	}
	at := spans[draw("word", key)%uint64(len(spans))]
	answer := text[at.from:at.to]
	seen := map[string]bool{answer: true}
	var others []string
	for _, o := range all {
		t := o.Prompt + o.Text
		for _, s := range wordsOf(o, code) {
			if w := t[s.from:s.to]; !seen[w] && upper(w) == upper(answer) && !strings.EqualFold(w, answer) {
				seen[w] = true
				others = append(others, w)
			}
		}
	}
	if len(others) < wrong {
		return Item{}, false
	}
	if c := text[at.from-1]; c != '\n' && !letter(c) {
		at.from--
	}
	before := strings.TrimSuffix(text[at.from:at.to], answer)
	it := Item{Prompt: text[:at.from], Reference: before + answer, Key: key, Cluster: e.Path, Benchmark: Cloze}
	for _, w := range some(others, key) {
		it.Distractors = append(it.Distractors, before+w)
	}
	return it, true
}

func upper(w string) bool { return 'A' <= w[0] && w[0] <= 'Z' }
