package starter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
)

// The numbers of the questions.
const (
	lowest  = 10
	highest = 99
)

// pair is a question, "17 or 25, the larger is", and its answer.
type pair struct{ a, b int }

func (p pair) prompt() string { return fmt.Sprintf("%d or %d, the larger is", p.a, p.b) }
func (p pair) answer() string { return fmt.Sprintf(" %d", max(p.a, p.b)) }

// key is the same for both orders of the numbers.
func (p pair) key() string { return fmt.Sprintf("%d or %d", min(p.a, p.b), max(p.a, p.b)) }

// distractors are wrong answers, each of one plausible mistake: the smaller number, the digits the wrong way round, one too
// many, ten too few.
func (p pair) distractors() []string {
	right := max(p.a, p.b)
	var out []string
	for _, wrong := range []int{min(p.a, p.b), right%10*10 + right/10, right + 1, right - 10, right + 2} {
		text := fmt.Sprintf(" %02d", wrong)
		if wrong != right && len(out) < 3 && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// dealt are the questions of each file, and the numbers that the template's prompts are made of.
type dealt struct {
	real, validation, dev, gate []pair
	left, right                 []int
}

// deal shuffles the numbers into a left and a right half, and deals the questions out: the same each time. The template
// asks for pairs of a left and a right number, and each question of the files has both numbers of one half.
func deal() dealt {
	r := rand.New(rand.NewPCG(1, 0))
	numbers := make([]int, 0, highest-lowest+1)
	for n := lowest; n <= highest; n++ {
		numbers = append(numbers, n)
	}
	r.Shuffle(len(numbers), func(i, j int) { numbers[i], numbers[j] = numbers[j], numbers[i] })
	half := len(numbers) / 2
	d := dealt{left: slices.Sorted(slices.Values(numbers[:half])), right: slices.Sorted(slices.Values(numbers[half:]))}
	var all []pair
	for _, half := range [][]int{d.left, d.right} {
		for i, a := range half {
			for _, b := range half[i+1:] {
				p := pair{a, b}
				if r.IntN(2) == 0 {
					p = pair{b, a}
				}
				all = append(all, p)
			}
		}
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	d.real, d.validation, d.dev, d.gate = all[:600], all[600:700], all[700:900], all[900:1400]
	return d
}

// records spells questions as real data, one a line.
func records(pairs []pair) []byte {
	return lines(pairs, func(p pair) any {
		return struct {
			Prompt string `json:"prompt"`
			Text   string `json:"text"`
		}{p.prompt(), p.answer()}
	})
}

// items spells questions as questions of a benchmark, one a line.
func items(pairs []pair) []byte {
	return lines(pairs, func(p pair) any {
		return struct {
			Prompt      string   `json:"prompt"`
			Reference   string   `json:"reference"`
			Distractors []string `json:"distractors"`
			Key         string   `json:"key"`
		}{p.prompt(), p.answer(), p.distractors(), p.key()}
	})
}

func lines(pairs []pair, form func(pair) any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for _, p := range pairs {
		if err := enc.Encode(form(p)); err != nil {
			panic(err) // texts and numbers can be written
		}
	}
	return b.Bytes()
}
