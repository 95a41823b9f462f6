package llama

import "testing"

// TestExplosion: what has exploded is told from what learns, from a peak of a few steps, from a model that has forgotten what it
// knew and starts again, and from one to which the text is strange.
func TestExplosion(t *testing.T) {
	t.Parallel()
	line := func(from, to float64, n int) (all []float64) {
		for i := range n {
			all = append(all, from+(to-from)*float64(i)/float64(n))
		}
		return all
	}
	for _, c := range []struct {
		name   string
		losses [][]float64
		want   int // the step; -1: none
	}{
		{"learns", [][]float64{line(5.6, 2, 200)}, -1}, // ln 256 = 5.55
		{"peaks for five steps", [][]float64{line(5.6, 2, 200), line(12, 12, 5), line(3, 2, 100)}, -1},
		{"forgets", [][]float64{line(5.6, 2, 200), line(6, 6, 200)}, -1},
		{"explodes", [][]float64{line(5.6, 2, 200), line(20, 20, 40)}, 205}, // six of 20 and fourteen of about 2.1
		{"is strange, and learns", [][]float64{line(11, 3, 300)}, -1},
		{"explodes from the start", [][]float64{line(5.5, 30, 200)}, 47},
		{"too few steps to tell", [][]float64{line(5.5, 90, 19)}, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e, n, got := newExplosion(256), 0, -1
			for _, part := range c.losses {
				for _, loss := range part {
					if _, exploded := e.step(loss); exploded && got < 0 {
						got = n
					}
					n++
				}
			}
			if got != c.want {
				t.Errorf("exploded at step %d, want %d", got, c.want)
			}
		})
	}
}
