package quantities

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestOracleAgainstArithmetic checks solutions in another way than they are made: each equation is evaluated, the
// answer is compared as an amount in the smallest unit, and dates are compared with package time's calendar.
func TestOracleAgainstArithmetic(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 8000 {
		p := Draw(Family(i%int(families)), r)
		parts := strings.Split(p.Solution(), ";")
		for _, step := range parts[:len(parts)-1] {
			if !holds(t, step) {
				t.Fatalf("%s%s: %s does not hold", p.Prompt(), p.Solution(), step)
			}
		}
		answer := parts[len(parts)-1]
		if want := slowAnswer(p); answer != want {
			t.Fatalf("%s answered %s, want %s", p.Prompt(), answer, want)
		}
		if back, ok := Parse(p.Prompt()); !ok || back != p {
			t.Fatalf("Parse(%q) = %+v, %v; want %+v", p.Prompt(), back, ok, p)
		}
	}
}

func holds(t *testing.T, step string) bool {
	t.Helper()
	left, right, _ := strings.Cut(step, "=")
	want, err := strconv.Atoi(right)
	if err != nil {
		t.Fatal(err)
	}
	var a, b int
	if n, _ := fmt.Sscanf(left, "%d*%d", &a, &b); n == 2 {
		return a*b == want
	}
	if n, _ := fmt.Sscanf(left, "%d-%d", &a, &b); n == 2 {
		return a-b == want
	}
	sum := 0
	for _, s := range strings.Split(left, "+") {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum == want
}

var quantity = regexp.MustCompile(`(\d+)([a-z]+)`)

// slowAnswer works from the prompt's text alone, by amounts in the smallest unit.
func slowAnswer(p Problem) string {
	question, target, converts := strings.Cut(strings.TrimSuffix(p.Prompt(), ":"), " en ")
	m := quantity.FindAllStringSubmatch(question, -1)
	n := func(i int) int { v, _ := strconv.Atoi(m[i][1]); return v }

	ratio, big, small := 0, "", ""
	for _, u := range pairs {
		for _, a := range append([]string{target}, m[0][2], m[len(m)-1][2]) {
			for _, b := range append([]string{target}, m[0][2], m[len(m)-1][2]) {
				if a == u.big && b == u.small {
					ratio, big, small = u.ratio, a, b
				}
			}
		}
	}
	switch {
	case p.Family == Date:
		var month time.Month
		for i, x := range months {
			if x.name == m[0][2] {
				month = time.Month(i + 1)
			}
		}
		d := time.Date(2023, month, n(0), 0, 0, 0, 0, time.UTC).AddDate(0, 0, n(1))
		return strconv.Itoa(d.Day()) + months[d.Month()-1].name
	case converts && len(m) == 2:
		return strconv.Itoa(n(0)*ratio+n(1)) + target
	case converts:
		return fmt.Sprintf("%d%s%d%s", n(0)/ratio, big, n(0)%ratio, small)
	default:
		total := (n(0)+n(2))*ratio + n(1) + n(3)
		return fmt.Sprintf("%d%s%d%s", total/ratio, big, total%ratio, small)
	}
}

func TestKeyCommutes(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		p := Draw(Sum, r)
		q := p
		q.a, q.b = p.b, p.a
		if p.Key() != q.Key() {
			t.Fatalf("%s has key %s, %s has key %s", p.Prompt(), p.Key(), q.Prompt(), q.Key())
		}
	}
}
