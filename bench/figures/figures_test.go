package figures

import (
	"strings"
	"testing"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		all  []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{3, 1}, 2}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 2, 100}, 3}} {
		if got := Median(tt.all); got != tt.want {
			t.Errorf("median of %v is %g, want %g", tt.all, got, tt.want)
		}
	}
}

// A goal that is missed is said to be.
func TestWriteGoals(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	WriteGoals(&b, []Goal{{What: "a", Is: "1", Bound: "under 2", Met: true}, {What: "b", Is: "3", Bound: "under 2"}})
	if want := "| a | 1 | under 2 | met |\n| b | 3 | under 2 | NOT MET |\n"; !strings.HasSuffix(b.String(), want) {
		t.Errorf("%s, want at its end\n%s", b.String(), want)
	}
}
