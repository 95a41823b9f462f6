package quantities

import "strconv"

// Problem is a question. Which fields have a meaning depends on the family.
type Problem struct {
	Family Family
	units  pair  // ToSmaller, ToLarger, Sum
	a, b   mixed // ToSmaller: a. Sum: both
	total  int   // ToLarger, in the smaller unit
	day    int   // Date
	month  int   // Date; 0 is January
	days   int   // Date: the days to be added
}

// mixed is a quantity in two units: 7 ft 5 in.
type mixed struct{ big, small int }

// valid reports whether the question is within the domain's bounds.
func (p Problem) valid() bool {
	in := func(q mixed) bool {
		return 1 <= q.big && q.big <= maxBig && 1 <= q.small && q.small < p.units.ratio
	}
	switch p.Family {
	case ToSmaller:
		return in(p.a)
	case ToLarger:
		return in(mixed{p.total / p.units.ratio, p.total % p.units.ratio})
	case Sum:
		return in(p.a) && in(p.b)
	case Date:
		return 1 <= p.day && p.day <= months[p.month].days && 1 <= p.days && p.days <= maxDays
	}
	return false
}

// Prompt spells the question, with the colon at its end.
func (p Problem) Prompt() string { return p.question() + ":" }

func (p Problem) question() string {
	switch p.Family {
	case ToSmaller:
		return p.quantity(p.a) + " en " + p.units.small
	case ToLarger:
		return strconv.Itoa(p.total) + p.units.small + " en " + p.units.big
	case Sum:
		return p.quantity(p.a) + "+" + p.quantity(p.b)
	case Date:
		return strconv.Itoa(p.day) + months[p.month].name + "+" + strconv.Itoa(p.days) + "d"
	}
	panic("quantities: no such family")
}

// Key is the canonical key of the question: its spelling without the colon, the terms of a sum in sorted order.
func (p Problem) Key() string {
	if p.Family == Sum {
		a, b := p.quantity(p.a), p.quantity(p.b)
		return min(a, b) + "+" + max(a, b)
	}
	return p.question()
}

func (p Problem) quantity(q mixed) string { return spell(q, p.units) }

func spell(q mixed, u pair) string {
	return strconv.Itoa(q.big) + u.big + strconv.Itoa(q.small) + u.small
}

// Parse reads a prompt, with the colon at its end. It accepts exactly what Prompt writes.
func Parse(prompt string) (Problem, bool) {
	if len(prompt) > MaxLength {
		return Problem{}, false
	}
	s := scanner{rest: prompt}
	p, ok := s.problem()
	if !ok || !s.literal(":") || s.rest != "" || !p.valid() {
		return Problem{}, false
	}
	return p, true
}

// problem reads a question without its colon. It leaves the bounds to the caller.
func (s *scanner) problem() (Problem, bool) {
	first, unit, ok := s.term()
	if !ok {
		return Problem{}, false
	}
	if s.literal(" en ") {
		return s.toLarger(first, unit)
	}
	if m, isMonth := findMonth(unit); isMonth {
		return s.date(first, m)
	}
	second, small, ok := s.term()
	if !ok {
		return Problem{}, false
	}
	units, ok := findPair(unit, small)
	if !ok {
		return Problem{}, false
	}
	a := mixed{first, second}
	if s.literal(" en ") {
		return Problem{Family: ToSmaller, units: units, a: a}, s.word() == small
	}
	if !s.literal("+") {
		return Problem{}, false
	}
	big, bigUnit, ok1 := s.term()
	little, littleUnit, ok2 := s.term()
	ok = ok1 && ok2 && bigUnit == units.big && littleUnit == units.small
	return Problem{Family: Sum, units: units, a: a, b: mixed{big, little}}, ok
}

func (s *scanner) toLarger(total int, small string) (Problem, bool) {
	units, ok := findPair(s.word(), small)
	return Problem{Family: ToLarger, units: units, total: total}, ok
}

func (s *scanner) date(day, month int) (Problem, bool) {
	if !s.literal("+") {
		return Problem{}, false
	}
	days, unit, ok := s.term()
	return Problem{Family: Date, day: day, month: month, days: days}, ok && unit == "d"
}
