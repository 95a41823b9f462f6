package runtime

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/state"
)

// An answering keeps what contestants have answered so far. A partial result of it has a shard a block, and with the cursor
// openBlock one more: answers of the block in work, which are neither judged nor scored yet.
type answering struct {
	j      *job
	eager  bool // answers are made durable as they come
	all    []answer
	shards []string
	open   []answer // of the block in work, in the order of its questions
	kept   int      // of open: durable
	since  time.Time
	total  int       // answers that are wanted
	told   time.Time // when it was last said how many there are
}

// openBlock is the cursor of a partial result whose last shard is of a block that is not done.
const openBlock = "open"

// openEvery is how often answers are made durable that somebody else is paid for, and how often it is said how many there are.
const openEvery = time.Second

// answering goes on from the job's partial result, if it has one.
func (j *job) answering(runner *host.Stage, total int) (*answering, error) {
	k := &answering{j: j, eager: bought(runner), since: j.r.Clock(), total: total, told: j.r.Clock()}
	if j.partial == nil {
		return k, nil
	}
	for i, d := range j.partial.Shards {
		block, err := readLines[answer](j.r.at(d))
		if err != nil {
			return nil, err
		}
		if i == len(j.partial.Shards)-1 && string(j.partial.Cursor) == openBlock {
			k.open, k.kept = block, len(block)
			break
		}
		k.all, k.shards = append(k.all, block...), append(k.shards, d)
	}
	return k, nil
}

// bought says whether a generator's texts come from elsewhere, where somebody may be paid for them.
func bought(st *host.Stage) bool { return st.Schema.Kind == "generator" && st.Schema.NeedsNetwork }

// got takes an answer of the block in work.
func (k *answering) got(ctx context.Context, a answer) error {
	k.open = append(k.open, a)
	if now := k.j.r.Clock(); now.Sub(k.told) >= openEvery {
		k.tell(now)
	}
	if !k.eager || k.j.r.Clock().Sub(k.since) < openEvery {
		return nil
	}
	return k.keep(ctx)
}

// tell says how many answers there are.
func (k *answering) tell(now time.Time) {
	k.told = now
	k.j.progress(&pluginv1.Progress{Done: uint64(len(k.all) + len(k.open)), Total: uint64(k.total), Unit: "answers"})
}

// keep makes the answers of the block in work durable.
func (k *answering) keep(ctx context.Context) error {
	if len(k.open) == k.kept {
		return nil
	}
	err := k.save(ctx, k.open, &state.Partial{Shards: k.shards, Done: uint64(len(k.all)), Cursor: []byte(openBlock)})
	if err == nil {
		k.kept, k.since = len(k.open), k.j.r.Clock()
	}
	return err
}

// close makes a block durable that is done.
func (k *answering) close(ctx context.Context, block []answer) error {
	p := &state.Partial{Shards: k.shards, Done: uint64(len(k.all) + len(block))}
	if err := k.save(ctx, block, p); err != nil {
		return err
	}
	k.all, k.shards, k.open, k.kept, k.since = append(k.all, block...), p.Shards, nil, 0, k.j.r.Clock()
	k.tell(k.since)
	return nil
}

// save records a partial result with one shard more.
func (k *answering) save(ctx context.Context, shard []answer, p *state.Partial) error {
	path := filepath.Join(k.j.work, fmt.Sprintf("answers-%d-%d.jsonl", len(k.all), len(shard)))
	if err := writeLines(path, shard); err != nil {
		return err
	}
	art, err := k.j.ingest(ctx, put{path: path, mediaType: answersMediaType})
	if err != nil {
		return err
	}
	p.Shards, p.Unit = append(slices.Clone(p.Shards), art.Digest), "answers"
	return k.j.save(ctx, p, art)
}
