package quantities

import (
	"fmt"
	"strings"
)

// Solve is the oracle: the worked solution of a prompt, or false when the prompt is not a question of the domain.
func Solve(prompt string) (string, bool) {
	p, ok := Parse(prompt)
	if !ok {
		return "", false
	}
	return p.Solution(), true
}

// Solution is the worked solution of a question: its steps and its answer, joined by semicolons.
func (p Problem) Solution() string {
	switch p.Family {
	case ToSmaller:
		return toSmaller(p, p.units.ratio)
	case ToLarger:
		return toLarger(p, p.units.ratio)
	case Sum:
		if t := p.a.small + p.b.small; t < p.units.ratio {
			return sumWithoutCarry(p, p.units)
		}
		return sumWithCarry(p, p.units.ratio)
	case Date:
		if p.day+p.days <= months[p.month].days {
			return sameMonth(p)
		}
		return nextMonth(p, months[p.month].days, (p.month+1)%len(months))
	}
	panic("quantities: no such family")
}

// Answer is the last part of a solution: the final quantity.
func Answer(solution string) string { return solution[strings.LastIndexByte(solution, ';')+1:] }

// The functions below write out a solution by a given rule: the right one for the oracle, a wrong one, followed
// consistently, for a distractor.

func toSmaller(p Problem, ratio int) string {
	whole := p.a.big * ratio
	total := whole + p.a.small
	return fmt.Sprintf("%d*%d=%d;%d+%d=%d;%d%s", p.a.big, ratio, whole, whole, p.a.small, total, total, p.units.small)
}

func toLarger(p Problem, ratio int) string {
	big, small := p.total/ratio, p.total%ratio
	return fmt.Sprintf("%d*%d=%d;%d-%d=%d;%s", big, ratio, big*ratio, p.total, big*ratio, small,
		spell(mixed{big, small}, p.units))
}

func sumWithoutCarry(p Problem, u pair) string {
	small, big := p.a.small+p.b.small, p.a.big+p.b.big
	return fmt.Sprintf("%d+%d=%d;%d+%d=%d;%s", p.a.small, p.b.small, small, p.a.big, p.b.big, big,
		spell(mixed{big, small}, u))
}

func sumWithCarry(p Problem, ratio int) string {
	small, big := p.a.small+p.b.small, p.a.big+p.b.big+1
	return fmt.Sprintf("%d+%d=%d;%d-%d=%d;%d+%d+1=%d;%s", p.a.small, p.b.small, small, small, ratio, small-ratio,
		p.a.big, p.b.big, big, spell(mixed{big, small - ratio}, p.units))
}

func sameMonth(p Problem) string {
	t := p.day + p.days
	return fmt.Sprintf("%d+%d=%d;%d%s", p.day, p.days, t, t, months[p.month].name)
}

func nextMonth(p Problem, length, next int) string {
	t := p.day + p.days
	return fmt.Sprintf("%d+%d=%d;%d-%d=%d;%d%s", p.day, p.days, t, t, length, t-length, t-length, months[next].name)
}
