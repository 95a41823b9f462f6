package quantities

import "math/rand/v2"

// Draw gives a random question of a family: units or month uniform, then the numbers uniform within their bounds.
func Draw(f Family, r *rand.Rand) Problem {
	if f == Date {
		m := r.IntN(len(months))
		return Problem{Family: Date, month: m, day: 1 + r.IntN(months[m].days), days: 1 + r.IntN(maxDays)}
	}
	u := pairs[r.IntN(len(pairs))]
	quantity := func() mixed { return mixed{1 + r.IntN(maxBig), 1 + r.IntN(u.ratio-1)} }
	p := Problem{Family: f, units: u}
	switch q := quantity(); f {
	case ToSmaller:
		p.a = q
	case ToLarger:
		p.total = q.big*u.ratio + q.small
	case Sum:
		p.a, p.b = q, quantity()
	}
	return p
}
