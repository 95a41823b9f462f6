package infer

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"jupiter/plugins/builtin/llama/kernel"
)

// Sampling says how tokens are chosen and where a text ends. The steps come in the order of the fields: the penalty
// changes logits, the temperature divides them, and top-k, top-p and min-p each leave out tokens of what is left; then
// one is drawn in proportion to its probability. This is the order of Hugging Face transformers and vLLM.
type Sampling struct {
	// RepetitionPenalty divides the positive and multiplies the negative logits of tokens that the prompt or the text
	// already contains (Keskar et al. 2019, section 4.1). 0 or 1: none.
	RepetitionPenalty float64
	// Temperature; 0 takes the likeliest token, of equals the one with the lowest id, and leaves the next three unused.
	Temperature float64
	TopK        int     // the k likeliest tokens; 0: all
	TopP        float64 // the fewest likeliest tokens that have this much probability together (Holtzman et al. 2020); 0 or 1: all
	MinP        float64 // tokens with at least this part of the likeliest one's probability; 0: all

	MaxTokens int      // a text is cut here, and at the model's context
	Stop      []string // a text ends before the first of these
}

// Check says what is wrong with the options.
func (s Sampling) Check() error {
	for _, f := range []struct {
		name      string
		v, lo, hi float64
	}{
		{"repetition_penalty", s.RepetitionPenalty, 0, 100}, {"temperature", s.Temperature, 0, 100},
		{"top_p", s.TopP, 0, 1}, {"min_p", s.MinP, 0, 1},
	} {
		if !(f.v >= f.lo && f.v <= f.hi) {
			return fmt.Errorf("%s is %g: must lie between %g and %g", f.name, f.v, f.lo, f.hi)
		}
	}
	switch {
	case s.TopK < 0:
		return fmt.Errorf("top_k is %d: must not be negative", s.TopK)
	case s.MaxTokens < 1:
		return fmt.Errorf("max_tokens is %d: must be at least 1", s.MaxTokens)
	case slices.Contains(s.Stop, ""):
		return fmt.Errorf("a stop string is empty")
	}
	return nil
}

func (s Sampling) penalises() bool { return s.RepetitionPenalty != 0 && s.RepetitionPenalty != 1 }

// filters reports whether tokens are left out before one is drawn.
func (s Sampling) filters() bool {
	return s.TopK > 0 || s.TopP > 0 && s.TopP < 1 || s.MinP > 0
}

// uniform is the random number in [0, 1) of a sample at a step: a function of both alone, so a sample has no state that
// an interruption could lose. The mixing function is that of SplitMix64 (Steele, Lea and Flood 2014).
func uniform(seed, step uint64) float64 {
	return float64(mix(mix(seed)+step*0x9e3779b97f4a7c15)>>11) * 0x1p-53
}

func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// A chooser picks tokens. It is one worker's, for its memory.
type chooser struct {
	Sampling
	p         []float32 // unnormalised probabilities, by token
	penalised []float32 // logits
	kept      []int32   // tokens that are left, likeliest first
}

// choose picks the token of a step and gives its log-probability, natural, under the model itself: before penalty,
// temperature and filters. logits has one number a token; seen lists the tokens for the penalty, each once.
func (c *chooser) choose(logits []float32, seen []int32, u float64) (token int32, logprob float32) {
	if cap(c.p) < len(logits) {
		c.p = make([]float32, len(logits))
	}
	p := c.p[:len(logits)]
	top := kernel.Max(logits)
	logSum := top + float32(math.Log(float64(kernel.ExpSum(p, logits, 1, -top))))
	model := logits
	if c.penalises() {
		c.penalised = append(c.penalised[:0], logits...)
		logits = c.penalised
		penalise(logits, seen, float32(c.RepetitionPenalty))
		top = kernel.Max(logits)
	}
	if c.Temperature == 0 {
		t := int32(slices.Index(logits, top))
		return t, model[t] - logSum
	}
	if c.penalises() || c.Temperature != 1 {
		for i, x := range logits {
			p[i] = x - top
		}
		kernel.ExpSum(p, p, float32(1/c.Temperature), 0)
	}
	if c.filters() {
		token = c.drawKept(p, u)
	} else {
		token = draw(p, u)
	}
	return token, model[token] - logSum
}

func penalise(logits []float32, seen []int32, by float32) {
	for _, t := range seen {
		if logits[t] > 0 {
			logits[t] /= by
		} else {
			logits[t] *= by
		}
	}
}

// draw picks an index in proportion to p: the first at which the running sum exceeds u of the whole.
func draw(p []float32, u float64) int32 {
	var sum float64
	for _, x := range p {
		sum += float64(x)
	}
	at, last := u*sum, 0
	var run float64
	for i, x := range p {
		if x == 0 {
			continue
		}
		if run += float64(x); run > at {
			return int32(i)
		}
		last = i
	}
	return int32(last)
}

// drawKept is draw over the tokens that top-k, top-p and min-p leave. p is in proportion to probabilities, and its
// largest number is 1.
func (c *chooser) drawKept(p []float32, u float64) int32 {
	var all float64
	for _, x := range p {
		all += float64(x)
	}
	kept := c.shortlist(p, all)
	if c.TopP > 0 && c.TopP < 1 {
		if c.TopK > 0 {
			all = total(p, kept) // what top-k left is the whole that top-p takes its part of
		}
		kept = nucleus(p, kept, c.TopP*all)
	}
	for i, t := range kept {
		if float64(p[t]) < c.MinP {
			kept = kept[:i]
			break
		}
	}
	at := u * total(p, kept)
	var run float64
	for _, t := range kept {
		if run += float64(p[t]); run > at {
			return t
		}
	}
	return kept[len(kept)-1]
}

func total(p []float32, tokens []int32) (sum float64) {
	for _, t := range tokens {
		sum += float64(p[t])
	}
	return sum
}

// nucleus cuts kept, likeliest first, behind the token with which its sum reaches part.
func nucleus(p []float32, kept []int32, part float64) []int32 {
	var sum float64
	for i, t := range kept {
		if sum += float64(p[t]); sum >= part {
			return kept[:i+1]
		}
	}
	return kept
}

// shortlist gives the top-k tokens, or all, likeliest first and of equals the lowest id first, without those that the
// other filters certainly leave out, which are most of them: tokens below min-p's bound; and for top-p alone, tokens so
// unlikely that all such together do not make up the part of the probability that top-p cuts off. all is the sum of p.
func (c *chooser) shortlist(p []float32, all float64) []int32 {
	limit, least := len(p), c.MinP
	topP := c.TopP > 0 && c.TopP < 1
	switch {
	case c.TopK > 0:
		limit = min(limit, c.TopK)
		if topP { // its whole is all that top-k leaves, min-p's victims included
			least = 0
		}
	case topP:
		least = max(least, (1-c.TopP)*all/float64(2*len(p)))
	}
	order := func(a, b int32) int { return cmp.Or(cmp.Compare(p[b], p[a]), cmp.Compare(a, b)) }
	kept := c.kept[:0]
	room := max(4*limit, 64) // sort when this many are waiting: a big vocabulary is not sorted for a small k
	for i, x := range p {
		if float64(x) < least || x == 0 {
			continue
		}
		kept = append(kept, int32(i))
		if len(kept) == room {
			slices.SortFunc(kept, order)
			kept = kept[:limit]
			least = math.Nextafter(float64(p[kept[limit-1]]), 2) // a later equal comes after all of these
		}
	}
	slices.SortFunc(kept, order)
	c.kept = kept
	return kept[:min(limit, len(kept))]
}
