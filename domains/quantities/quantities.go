// Package quantities is Jupiter's default domain: worked examples in mixed-radix units and calendar arithmetic.
//
// An example is one line, a question that ends at the colon and a solution whose steps are joined by semicolons:
//
//	7ft5in en in:7*12=84;84+5=89;89in                  to smaller units
//	89in en ft:7*12=84;89-84=5;7ft5in                  to larger units
//	7ft5in+3ft9in:5+9=14;14-12=2;7+3+1=11;11ft2in      sum
//	25mar+14d:25+14=39;39-31=8;8abr                    date
//
// The facts behind it are real: the sizes of fourteen pairs of units and the lengths of the months of a common year
// (words and abbreviations are Spanish). They are all that there is to know, so the domain has an exact oracle, Solve,
// and an exact verifier, Judge: a solution is right when it is, byte for byte, the oracle's. No model takes part.
//
// Every question has one spelling, with one exception: the terms of a sum may be written in either order. Key gives
// both orders the same canonical key, and keys keep the training data and the held-out splits apart.
//
// Caveats. Years are common years: February has 28 days. Quantities with two units always have both; in questions
// neither is zero, and the larger unit's coefficient is 1 to 12, while a sum may come out even ("15a0mes"). Text longer
// than MaxLength is not an example.
package quantities

// Family is a kind of question.
type Family int

// The families, in the order in which the data sets go round them.
const (
	ToSmaller Family = iota // 7ft5in en in
	ToLarger                // 89in en ft
	Sum                     // 7ft5in+3ft9in
	Date                    // 25mar+14d
	families
)

// String gives the name that judgements carry.
func (f Family) String() string {
	switch f {
	case ToSmaller:
		return "to_smaller"
	case ToLarger:
		return "to_larger"
	case Sum:
		return "sum"
	case Date:
		return "date"
	}
	return ""
}

// Bounds of a question.
const (
	maxBig    = 12 // of the larger unit
	maxDays   = 27 // added to a date: at most one month is crossed
	MaxLength = 160
)

// pair is two units, the larger of which is ratio of the smaller.
type pair struct {
	big, small string
	ratio      int
}

// pairs are the units in use. Sizes: time, the SI brochure and its table of accepted units; ft yd mi fur lb oz st, the
// international yard and pound agreement of 1959 and the avoirdupois scale; gal qt pt, US liquid measure (the ratios
// are the same in imperial measure); doc, a dozen; a, mes, sem: años, meses, semanas.
var pairs = [...]pair{
	{"h", "min", 60}, {"min", "s", 60}, {"d", "h", 24}, {"sem", "d", 7},
	{"ft", "in", 12}, {"yd", "ft", 3}, {"mi", "fur", 8}, {"m", "cm", 100},
	{"lb", "oz", 16}, {"st", "lb", 14}, {"gal", "qt", 4}, {"gal", "pt", 8},
	{"doc", "u", 12}, {"a", "mes", 12},
}

// month is a month of a common year.
type month struct {
	name string
	days int
}

var months = [...]month{
	{"ene", 31}, {"feb", 28}, {"mar", 31}, {"abr", 30}, {"may", 31}, {"jun", 30},
	{"jul", 31}, {"ago", 31}, {"sep", 30}, {"oct", 31}, {"nov", 30}, {"dic", 31},
}

func findPair(big, small string) (pair, bool) {
	for _, p := range pairs {
		if p.big == big && p.small == small {
			return p, true
		}
	}
	return pair{}, false
}

func findMonth(name string) (int, bool) {
	for i, m := range months {
		if m.name == name {
			return i, true
		}
	}
	return 0, false
}
