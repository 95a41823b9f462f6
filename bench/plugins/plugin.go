package main

import (
	"context"
	"encoding/hex"
	"math/rand/v2"
	"os"
	"runtime/pprof"
	"strings"
	"sync"

	"jupiter/plugins/sdk"
)

// The plugin that figures of throughput are taken with: stages that do nothing but take, keep and send records, so that
// what is measured is the way between host and plugin. It is this program, executed with serveArg.
const (
	serveArg   = "serve"
	pluginName = "bench"
)

func benchPlugin() sdk.Plugin {
	o := sdk.Options{Concurrent: true}
	return sdk.Plugin{Name: pluginName, Version: "1.0.0", Stages: []sdk.Stage{
		sdk.Filter(pluginName, o, func(_ context.Context, _ *sdk.Call, c filtering) (sdk.Judge, error) { return openKeep(c) }),
		sdk.Collector(pluginName, o, send),
	}}
}

// startProfile profiles this process until stop; "": not at all.
func startProfile(file string) (stop func(), err error) {
	if file == "" {
		return func() {}, nil
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		f.Close()
	}, pprof.StartCPUProfile(f)
}

// filtering is the filter's configuration.
type filtering struct {
	Profile string `json:"profile" jupiter:"profile" desc:"File for a CPU profile of the call."`
}

// keep is a filter that keeps all.
type keep struct{ stop func() }

func openKeep(c filtering) (sdk.Judge, error) {
	stop, err := startProfile(c.Profile)
	return keep{stop}, err
}

func (keep) Refer([]*sdk.Record) error { return nil }

func (keep) Judge(records []*sdk.Record) ([]*sdk.Verdict, error) {
	out := make([]*sdk.Verdict, len(records))
	for i := range out {
		out[i] = &sdk.Verdict{Keep: true}
	}
	return out, nil
}

func (k keep) Close() error {
	k.stop()
	return nil
}

// load says what is sent: records of so many bytes, so many in a batch.
type load struct {
	Profile string `json:"profile" jupiter:"profile" desc:"File for a CPU profile of the call."`
	Records int    `json:"records" jupiter:"records,required"`
	Bytes   int    `json:"bytes" jupiter:"bytes,required"`
	Batch   int    `json:"batch" jupiter:"batch,required"`
}

// send is a collector.
func send(_ context.Context, _ *sdk.Call, l load, emit func(*sdk.RecordBatch) error) error {
	stop, err := startProfile(l.Profile)
	if err != nil {
		return err
	}
	defer stop()
	bare := map[*sdk.Record]*sdk.Record{} // the identity is the host's to give
	return l.each(func(b *sdk.RecordBatch) error {
		out := &sdk.RecordBatch{Records: make([]*sdk.Record, len(b.Records))}
		for i, r := range b.Records {
			if bare[r] == nil {
				bare[r] = &sdk.Record{Text: r.Text}
			}
			out.Records[i] = bare[r]
		}
		return emit(out)
	})
}

// each gives the batches of a load.
func (l load) each(yield func(*sdk.RecordBatch) error) error {
	all := records(l.Bytes)
	for sent := 0; sent < l.Records; {
		at := sent % len(all)
		n := min(l.Batch, l.Records-sent, len(all)-at)
		if err := yield(&sdk.RecordBatch{Records: all[at : at+n]}); err != nil {
			return err
		}
		sent += n
	}
	return nil
}

// poolBytes is how much text there is before it repeats: more than a processor caches.
const poolBytes = 64 << 20

var pools sync.Map // by size of a record: func() []*sdk.Record

// records are texts of a size, made once and each another, with identities of the length that the program gives.
func records(size int) []*sdk.Record {
	made, _ := pools.LoadOrStore(size, sync.OnceValue(func() []*sdk.Record {
		text := words(poolBytes)
		all := make([]*sdk.Record, poolBytes/size)
		random := rand.New(rand.NewPCG(uint64(size), 1))
		for i := range all {
			var id [16]byte
			for j := range id {
				id[j] = byte(random.Uint32())
			}
			all[i] = &sdk.Record{Id: hex.EncodeToString(id[:]), Text: text[i*size : (i+1)*size]}
		}
		return all
	}))
	return made.(func() []*sdk.Record)()
}

// words is text of so many bytes, in ASCII.
func words(bytes int) string {
	random := rand.New(rand.NewPCG(2, 3))
	var b strings.Builder
	b.Grow(bytes + 16)
	for b.Len() < bytes {
		for range 2 + random.IntN(9) {
			b.WriteByte('a' + byte(random.IntN(26)))
		}
		b.WriteByte(' ')
	}
	return b.String()[:bytes]
}
