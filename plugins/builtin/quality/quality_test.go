package quality

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// defaults is the configuration of an empty block.
func defaults() Config {
	return Config{Kind: auto, Rules: []string{gopherQuality, gopherRepetition, fineWeb, codeFamily}}
}

func ptr[T any](v T) *T { return &v }

// english is text that breaks no rule.
const english = `The harbour master keeps a ledger in which every ship that enters is written down, with the day of its arrival and the name of its captain.
Most of the entries are short, but a few of them tell of storms, of cargo that was lost, and of crews that had to be taken off in small boats.
Nobody reads the ledger today, and yet it is kept as carefully as it was when the first master began it more than two hundred years ago.

When the new breakwater was built, the council asked whether such a book was still of any use, since all ships report by radio before they come in.
The master answered that radios forget and paper does not. The council laughed, and the ledger stayed where it had always been, on the desk by the window.`

const spanish = `El capitán del puerto lleva un libro en el que se anota cada barco que entra, con el día de su llegada y el nombre de quien lo manda.
La mayoría de las notas son breves, pero algunas cuentan tormentas, carga perdida y tripulaciones que hubo que rescatar en botes pequeños.
Nadie lee hoy ese libro, y sin embargo se lleva con el mismo cuidado que cuando lo empezó el primer capitán, hace más de doscientos años.

Cuando se hizo el nuevo rompeolas, el consejo preguntó si un libro así servía todavía para algo, ya que los barcos avisan por radio antes de entrar.
El capitán contestó que la radio olvida y el papel no. El consejo se rio, y el libro siguió donde siempre había estado, en la mesa junto a la ventana.`

const goCode = `package main

import "fmt"

func main() {
	for i := range 10 {
		if i%2 == 0 {
			fmt.Println(i)
		}
	}
	for i := range 10 {
		if i%3 == 0 {
			fmt.Println(i)
		}
	}
}
`

const chinese = `港口的负责人保存着一本登记簿，上面记录着每一艘进港的船只、到达的日期以及船长的姓名。
大多数记录都很简短，但也有一些讲述了风暴、丢失的货物，以及不得不用小船救下的船员。
如今没有人再读这本登记簿，可是它仍然像两百多年前第一位负责人开始记录时那样被细心保存。`

func TestJudge(t *testing.T) {
	t.Parallel()
	table := func(change func(*Config)) Config {
		c := defaults()
		if change != nil {
			change(&c)
		}
		return c
	}
	shape := table(func(c *Config) { c.MinChars, c.MaxChars = ptr(8), ptr(160) })
	lines := func(line string, n int) string { return strings.Repeat(line+"\n", n) }

	for name, tc := range map[string]struct {
		config   Config
		language string
		text     string
		want     string // rule
	}{
		"English prose":                      {table(nil), "en", english, ""},
		"Spanish prose":                      {table(nil), "es", spanish, ""},
		"Spanish prose, regional tag":        {table(nil), "es-MX", spanish, ""},
		"Spanish prose taken for English":    {table(nil), "en", spanish, "gopher_stop_words"},
		"English prose of unknown language":  {table(nil), "", english, ""},
		"Chinese prose":                      {table(nil), "zh", chinese, ""},
		"Chinese prose of unknown language":  {table(nil), "", chinese, ""},
		"Chinese prose taken for English":    {table(nil), "en", chinese, "gopher_min_words"},
		"code":                               {table(nil), "en", goCode, ""},
		"code taken for prose":               {table(func(c *Config) { c.Kind = string(Prose) }), "en", goCode, "gopher_min_words"},
		"worked example":                     {shape, "es", "7ft5in en in:7*12=84;84+5=89;89in", ""},
		"worked example, answer alone":       {shape, "es", "2+1=3;3ene", ""},
		"worked example, no bounds":          {table(nil), "es", "7*12=84", ""},
		"worked example too short":           {shape, "es", "1+1=2", MinChars},
		"worked example too long":            {shape, "es", strings.Repeat("7*12=84;", 21), MaxChars},
		"characters, not bytes":              {table(func(c *Config) { c.MaxChars = ptr(3); c.Rules = nil }), "es", "ñññ", ""},
		"nothing":                            {shape, "es", "", MinChars},
		"few words":                          {table(nil), "en", "The cat sat on the mat and looked at the dog.", "gopher_min_words"},
		"few words, rule not wanted":         {table(func(c *Config) { c.Rules = []string{gopherRepetition} }), "en", "The cat sat on the mat and looked at the dog.", ""},
		"few words, threshold lowered":       {table(func(c *Config) { c.Thresholds = map[string]float64{"gopher_min_words": 5} }), "en", "The cat sat on the mat and that was the end of it, and nobody was there to see it happen at all.", ""},
		"threshold without its family":       {table(func(c *Config) { c.Rules = nil; c.Thresholds = map[string]float64{"gopher_min_words": 20} }), "en", "The cat sat on the mat and looked at the dog.", "gopher_min_words"},
		"long words":                         {table(nil), "en", strings.Repeat("incomprehensibilities of characteristically ", 40), "gopher_max_mean_word_length"},
		"short words":                        {table(nil), "en", strings.Repeat("a be to of x y ", 20), "gopher_min_mean_word_length"},
		"symbols":                            {table(nil), "en", strings.Replace(english, " ", " # ", 30), "gopher_symbol_word_ratio"},
		"bullets":                            {table(nil), "en", "- " + strings.ReplaceAll(strings.ReplaceAll(english, "\n\n", "\n"), "\n", "\n- "), "gopher_bullet_lines"},
		"ellipses":                           {table(func(c *Config) { c.Rules = []string{"gopher_ellipsis_lines"} }), "en", strings.ReplaceAll(english, ".\n", "...\n"), "gopher_ellipsis_lines"},
		"numbers":                            {table(func(c *Config) { c.Kind = string(Prose) }), "en", strings.Repeat("the 12345 that 67890 ", 20), "gopher_alpha_words"},
		"no stop words":                      {table(nil), "en", strings.Repeat("harbour ledger captain storms vessels paper ", 10), "gopher_stop_words"},
		"repeated lines":                     {table(nil), "en", english + "\n" + lines("The council asked the master again and again.", 9), "gopher_duplicate_lines"},
		"repeated paragraphs":                {table(func(c *Config) { c.Rules = []string{"gopher_duplicate_paragraphs"} }), "en", english + "\n\n" + english, "gopher_duplicate_paragraphs"},
		"repeated lines, a few":              {table(func(c *Config) { c.Rules = []string{fineWeb} }), "en", english + "\n" + lines("The ledger stayed where it was.", 3), "fineweb_duplicate_line_chars"},
		"a repeated phrase":                  {table(func(c *Config) { c.Rules = []string{"gopher_top_2gram_chars"} }), "en", english + strings.Repeat(" harbour master", 25), "gopher_top_2gram_chars"},
		"a repeated passage":                 {table(func(c *Config) { c.Rules = []string{"gopher_duplicate_10gram_chars"} }), "en", english + " " + english[:200], "gopher_duplicate_10gram_chars"},
		"no punctuation":                     {table(func(c *Config) { c.Rules = []string{fineWeb} }), "en", strings.NewReplacer(".", "").Replace(english), "fineweb_line_punctuation"},
		"short lines":                        {table(func(c *Config) { c.Rules = []string{"fineweb_short_lines"} }), "en", "The first.\nThe second.\nA third one is here, and it is longer than that.\nA fourth.", "fineweb_short_lines"},
		"many newlines":                      {table(func(c *Config) { c.Rules = []string{"fineweb_newlines_per_word"} }), "en", "One two.\nThree.\nFour five.", "fineweb_newlines_per_word"},
		"minified code":                      {table(nil), "en", "function f(a){return a};\n" + strings.Repeat("x=f(x);", 200), "code_mean_line_length"},
		"a table of hex in code":             {table(func(c *Config) { c.Kind = string(Code) }), "en", lines("{ , , , , , , , , , , , };", 9), "code_alphanumeric"},
		"prose around code":                  {table(nil), "en", english + "\n\n```go\n" + goCode + "```\n", ""},
		"score at which margins are too low": {table(func(c *Config) { c.MinScore = ptr(0.99) }), "en", english, MinScore},
		"score that good text reaches":       {table(func(c *Config) { c.MinScore = ptr(0.7) }), "en", english, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := tc.config.Judge(tc.text, tc.language)
			if got.Rule != tc.want {
				t.Errorf("rule %q (%g against %g, %s, score %.2f), want %q", got.Rule, got.Value, got.Limit, got.Kind, got.Score, tc.want)
			}
			if !(got.Score >= 0 && got.Score <= 1) {
				t.Errorf("score %g is not between 0 and 1", got.Score)
			}
		})
	}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	for want, texts := range map[Kind][]string{
		Prose: {
			english, spanish, chinese, "One sentence of prose.", "",
			"Dear all,\n\nplease find the minutes (three pages) attached.\nThe next meeting is in May; bring the ledger.\n\nYours, the clerk",
			english + "\n```\nx = 1\n```\n",
		},
		Code: {
			goCode,
			"def area(r):\n    return 3.14 * r ** 2\n\nprint(area(2))\n",
			"#include <stdio.h>\nint main(void) {\n  puts(\"hello\");\n}\n",
			"UCLASS()\nclass AShip : public AActor\n{\n\tGENERATED_BODY()\npublic:\n\tAShip();\n};\n",
			"Like this:\n```\n" + strings.Repeat("some words that are in a block\n", 5) + "```\n",
		},
		Structured: {"7*12=84", "7ft5in en in:7*12=84;84+5=89;89in", "25mar+14d:25+14=39;39-31=8;8abr", "2024-01-01 12:00:00 404"},
	} {
		for _, text := range texts {
			if got := Classify(text); got != want {
				t.Errorf("Classify(%q) = %s, want %s", text[:min(40, len(text))], got, want)
			}
		}
	}
}

// TestDefaultDomain: the filter of the quickstart keeps all real examples, whether the record is split or whole.
func TestDefaultDomain(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "domains", "quantities", "real.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	c := defaults()
	c.MinChars, c.MaxChars = ptr(8), ptr(160)
	for line := range strings.Lines(string(data)) {
		cells := strings.Split(line, `"`)
		prompt, text := cells[3], cells[7]
		for _, s := range []string{text, prompt + text} {
			if f := c.Judge(s, "es"); f.Rule != "" || f.Score != 1 {
				t.Fatalf("%q is rejected by %s (kind %s, score %g)", s, f.Rule, f.Kind, f.Score)
			}
		}
	}
}

func TestMargin(t *testing.T) {
	t.Parallel()
	upper, lower := rule{atMost: true}, rule{ideal: 1}
	for _, tc := range []struct {
		r            rule
		value, limit float64
		want         float64
	}{
		{upper, 0, 0.2, 1}, {upper, 0.1, 0.2, 0.75}, {upper, 0.2, 0.2, 0.5}, {upper, 0.4, 0.2, 0}, {upper, 9, 0.2, 0},
		{upper, 0, 0, 1}, {upper, 0.1, 0, 0},
		{lower, 1, 0.8, 1}, {lower, 0.9, 0.8, 0.75}, {lower, 0.8, 0.8, 0.5}, {lower, 0.4, 0.8, 0.25}, {lower, 0, 0.8, 0}, {lower, 5, 0.8, 1},
		{lower, 0, 0, 1}, {lower, 3, 2, 1},
	} {
		if got := tc.r.margin(tc.value, tc.limit); got < tc.want-1e-12 || got > tc.want+1e-12 {
			t.Errorf("margin of %g against %g (upper: %v) = %g, want %g", tc.value, tc.limit, tc.r.atMost, got, tc.want)
		}
	}
}

// TestNGramsAgainstStrings compares the hashed n-grams with the plain definition.
func TestNGramsAgainstStrings(t *testing.T) {
	t.Parallel()
	text := english + " " + english[:300] + " the ledger the ledger the ledger"
	s := measure(text)
	words := strings.Fields(strings.ToLower(text))
	runes := func(s string) int { return len([]rune(s)) }
	for n := 2; n <= 10; n++ {
		counts, top := map[string]int{}, 0
		for i := 0; i+n <= len(words); i++ {
			g := strings.Join(words[i:i+n], " ")
			counts[g]++
			if counts[g] > 1 {
				top = max(top, counts[g]*runes(strings.Join(words[i:i+n], "")))
			}
		}
		seen, dup := map[string]bool{}, 0
		for i := 0; i+n <= len(words); {
			g := strings.Join(words[i:i+n], " ")
			if seen[g] {
				dup += runes(strings.Join(words[i:i+n], ""))
				i += n
				continue
			}
			seen[g] = true
			i++
		}
		want := [2]float64{float64(top) / float64(runes(text)), float64(dup) / float64(runes(text))}
		if got := [2]float64{s.topNGram(n), s.duplicateNGrams(n)}; got != want {
			t.Errorf("%d-grams: %v, want %v", n, got, want)
		}
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	if d := defaults().Validate(); d != nil {
		t.Fatalf("the defaults are wrong: %v", d)
	}
	for name, tc := range map[string]struct {
		change func(*Config)
		want   string // path
	}{
		"bounds":      {func(c *Config) { c.MinChars, c.MaxChars = ptr(9), ptr(8) }, "max_chars"},
		"negative":    {func(c *Config) { c.MinChars = ptr(-1) }, "min_chars"},
		"score":       {func(c *Config) { c.MinScore = ptr(70.0) }, "min_score"},
		"kind":        {func(c *Config) { c.Kind = "poem" }, "kind"},
		"rule":        {func(c *Config) { c.Rules = []string{"fineweb", "c4_braces"} }, "rules 1"},
		"threshold":   {func(c *Config) { c.Thresholds = map[string]float64{"gopher_quality": 1} }, "thresholds gopher_quality"},
		"below zero":  {func(c *Config) { c.Thresholds = map[string]float64{"gopher_min_words": -1} }, "thresholds gopher_min_words"},
		"not at rest": {func(c *Config) { c.Language = "en"; c.Kind = "" }, "kind"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := defaults()
			tc.change(&c)
			var got []string
			for _, d := range c.Validate() {
				var path []string
				for _, step := range d.GetAttribute() {
					if n := step.GetName(); n != "" {
						path = append(path, n)
					} else {
						path = append(path, fmt.Sprint(step.GetIndex()))
					}
				}
				got = append(got, strings.Join(path, " "))
			}
			if diff := cmp.Diff([]string{tc.want}, got); diff != "" {
				t.Errorf("paths (-want +got):\n%s", diff)
			}
		})
	}
}

func BenchmarkJudge(b *testing.B) {
	c := defaults()
	text := strings.Repeat(english+"\n\n", 4)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		c.Judge(text, "en")
	}
}
