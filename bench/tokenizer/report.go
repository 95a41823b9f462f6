package main

import (
	"fmt"
	"io"
	"slices"

	"jupiter/bench/figures"
)

const (
	ours = "ours"
	peer = "tokenizers"
)

// report gathers what was measured.
type report struct {
	options
	files  int
	about  map[string]about
	turns  map[string][]turn
	noPeer string // why there is none
}

func (r *report) met(side string, a about) {
	if r.about == nil {
		r.about, r.turns = map[string]about{}, map[string][]turn{}
	}
	r.about[side] = a
}

func (r *report) add(side string, t turn) { r.turns[side] = append(r.turns[side], t) }

func (r *report) seconds(side string) (all []float64) {
	for _, t := range r.turns[side] {
		all = append(all, t.Seconds)
	}
	return all
}

// result is the last line: what scripts read. What was not measured is null.
type result struct {
	TrainS float64  `json:"train_s"`
	MB     int      `json:"mb"`
	PeakMB float64  `json:"peak_mb"`
	Over   *float64 `json:"vs_peer"` // the peer's time over ours
	PeerS  *float64 `json:"peer_s"`
	Peer   *string  `json:"peer"`
}

func (r *report) result() result {
	mine := r.seconds(ours)
	out := result{TrainS: figures.Round(figures.Median(mine), 2), MB: r.megabytes}
	for _, t := range r.turns[ours] {
		out.PeakMB = max(out.PeakMB, figures.Round(t.PeakMB, 0))
	}
	theirs := r.seconds(peer)
	if len(theirs) == 0 {
		return out
	}
	var ratios []float64
	for i := range min(len(mine), len(theirs)) {
		ratios = append(ratios, theirs[i]/mine[i])
	}
	over, s, name := figures.Round(figures.Median(ratios), 2), figures.Round(figures.Median(theirs), 2), "tokenizers "+r.about[peer].Version
	out.Over, out.PeerS, out.Peer = &over, &s, &name
	return out
}

func (x result) goals() []figures.Goal {
	return []figures.Goal{{What: fmt.Sprintf("training on %d MB", x.MB), Is: fmt.Sprintf("%.1f s", x.TrainS), Bound: "under 60 s for 100 MB", Met: x.TrainS*100/float64(x.MB) < 60}}
}

// write prints the tables, the notes and the line for scripts.
func (r *report) write(w io.Writer) error {
	res := r.result()
	fmt.Fprintf(w, "%s; %s", figures.Machine(), r.about[ours].Version)
	if res.Peer != nil {
		fmt.Fprintf(w, "; %s", *res.Peer)
	}
	fmt.Fprintf(w, "; %d threads, %d files, %d bytes\n", r.threads, r.files, r.about[ours].Bytes)
	fmt.Fprint(w, "\n| side | turns | tokens | seconds, median (least–most) | MB a second | memory |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, side := range []string{ours, peer} {
		all := r.seconds(side)
		if len(all) == 0 {
			continue
		}
		last := r.turns[side][len(all)-1]
		fmt.Fprintf(w, "| %s | %d | %d | %.2f (%.2f–%.2f) | %.1f | %.0f MB |\n", side, len(all), last.Tokens, figures.Median(all), slices.Min(all), slices.Max(all),
			float64(r.about[side].Bytes)/1e6/figures.Median(all), last.PeakMB)
	}
	figures.WriteGoals(w, res.goals())
	fmt.Fprint(w, notes)
	if r.noPeer != "" {
		fmt.Fprintf(w, "- There is no peer: %s.\n", r.noPeer)
	}
	return figures.WriteResult(w, res)
}

const notes = `
- Both sides have the texts in memory, a file of Go's source each, and split them by Llama 3's pattern. The peer learns merges of
  digits too, which ours leaves out, and counts pieces of any length, of which ours leaves out those beyond 256 bytes.
- Memory is what the process held at most, resident, the texts included.
`
