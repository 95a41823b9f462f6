package forecast

// Plan is the forecast of a plan: of the turn that it spells out, and of all that its approval allows.
type Plan struct {
	Level   float64 `json:"level"`   // how often an interval is to hold what comes
	Samples int     `json:"samples"` // pieces of earlier work on this machine that it rests on
	Probed  bool    `json:"probed"`  // a few items were done for it
	Turn    Total   `json:"turn"`
	Whole   Total   `json:"whole"`
	Cycles  uint64  `json:"cycles"` // at most, that Whole counts

	Notes []string `json:"notes,omitempty"` // what a figure lacks, and why

	due   uint64
	later []Later
}

// Total is a sum over changes.
type Total struct {
	Usage
	// Lacking counts small steps that have no figure, by its name, and that are not in the sum therefore. A large step
	// without a figure leaves the sum unknown.
	Lacking map[string]int `json:"lacking,omitempty"`
}

// Part is one change's share of a total. A heavy one has the machine to itself: without its figures a sum would say little.
type Part struct {
	Usage
	Heavy bool
}

// Sum adds changes up.
func Sum(parts []Part) Total {
	t := Total{Lacking: map[string]int{}}
	var all []Usage
	for _, p := range parts {
		u := p.Usage
		for _, f := range fields {
			if q := f.of(&u); *q == nil && !p.Heavy {
				*q = Exactly(0)
				if !f.peak {
					t.Lacking[f.name]++
				}
			}
		}
		all = append(all, u)
	}
	t.Usage, _ = Add(all)
	if len(t.Lacking) == 0 {
		t.Lacking = nil
	}
	return t
}

// Later is what a turn after the one that is planned will take, and how many of them may come.
type Later struct {
	Turn        Total
	Least, Most uint64
}

// NewPlan forecasts a plan: the due cycles' turn that it spells out, and for each of them the later ones.
func NewPlan(turn Total, due uint64, later []Later) *Plan {
	p := &Plan{Level: Level, Turn: turn, due: due, later: later}
	all := due
	for _, l := range later {
		all += l.Most
	}
	p.Limit(all)
	return p
}

// Limit makes Whole the forecast of at most so many cycles. They take turns.
func (p *Plan) Limit(cycles uint64) {
	counts := make([]uint64, len(p.later))
	left := cycles - min(cycles, p.due)
	p.Cycles = min(cycles, p.due)
	for again := true; left > 0 && again; {
		again = false
		for i, l := range p.later {
			if left > 0 && counts[i] < l.Most {
				counts[i]++
				left--
				p.Cycles++
				again = true
			}
		}
	}
	parts := []Usage{p.Turn.Usage}
	lacking := map[string]int{}
	for name, n := range p.Turn.Lacking {
		lacking[name] += n
	}
	for i, l := range p.later {
		if counts[i] == 0 {
			continue
		}
		parts = append(parts, Times(l.Turn.Usage, float64(min(counts[i], l.Least)), float64(counts[i])))
		for name, n := range l.Turn.Lacking {
			lacking[name] += n * int(counts[i])
		}
	}
	p.Whole = Total{}
	p.Whole.Usage, _ = Add(parts)
	if len(lacking) > 0 {
		p.Whole.Lacking = lacking
	}
}
