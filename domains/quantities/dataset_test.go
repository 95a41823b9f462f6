package quantities

import (
	"bytes"
	"os"
	"testing"
)

func TestCheckedInDataIsWhatTheCommandWrites(t *testing.T) {
	t.Parallel()
	for _, f := range MakeDataset(Seed).Files() {
		got, err := os.ReadFile(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, f.Data) {
			t.Errorf("%s differs; run: go run ./domains/quantities/gen", f.Name)
		}
	}
}

func TestDatasetSplits(t *testing.T) {
	t.Parallel()
	d := MakeDataset(99)
	keys := map[string]string{}
	check := func(split, prompt, solution string, count map[string]int) {
		j := Judge(prompt, solution)
		if !j.Accepted() {
			t.Fatalf("%s: %s%s is judged %+v", split, prompt, solution, j)
		}
		if other, twice := keys[j.Key]; twice {
			t.Fatalf("key %q is in %s and in %s", j.Key, other, split)
		}
		keys[j.Key] = split
		count[j.Family]++
	}
	balanced := func(split string, count map[string]int, n int) {
		for f := range families {
			if count[f.String()] != n/int(families) {
				t.Errorf("%s has %d of %s, want %d", split, count[f.String()], f, n/int(families))
			}
		}
	}
	count := map[string]int{}
	for _, e := range d.Real {
		check("real", e.Prompt, e.Text, count)
	}
	balanced("real", count, 600)
	for _, s := range []struct {
		name  string
		items []Item
		size  int
	}{{"validation", d.Validation, 200}, {"dev", d.Dev, 500}, {"gate", d.Gate, 2000}} {
		count := map[string]int{}
		for _, it := range s.items {
			check(s.name, it.Prompt, it.Reference, count)
			if Judge(it.Prompt, it.Reference).Key != it.Key {
				t.Fatalf("%s: %s has key %s", s.name, it.Prompt, it.Key)
			}
		}
		balanced(s.name, count, s.size)
	}
}
