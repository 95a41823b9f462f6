package files

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter/plugins/sdk"
)

// TestResume stops after every batch in turn: what came before and what comes after make up the whole.
func TestResume(t *testing.T) {
	t.Parallel()
	files := map[string]string{"x.txt": strings.Repeat("line of text\n", 90_000), "z.txt": "z"}
	var b strings.Builder
	for i := range 2500 {
		fmt.Fprintf(&b, "{\"text\":\"%d\"}\n", i)
		if i%1000 == 7 {
			b.WriteString("bad\n")
		}
	}
	files["m.jsonl"] = b.String()
	dir := tree(t, files)
	cfg := Config{Paths: []string{dir}, Format: formatAuto, MaxFileSizeMB: 64, MaxBad: 3}
	boom := errors.New("boom")
	run := func(cursor []byte, stopAfter int) (got []string, at []byte, batches int, err error) {
		err = collect(t.Context(), &sdk.Call{Cursor: cursor}, cfg, func(batch *sdk.RecordBatch) error {
			if batches == stopAfter {
				return boom
			}
			batches++
			got, at = append(got, places(batch.Records)...), batch.Cursor
			return nil
		})
		return got, at, batches, err
	}
	whole, _, batches, err := run(nil, -1)
	if err != nil || batches < 4 || len(whole) != 2500+3+1 {
		t.Fatalf("%d records in %d batches, %v", len(whole), batches, err)
	}
	for n := 1; n < batches; n++ {
		first, cursor, _, err := run(nil, n)
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		rest, _, _, err := run(cursor, -1)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(whole, append(first, rest...)); diff != "" {
			t.Errorf("resumed after %d batches (-whole +parts):\n%s", n, diff)
		}
	}
}

func TestStopped(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, "{\"text\":\"%d\"}\n", i)
	}
	dir := tree(t, map[string]string{"a.jsonl": b.String()})
	stopped := make(chan struct{})
	cfg := Config{Paths: []string{dir}, Format: formatAuto, MaxFileSizeMB: 64}
	var got []*sdk.Record
	var cursor []byte
	err := collect(t.Context(), &sdk.Call{Stopped: stopped}, cfg, func(b *sdk.RecordBatch) error {
		if cursor == nil {
			close(stopped)
		}
		got, cursor = append(got, b.Records...), b.Cursor
		return nil
	})
	if err != nil || len(got) == 0 || len(got) == 5000 {
		t.Fatalf("%d records before it stopped, error %v", len(got), err)
	}
	err = collect(t.Context(), &sdk.Call{Cursor: cursor}, cfg, func(b *sdk.RecordBatch) error {
		got = append(got, b.Records...)
		return nil
	})
	if err != nil || len(got) != 5000 || got[4999].Text != "4999" {
		t.Errorf("%d records in two calls, error %v", len(got), err)
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cfg := Config{Paths: []string{tree(t, map[string]string{"a.txt": "a"})}, Format: formatAuto, MaxFileSizeMB: 1}
	if err := collect(ctx, &sdk.Call{}, cfg, func(*sdk.RecordBatch) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
