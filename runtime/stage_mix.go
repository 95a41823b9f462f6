package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"jupiter/plan"
	"jupiter/plugins/sdk"
	"jupiter/runtime/mix"
)

// pooled says what became of a generation's samples, and how large the pool is now.
type pooled struct {
	mix.Change
	Size      int `json:"size"`
	Real      int `json:"real"` // records the cap is counted from
	Withdrawn int `json:"withdrawn"`
}

func (p pooled) String() string {
	s := fmt.Sprintf("%d records, %d new; %d repeat real ones, %d repeat the pool", p.Size, p.Taken, p.DuplicateReal, p.DuplicatePool)
	if p.Evicted > 0 {
		s += fmt.Sprintf("; %d evicted over the cap", p.Evicted)
	}
	if p.Withdrawn > 0 {
		s += fmt.Sprintf("; %d of withdrawn generators taken out", p.Withdrawn)
	}
	return s
}

// epochMeta is where a pooled record says in which cycle it was drawn.
const epochMeta = "cycle"

// pool takes this generation's samples in.
func (j *job) pool(context.Context) (*result, error) {
	fresh, err := j.readRecords("records")
	if err != nil {
		return nil, err
	}
	real, err := j.readRecords("real")
	if err != nil {
		return nil, err
	}
	var before []*sdk.Record
	if j.inputs["previous"] != "" {
		if before, err = j.readRecords("previous"); err != nil {
			return nil, err
		}
	}
	strict := j.id.Parts["verify"] == "true"
	for _, r := range fresh {
		if r.Meta == nil {
			r.Meta = map[string]string{}
		}
		r.Meta[epochMeta] = j.id.Parts["cycle"]
		if !strict { // repeats are kept: the seed tells them apart
			r.Id += "-" + strconv.FormatUint(r.SampleSeed, 16)
		}
	}
	members := func(recs []*sdk.Record, byID map[string]*sdk.Record) ([]mix.Member, error) {
		ms := make([]mix.Member, len(recs))
		for i, r := range recs {
			byID[r.Id] = r
			ms[i] = mix.Member{ID: r.Id, Key: r.Key, Version: r.GeneratorVersion}
			if !strict {
				ms[i].Key = ""
			}
			if e := r.Meta[epochMeta]; e != "" {
				if ms[i].Cycle, err = strconv.ParseUint(e, 10, 64); err != nil {
					return nil, err
				}
			}
		}
		return ms, nil
	}
	newer, older := map[string]*sdk.Record{}, map[string]*sdk.Record{}
	in, err := members(fresh, newer)
	if err != nil {
		return nil, err
	}
	old, err := members(before, older)
	if err != nil {
		return nil, err
	}
	rm, err := members(real, map[string]*sdk.Record{})
	if err != nil {
		return nil, err
	}
	var withdrawn []uint64
	if w := j.id.Parts["withdrawn"]; w != "" {
		if err := json.Unmarshal([]byte(w), &withdrawn); err != nil {
			return nil, err
		}
	}
	p, gone := mix.Pool{Members: old}.Withdraw(withdrawn...)
	stays := make(map[string]bool, len(p.Members))
	for _, m := range p.Members {
		stays[m.ID] = true
	}
	p, change, err := p.Accept(mix.Intake{New: in, Real: rm, Cap: j.a.Cycle.PoolCap})
	if err != nil {
		return nil, err
	}
	out := make([]*sdk.Record, len(p.Members))
	for i, m := range p.Members {
		// Of two records with one ID the earlier stays, unless it was withdrawn: then the later one is another's.
		if out[i] = newer[m.ID]; stays[m.ID] {
			out[i] = older[m.ID]
		}
	}
	if err := writeRecords(filepath.Join(j.work, recordsFile), out); err != nil {
		return nil, err
	}
	sum := pooled{Change: change, Size: len(out), Real: len(real), Withdrawn: gone.Withdrawn}
	return &result{detail: sum, outputs: map[string]put{"records": {path: recordsFile, mediaType: sdk.RecordsMediaType}}}, nil
}

// mixed says what a window's draws are made of.
type mixed struct {
	Draws   uint64       `json:"draws"`
	Real    mix.Share    `json:"real"`
	Buckets []mix.Bucket `json:"buckets"`
}

func (m mixed) String() string {
	return fmt.Sprintf("%d draws, real %.2f %% of draws and %.1f %% of bytes; a record at most %d times", m.Draws, 100*m.Real.DrawShare, 100*m.Real.ByteShare, m.maxRepeats())
}

func (m mixed) maxRepeats() uint64 {
	var n uint64
	for _, b := range m.Buckets {
		n = max(n, b.RepeatsMax)
	}
	return n
}

// mix writes the window's records in the order of the draws.
func (j *job) mix(context.Context) (*result, error) {
	real, err := j.readRecords("real")
	if err != nil {
		return nil, err
	}
	recs := real
	if j.inputs["pool"] != "" {
		synthetic, err := j.readRecords("pool")
		if err != nil {
			return nil, err
		}
		recs = append(recs[:len(recs):len(recs)], synthetic...)
	}
	req, err := j.mixRequest(recs, len(real))
	if err != nil {
		return nil, err
	}
	s, err := mix.Plan(req)
	if short := (*mix.ShortError)(nil); errors.As(err, &short) && !short.Real {
		return nil, fmt.Errorf("%w: too few of the generator's samples passed; see the counts of the verifier and the filters above", err)
	}
	if err != nil {
		return nil, err
	}
	w, err := sdk.CreateRecords(filepath.Join(j.work, recordsFile))
	if err != nil {
		return nil, err
	}
	for _, d := range s.Draws {
		if err := w.Write(recs[d]); err != nil {
			return nil, errors.Join(err, w.Close())
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return &result{detail: mixed{uint64(len(s.Draws)), s.Real, s.Buckets}, outputs: map[string]put{"dataset": {path: recordsFile, mediaType: sdk.RecordsMediaType}}}, nil
}

func (j *job) mixRequest(recs []*sdk.Record, real int) (mix.Request, error) {
	w, c := j.a.Window, j.a.Cycle
	steps := w.End - w.Start
	req := mix.Request{Draws: w.Records, Block: w.Records / steps, MaxRepeats: c.MaxRepeats, Seed: j.id.Seed, Anchor: mix.Anchor{Min: c.Domain.Anchor.Min, Max: 1}}
	if err := json.Unmarshal([]byte(j.id.Parts["mix_ratio"]), &req.Shares); err != nil {
		return req, err
	}
	if w.Records%steps != 0 {
		return req, fmt.Errorf("%s reads %d records in %d steps, which is no whole number a step", j.a.Stage.Addr, w.Records, steps)
	}
	all := j.inputs["pool"] == "" // real alone: no anchor to keep
	if all {
		req.Anchor.Min = 0
	}
	for i, r := range recs {
		m := mix.Record{ID: r.Id, Bucket: r.Bucket, Real: i < real, Bytes: uint64(len(r.Prompt) + len(recordText(r))), Tokens: r.PromptTokens + r.CompletionTokens}
		if _, ok := req.Shares[r.Bucket]; !ok && m.Real && all && len(req.Shares) == 1 && req.Shares[plan.RealBucket] == 1 {
			m.Bucket = plan.RealBucket
		}
		req.Records = append(req.Records, m)
	}
	return req, nil
}
