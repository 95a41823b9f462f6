package neardup

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	pluginv1 "jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

func defaults() Config {
	return Config{SimilarityThreshold: 0.8, NumHashes: 112, NgramSize: 5, MaxMemoryMB: 256}
}

// jaccard is the obvious reference: the sets of shingles, as strings.
func jaccard(a, b string, n int) float64 {
	set := func(s string) map[string]bool {
		w := words(s)
		out := map[string]bool{}
		for i := 0; i+n <= len(w); i++ {
			out[strings.Join(w[i:i+n], " ")] = true
		}
		return out
	}
	x, y := set(a), set(b)
	both := 0
	for k := range x {
		if y[k] {
			both++
		}
	}
	return float64(both) / float64(len(x)+len(y)-both)
}

// document is n random words of a vocabulary of 5000.
func document(r *rand.Rand, n int) []string {
	w := make([]string, n)
	for i := range w {
		w[i] = fmt.Sprintf("w%d", r.IntN(5000))
	}
	return w
}

// edited replaces each word with some probability.
func edited(r *rand.Rand, doc []string, rate float64) []string {
	out := slices.Clone(doc)
	for i := range out {
		if r.Float64() < rate {
			out[i] = fmt.Sprintf("x%d", r.IntN(5000))
		}
	}
	return out
}

// TestAgainstQuadraticReference compares pairs of an original and an edited copy with their true similarity: above the
// threshold by a margin they are found, below it by a margin they are not.
func TestAgainstQuadraticReference(t *testing.T) {
	t.Parallel()
	for _, threshold := range []float64{0.6, 0.8, 0.9} {
		t.Run(fmt.Sprint(threshold), func(t *testing.T) {
			t.Parallel()
			c := defaults()
			c.SimilarityThreshold = threshold
			r := rand.New(rand.NewPCG(1, 2))
			var above, found, below, wrong, unrelated int
			index := New(c)
			for i := range 1500 {
				doc := document(r, 150)
				copied := edited(r, doc, r.Float64()*0.08)
				a, b := strings.Join(doc, " "), strings.Join(copied, " ")
				if m, err := index.Add(fmt.Sprint(i), a); err != nil || m.Duplicate {
					t.Fatalf("document %d, new: %+v, %v", i, m, err)
				}
				m, err := index.Add(fmt.Sprint(i, "b"), b)
				if err != nil {
					t.Fatal(err)
				}
				switch s := jaccard(a, b, 5); {
				case s >= threshold+0.1:
					above++
					if m.Duplicate {
						found++
					}
				case s < threshold-0.15:
					below++
					if m.Duplicate {
						wrong++
					}
				}
				if m.Duplicate && m.Of != fmt.Sprint(i) {
					unrelated++
				}
			}
			if above+below < 300 {
				t.Fatalf("only %d pairs are far from the threshold", above+below)
			}
			if recall := float64(found) / math.Max(1, float64(above)); above > 0 && recall < 0.97 {
				t.Errorf("%.3f of %d pairs above the threshold were found, want 0.97", recall, above)
			}
			if float64(wrong) > 0.01*float64(below) {
				t.Errorf("%d of %d pairs below the threshold were taken for duplicates, want at most 1 %%", wrong, below)
			}
			if unrelated > 0 {
				t.Errorf("%d duplicates of the wrong document", unrelated)
			}
		})
	}
}

func TestEstimateIsUnbiased(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	x := New(defaults())
	sum, sumSq := 0.0, 0.0
	const n = 400
	for range n {
		doc := document(r, 200)
		copied := edited(r, doc, 0.04)
		a, b := strings.Join(doc, " "), strings.Join(copied, " ")
		x.signatures = fold(x.hasher.signature(a))
		d := x.similarity(fold(x.hasher.signature(b)), 0) - jaccard(a, b, 5)
		sum += d
		sumSq += d * d
	}
	if mean := sum / n; math.Abs(mean) > 0.01 {
		t.Errorf("the estimate is off by %.4f on average", mean)
	}
	if sd := math.Sqrt(sumSq / n); sd > 0.055 {
		t.Errorf("standard error %.4f, want below 0.055", sd)
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		hashes    int
		threshold float64
		want      bands
	}{
		{112, 0.8, bands{16, 7}}, {112, 0.75, bands{18, 6}}, {100, 0.85, bands{12, 8}}, {112, 0.5, bands{37, 3}},
		{112, 1, bands{1, 112}}, {16, 0.1, bands{16, 1}},
	} {
		got := cut(tc.hashes, tc.threshold)
		if got != tc.want {
			t.Errorf("cut(%d, %g) = %+v, want %+v", tc.hashes, tc.threshold, got, tc.want)
		}
		if p := 1 - math.Pow(1-math.Pow(tc.threshold, float64(got.rows)), float64(got.bands)); p < 0.95 && got.rows > 1 {
			t.Errorf("cut(%d, %g): a pair at the threshold meets with probability %.3f", tc.hashes, tc.threshold, p)
		}
	}
}

func TestAdd(t *testing.T) {
	t.Parallel()
	long := "the harbour master keeps a ledger in which every ship that enters is written down with the day of its arrival and the name of its captain and crew"
	for name, tc := range map[string]struct {
		texts []string
		want  []string // duplicate of; "" kept
	}{
		"the first stays":                  {[]string{long, long, long}, []string{"", "0", "0"}},
		"case and punctuation do not tell": {[]string{long, strings.ToUpper(long) + "!", strings.ReplaceAll(long, " ", ", ")}, []string{"", "0", "0"}},
		"short text":                       {[]string{"7*12=84;84+5=89;89in", "7*12=84;84+5=89;89in", "8*12=96;96+5=101;101in"}, []string{"", "0", ""}},
		"shorter than a shingle":           {[]string{"ab", "ab", "abc"}, []string{"", "0", ""}},
		"nothing but signs":                {[]string{"!!!", "!!!", "???", ""}, []string{"", "0", "", ""}},
		"nothing":                          {[]string{"", ""}, []string{"", "0"}},
		"Chinese": {[]string{
			"港口的负责人保存着一本登记簿上面记录着每一艘进港的船只到达的日期以及船长的姓名",
			"港口的负责人保存着一本登记簿，上面记录着每一艘进港的船只、到达的日期以及船长的姓名。",
			"大多数记录都很简短但也有一些讲述了风暴丢失的货物以及不得不用小船救下的船员",
		}, []string{"", "0", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := New(defaults())
			var got []string
			for i, text := range tc.texts {
				m, err := x.Add(fmt.Sprint(i), text)
				if err != nil {
					t.Fatal(err)
				}
				if m.Duplicate != (m.Of != "") {
					t.Errorf("%q: %+v", text, m)
				}
				got = append(got, m.Of)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestStage: records of reference count as seen, and verdicts do not depend on how records are cut into batches.
func TestStage(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, Plugin("1.0.0"))
	r := rand.New(rand.NewPCG(5, 6))
	var records []*sdk.Record
	for i := range 60 {
		doc := document(r, 60)
		records = append(records, &sdk.Record{Id: fmt.Sprint("n", i), Text: strings.Join(doc, " ")})
		if i%3 == 0 {
			records = append(records, &sdk.Record{Id: fmt.Sprint("c", i), Text: strings.Join(doc, "  ")})
		}
	}
	reference := []*sdk.Record{{Id: "real", Prompt: "", Text: records[0].Text}}
	run := func(batch int) []string {
		stream, err := conn.Filter.Filter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		send := []*pluginv1.FilterRequest{
			{Message: &pluginv1.FilterRequest_Call{Call: conn.Call(t, pluginv1.Kind_KIND_FILTER, "neardup", nil)}},
			{Message: &pluginv1.FilterRequest_Reference{Reference: &sdk.RecordBatch{Records: reference}}},
		}
		for part := range slices.Chunk(records, batch) {
			send = append(send, &pluginv1.FilterRequest{Message: &pluginv1.FilterRequest_Batch{Batch: &sdk.RecordBatch{Records: part}}})
		}
		for _, m := range send {
			if err := stream.Send(m); err != nil {
				t.Fatal(err)
			}
		}
		if err := stream.CloseSend(); err != nil {
			t.Fatal(err)
		}
		events, err := sdktest.All(stream)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, e := range events {
			for _, v := range e.GetVerdicts().GetVerdicts() {
				out = append(out, fmt.Sprint(v.Id, " ", v.Keep, " ", v.Reason, " ", v.DuplicateOf))
			}
		}
		return out
	}
	whole := run(len(records))
	if diff := cmp.Diff(whole, run(7)); diff != "" {
		t.Errorf("batches of 7 differ (-whole +parts):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"n0 false near_duplicate real", "c0 false near_duplicate real", "n1 true  "}, whole[:3]); diff != "" {
		t.Errorf("first verdicts (-want +got):\n%s", diff)
	}
	dropped := 0
	for _, v := range whole {
		if strings.Contains(v, " false ") {
			dropped++
		}
	}
	if dropped != 21 {
		t.Errorf("%d of 80 records were dropped, want the 20 copies and the one that repeats the reference", dropped)
	}
}

// TestMemory: 100,000 documents stay within 1 KiB each by the index's own account, which is what max_memory_mb bounds.
func TestMemory(t *testing.T) {
	t.Parallel()
	x := New(defaults())
	r := rand.New(rand.NewPCG(7, 8))
	sig := make([]uint64, 112)
	const n = 100_000
	for i := range n { // signatures of unlike documents, without the time to compute them
		for j := range sig {
			sig[j] = r.Uint64()
		}
		if err := x.keep(fmt.Sprintf("sha256:%064d", i), fold(sig), x.keys(sig)); err != nil {
			t.Fatal(err)
		}
	}
	if per := x.Bytes() / n; per > 1024 || x.Len() != n {
		t.Errorf("%d documents take %d bytes each, want at most 1024", x.Len(), per)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	c := defaults()
	c.MaxMemoryMB = 0.01
	x := New(c)
	var err error
	n := 0
	for ; n < 100 && err == nil; n++ {
		_, err = x.Add(fmt.Sprint(n), fmt.Sprintf("document number %d has words of its own %d", n, n*n))
	}
	if !errors.Is(err, ErrMemory) || x.Bytes() > 10<<10 || n < 5 {
		t.Errorf("after %d documents: %d bytes, error %v", n, x.Bytes(), err)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	if d := defaults().Validate(); d != nil {
		t.Fatalf("the defaults are wrong: %v", d)
	}
	bad := Config{SimilarityThreshold: math.NaN(), NumHashes: 8, NgramSize: 0, MaxMemoryMB: 0}
	var got []string
	for _, d := range bad.Validate() {
		got = append(got, d.GetAttribute()[0].GetName())
	}
	if diff := cmp.Diff([]string{"similarity_threshold", "num_hashes", "ngram_size", "max_memory_mb"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func BenchmarkAdd(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	var docs []string
	bytes := 0
	for range 500 {
		docs = append(docs, strings.Join(document(r, 500), " "))
		bytes += len(docs[len(docs)-1])
	}
	b.SetBytes(int64(bytes / len(docs)))
	x := New(defaults())
	for i := 0; b.Loop(); i++ {
		if i%len(docs) == 0 {
			x = New(defaults())
		}
		if _, err := x.Add("id", docs[i%len(docs)]); err != nil {
			b.Fatal(err)
		}
	}
}
