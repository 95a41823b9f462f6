package quantities

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// wrongRatios are the constants that a distractor may put in the place of the right one: the ratios of other units, and
// round numbers.
var wrongRatios = [...]int{3, 4, 7, 8, 10, 12, 14, 16, 24, 30, 60, 100, 1000}

// Distractors gives three wrong solutions for a multiple choice. They differ from each other and from the solution, and
// each has a wrong answer. Each has the form of a solution and follows one plausible mistake to its end: a wrong
// constant, a carry forgotten or made up, a wrong month or unit. A wrong ratio may lead to a coefficient that no right
// answer has.
func Distractors(p Problem, r *rand.Rand) [3]string {
	const tries = 200 // a family with few mistakes to make may need many draws; then the unit is mistaken
	truth := p.Solution()
	var out []string
	add := func(s string) {
		if s != "" && Answer(s) != Answer(truth) && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for i := 0; i < tries && len(out) < 3; i++ {
		add(mistake(p, r))
	}
	for len(out) < 3 {
		add(mistakenUnit(truth, r))
	}
	return [3]string(out)
}

// mistake works out the question with one mistake; "" when the mistake drawn does not fit the question.
func mistake(p Problem, r *rand.Rand) string {
	ratio := wrongRatios[r.IntN(len(wrongRatios))]
	switch p.Family {
	case ToSmaller:
		return toSmaller(p, ratio)
	case ToLarger:
		if p.total < ratio || p.total%ratio == 0 {
			return ""
		}
		return toLarger(p, ratio)
	case Sum:
		return mistakenSum(p, ratio, r)
	case Date:
		return mistakenDate(p, r)
	}
	panic("quantities: no such family")
}

// mistakenSum carries at a wrong ratio, forgets the carry, or mistakes the units.
func mistakenSum(p Problem, ratio int, r *rand.Rand) string {
	switch t := p.a.small + p.b.small; {
	case t > ratio:
		return sumWithCarry(p, ratio)
	case t >= p.units.ratio:
		return sumWithoutCarry(p, p.units)
	default:
		return sumWithoutCarry(p, pairs[r.IntN(len(pairs))])
	}
}

// mistakenDate takes a wrong length for the month, names a wrong month, or stays in a month that is over.
func mistakenDate(p Problem, r *rand.Rand) string {
	length, next := months[p.month].days, (p.month+1)%len(months)
	over := p.day+p.days > length
	switch r.IntN(3) {
	case 0:
		wrong := 28 + r.IntN(5)
		if p.day+p.days <= wrong {
			return ""
		}
		return nextMonth(p, wrong, next)
	case 1:
		m := r.IntN(len(months))
		if over {
			return nextMonth(p, length, m)
		}
		p.month = m
		return sameMonth(p)
	default:
		return sameMonth(p)
	}
}

// mistakenUnit replaces the unit at the end of a solution.
func mistakenUnit(solution string, r *rand.Rand) string {
	u := pairs[r.IntN(len(pairs))]
	stem := strings.TrimRight(solution, "abcdefghijklmnopqrstuvwxyz")
	return stem + u.small
}
