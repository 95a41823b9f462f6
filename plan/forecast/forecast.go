// Package forecast says what work will take, from what a cost model says of it and from what earlier work took.
//
// A cost model gives figures before anything has run: operations, tokens, bytes. They are shapes more than truths: twice
// the steps are twice the operations, and that is about all that is right in them on a machine that nobody has seen. What
// makes a forecast of them is the history: for each piece of earlier work of the same stage the ratio of what it took to
// what the model had said, in logarithms, because a machine is half as fast or twice as fast and not some seconds off.
// The median of the ratios corrects the model, their spread gives the interval.
//
//	forecast = what the model says × exp(median ± t × spread)
//
// Three things make the interval wider than the spread of a few ratios: a prior, worth two observations, so that three
// equal runs do not promise a fourth; the error of the median itself; and how far the work is from what was seen.
//
// What is not known is null and never 0. The parts of a plan run on one machine, whose good and bad days they share: an
// interval of the whole is the sum of the parts' ends, and does not shrink with their number.
//
// The package is pure.
package forecast

// Level is the part of cases that an interval is to cover.
const Level = 0.80

// Interval is where a figure will lie, with the probability Level, and what is expected.
type Interval struct {
	Low  float64 `json:"low"`
	Mid  float64 `json:"mid"`
	High float64 `json:"high"`
}

// Exactly is an interval of one value.
func Exactly(v float64) *Interval { return &Interval{v, v, v} }

// Usage is what work will take. Null: not known.
type Usage struct {
	Tokens      *Interval `json:"tokens"`       // that models read and write, in training too
	Seconds     *Interval `json:"seconds"`      // wall time
	MemoryBytes *Interval `json:"memory_bytes"` // of the plugins' processes, at the peak
	DiskBytes   *Interval `json:"disk_bytes"`   // that the store takes in
	USD         *Interval `json:"usd"`          // by the generators' prices
}

// Work is what a cost model says of a piece of work. 0: it does not say.
type Work struct {
	Stage   string `json:"stage"`             // what does it: "train llama". Samples of one Stage speak for one another
	Version string `json:"version,omitempty"` // of the plugin, for people

	Items               float64 `json:"items,omitempty"` // samples, steps, questions, records
	Flop                float64 `json:"flop,omitempty"`
	PromptTokens        float64 `json:"prompt_tokens,omitempty"`
	CompletionTokens    float64 `json:"completion_tokens,omitempty"`
	MaxCompletionTokens float64 `json:"max_completion_tokens,omitempty"`
	DiskBytes           float64 `json:"disk_bytes,omitempty"`
	MemoryBytes         float64 `json:"memory_bytes,omitempty"`

	Models bool `json:"models,omitempty"` // whether it runs or trains a model at all; else it uses no tokens
}

// Scaled is a part of the work.
func (w Work) Scaled(part float64) Work {
	for _, f := range []*float64{&w.Items, &w.Flop, &w.PromptTokens, &w.CompletionTokens, &w.MaxCompletionTokens, &w.DiskBytes} {
		*f *= part
	}
	return w
}

// Plus is both. The memory is what the larger needs.
func (w Work) Plus(o Work) Work {
	w.Items += o.Items
	w.Flop += o.Flop
	w.PromptTokens += o.PromptTokens
	w.CompletionTokens += o.CompletionTokens
	w.MaxCompletionTokens += o.MaxCompletionTokens
	w.DiskBytes += o.DiskBytes
	w.MemoryBytes = max(w.MemoryBytes, o.MemoryBytes)
	w.Models = w.Models || o.Models
	return w
}

// Sample is a piece of work that was done on this machine, and what it took.
type Sample struct {
	Work             Work
	Seconds          float64
	PromptTokens     float64
	CompletionTokens float64
	DiskBytes        float64
	MemoryBytes      float64 // 0: was not measured
	Probe            bool    // a few items only, done for this forecast
}

// Prices are what tokens cost, in US dollars each.
type Prices struct{ Prompt, Completion float64 }

// Task is one change of a plan.
type Task struct {
	Works  []Work  // done one after another
	Maybe  []Work  // done too, or not: that is found out on the way
	May    bool    // it may turn out that nothing has to be done
	Prices *Prices // nil: not known
	Buys   bool    // whether its tokens are a generator's, which can have a price
}

// Of forecasts a task. Samples are this machine's, newest first.
func Of(t Task, samples []Sample) Usage {
	var all []Usage
	for _, w := range t.Works {
		all = append(all, ofWork(t, w, samples))
	}
	for _, w := range t.Maybe {
		all = append(all, orNothing(ofWork(t, w, samples)))
	}
	u, _ := Add(all)
	if t.May {
		u = orNothing(u)
	}
	return u
}

func ofWork(t Task, w Work, samples []Sample) Usage {
	u := Usage{Seconds: seconds(w, samples), USD: money(t, w, samples)}
	prompt, completion := tokens(w, samples)
	u.Tokens = plus(prompt, completion)
	u.DiskBytes = predict(w, samples, size, func(w Work) float64 { return w.DiskBytes }, func(s Sample) float64 { return s.DiskBytes })
	u.MemoryBytes = predict(w, samples, size, func(w Work) float64 { return w.MemoryBytes }, func(s Sample) float64 { return s.MemoryBytes })
	if u.MemoryBytes != nil && u.MemoryBytes.High == 0 {
		u.MemoryBytes = nil
	}
	return u
}

// tokens are what models read and write. Without a history the model's own bounds are all there is: as much as can be
// written at most, and as far below what is expected.
func tokens(w Work, samples []Sample) (prompt, completion *Interval) {
	if !w.Models {
		return Exactly(0), Exactly(0)
	}
	prompt = predict(w, samples, count, func(w Work) float64 { return w.PromptTokens }, func(s Sample) float64 { return s.PromptTokens })
	completion = predict(w, samples, count, func(w Work) float64 { return w.CompletionTokens }, func(s Sample) float64 { return s.CompletionTokens })
	said := w.PromptTokens+w.CompletionTokens > 0
	if completion == nil && said && w.CompletionTokens == 0 {
		completion = Exactly(0)
	}
	if prompt == nil && said && w.PromptTokens == 0 {
		prompt = Exactly(0)
	}
	if w.MaxCompletionTokens > 0 && completion != nil {
		if len(alike(w, samples)) == 0 {
			completion.High = w.MaxCompletionTokens
			completion.Low = min(completion.Mid, completion.Mid*completion.Mid/w.MaxCompletionTokens)
			if prompt != nil && w.MaxCompletionTokens == w.CompletionTokens {
				prompt = Exactly(w.PromptTokens) // a model that is exact in the one is taken to be exact in the other
			}
		}
		completion.High = min(completion.High, max(completion.Mid, w.MaxCompletionTokens))
	}
	return prompt, completion
}

func money(t Task, w Work, samples []Sample) *Interval {
	if !t.Buys || !w.Models {
		return Exactly(0)
	}
	prompt, completion := tokens(w, samples)
	if t.Prices == nil || prompt == nil || completion == nil {
		return nil
	}
	return plus(times(prompt, t.Prices.Prompt), times(completion, t.Prices.Completion))
}

// Add forecasts work that is done one after another on one machine: sums, and the largest memory. A figure that any part
// lacks is null; missing counts the parts that lack it, by the figure's JSON name.
func Add(parts []Usage) (sum Usage, missing map[string]int) {
	missing = map[string]int{}
	for _, f := range fields {
		total := Exactly(0)
		for i := range parts {
			p := *f.of(&parts[i])
			switch {
			case p == nil:
				missing[f.name]++
			case f.peak:
				total = &Interval{max(total.Low, p.Low), max(total.Mid, p.Mid), max(total.High, p.High)}
			default:
				total = plus(total, p)
			}
		}
		if missing[f.name] == 0 && (len(parts) > 0 || !f.peak) {
			*f.of(&sum) = total
		}
	}
	return sum, missing
}

type field struct {
	name string
	peak bool
	of   func(*Usage) **Interval
}

var fields = []field{
	{"tokens", false, func(u *Usage) **Interval { return &u.Tokens }},
	{"seconds", false, func(u *Usage) **Interval { return &u.Seconds }},
	{"memory_bytes", true, func(u *Usage) **Interval { return &u.MemoryBytes }},
	{"disk_bytes", false, func(u *Usage) **Interval { return &u.DiskBytes }},
	{"usd", false, func(u *Usage) **Interval { return &u.USD }},
}

// orNothing is a forecast of what may not have to be done.
func orNothing(u Usage) Usage {
	for _, f := range fields {
		if p := *f.of(&u); p != nil {
			*f.of(&u) = &Interval{0, p.Mid, p.High}
		}
	}
	return u
}

// Hull covers two forecasts of which one will apply.
func Hull(a, b Usage) Usage {
	var u Usage
	for _, f := range fields {
		if p, q := *f.of(&a), *f.of(&b); p != nil && q != nil {
			*f.of(&u) = &Interval{min(p.Low, q.Low), (p.Mid + q.Mid) / 2, max(p.High, q.High)}
		}
	}
	return u
}

// Times is a forecast of work that is done at least and at most so often. The memory is that of once.
func Times(u Usage, least, most float64) Usage {
	for _, f := range fields {
		if p := *f.of(&u); p != nil && !f.peak {
			*f.of(&u) = &Interval{p.Low * least, p.Mid * most, p.High * most}
		}
	}
	return u
}

func plus(a, b *Interval) *Interval {
	if a == nil || b == nil {
		return nil
	}
	return &Interval{a.Low + b.Low, a.Mid + b.Mid, a.High + b.High}
}

func times(a *Interval, f float64) *Interval { return &Interval{a.Low * f, a.Mid * f, a.High * f} }
