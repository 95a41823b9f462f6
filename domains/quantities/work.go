package quantities

import (
	"slices"
	"strings"
)

// work is a solution as it was written, right or wrong.
type work struct {
	numbers []int // of the steps
	answer  []term
}

type term struct {
	n    int
	unit string
}

// parseWork reads one equation or more and a quantity of one or two units.
func parseWork(text string) (work, bool) {
	var w work
	for {
		step, rest, more := strings.Cut(text, ";")
		if !more {
			break
		}
		numbers, ok := equation(step)
		if !ok {
			return work{}, false
		}
		w.numbers = append(w.numbers, numbers...)
		text = rest
	}
	s := scanner{rest: text}
	for range 2 {
		n, unit, ok := s.term()
		if !ok {
			return work{}, false
		}
		w.answer = append(w.answer, term{n, unit})
		if s.rest == "" {
			break
		}
	}
	return w, s.rest == "" && len(w.numbers) > 0
}

// equation reads a*b=c, a+b=c, a-b=c or a+b+1=c, and does not ask whether it holds.
func equation(step string) ([]int, bool) {
	s := scanner{rest: step}
	a, ok := s.number()
	if !ok {
		return nil, false
	}
	plus := s.literal("+")
	if !plus && !s.literal("*") && !s.literal("-") {
		return nil, false
	}
	b, ok := s.number()
	if !ok {
		return nil, false
	}
	if plus {
		s.literal("+1")
	}
	if !s.literal("=") {
		return nil, false
	}
	c, ok := s.number()
	return []int{a, b, c}, ok && s.rest == ""
}

// follows reports whether each number of the answer was written before, in the question or in a step, and each unit
// is one that the question's answer may have: its own units, or a month for a date.
func (w work) follows(p Problem) bool {
	for _, t := range w.answer {
		if !slices.Contains(w.numbers, t.n) && !slices.Contains(p.numbers(), t.n) {
			return false
		}
		_, isMonth := findMonth(t.unit)
		if p.Family == Date && !isMonth {
			return false
		}
		if p.Family != Date && t.unit != p.units.big && t.unit != p.units.small {
			return false
		}
	}
	return true
}

// numbers are those that the question states.
func (p Problem) numbers() []int {
	switch p.Family {
	case ToSmaller:
		return []int{p.a.big, p.a.small}
	case ToLarger:
		return []int{p.total}
	case Sum:
		return []int{p.a.big, p.a.small, p.b.big, p.b.small}
	case Date:
		return []int{p.day, p.days}
	}
	panic("quantities: no such family")
}
