package half

import (
	"math"
	"testing"
)

func TestHalf(t *testing.T) {
	t.Parallel()
	for h := range 1 << 16 {
		f := Float(uint16(h))
		if f != f {
			if back := Round(f); back&0x7c00 != 0x7c00 || back&0x3ff == 0 {
				t.Fatalf("%#04x is not a number, and becomes %#04x", h, back)
			}
			continue
		}
		if back := Round(f); back != uint16(h) {
			t.Fatalf("%#04x is %g, which becomes %#04x", h, f, back)
		}
		if h&0x7fff >= 0x7bff {
			continue
		}
		up := Float(uint16(h + 1))
		mid := float32((float64(f) + float64(up)) / 2) // exact: a half has 13 bits less
		even := uint16(h + h&1)
		if got := Round(mid); got != even {
			t.Fatalf("halfway above %g becomes %#04x, not the even %#04x", f, got, even)
		}
		if got := Round(math.Nextafter32(mid, f)); got != uint16(h) {
			t.Fatalf("just less than halfway above %g becomes %#04x", f, got)
		}
	}
	if Round(65519.9) != 0x7bff || Round(65520) != 0x7c00 || Round(-1e30) != 0xfc00 {
		t.Error("the largest numbers are rounded wrongly")
	}
}

func TestBrain(t *testing.T) {
	t.Parallel()
	for _, f := range []float32{0, 1, -1.5, 0x1p-130, 3.0e38} {
		want := math.Float32frombits(math.Float32bits(f) & 0xffff0000)
		if got := Brain(uint16(math.Float32bits(f) >> 16)); got != want {
			t.Errorf("%g: got %g", f, got)
		}
	}
}

func TestRoundBrain(t *testing.T) {
	t.Parallel()
	for h := range 1 << 16 {
		f := Brain(uint16(h))
		if f != f {
			if back := Brain(RoundBrain(f)); back == back {
				t.Fatalf("%#04x is not a number, and becomes %g", h, back)
			}
			continue
		}
		if back := RoundBrain(f); back != uint16(h) {
			t.Fatalf("%#04x is %g, which becomes %#04x", h, f, back)
		}
		if h&0x7fff >= 0x7f7f {
			continue
		}
		mid := math.Float32frombits(uint32(h)<<16 | 0x8000)
		if got := RoundBrain(mid); got != uint16(h+h&1) {
			t.Fatalf("halfway beyond %g becomes %#04x, not the even one", f, got)
		}
		if got := RoundBrain(math.Float32frombits(uint32(h)<<16 | 0x7fff)); got != uint16(h) {
			t.Fatalf("just less than halfway beyond %g becomes %#04x", f, got)
		}
	}
	if RoundBrain(math.MaxFloat32) != 0x7f80 {
		t.Error("the largest number is rounded wrongly")
	}
}
