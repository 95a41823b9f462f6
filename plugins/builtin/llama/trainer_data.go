package llama

import (
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/train"
	"jupiter/plugins/sdk"
)

// recordFiles lists the files of a record artifact in order: the file itself, or the files of a directory by name.
func recordFiles(path string) ([]string, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.IsDir() {
		return []string{path}, nil
	}
	var files []string
	err = filepath.WalkDir(path, func(p string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && (strings.HasSuffix(p, ".jsonl") || strings.HasSuffix(p, ".jsonl.zst")) {
			files = append(files, p)
		}
		return err
	})
	slices.Sort(files)
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s has no .jsonl or .jsonl.zst file", path)
	}
	return files, err
}

// records reads a record artifact from its first record to its last. The first error ends it and is the last pair.
func records(path string) iter.Seq2[*sdk.Record, error] {
	return func(yield func(*sdk.Record, error) bool) {
		files, err := recordFiles(path)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, file := range files {
			if !recordsOf(file, yield) {
				return
			}
		}
	}
}

// recordsOf reads one file; false ends the whole.
func recordsOf(file string, yield func(*sdk.Record, error) bool) bool {
	r, err := sdk.OpenRecords(file)
	if err != nil {
		yield(nil, err)
		return false
	}
	defer r.Close()
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return true
		}
		if !yield(rec, err) || err != nil {
			return false
		}
	}
}

// texts gives all text of a record artifact, for a tokenizer. An error ends it and is left in failed.
func texts(path string, failed *error) iter.Seq[string] {
	return func(yield func(string) bool) {
		for rec, err := range records(path) {
			if err != nil {
				*failed = err
				return
			}
			if rec.Prompt != "" && !yield(rec.Prompt) || rec.Text != "" && !yield(rec.Text) {
				return
			}
			for _, m := range rec.Messages {
				if !yield(m.Content) {
					return
				}
			}
		}
	}
}

// encode makes a record's sequence, of at most limit predictions: BOS where a text begins with it, prompt, text, EOS; or a
// chat, which ends with EOS too. The loss weighs a prompt's tokens with promptWeight, text and EOS with 1, and of a chat
// only what is to be trained. It reports whether the sequence was cut.
func encode(tok *bpe.Tokenizer, rec *sdk.Record, promptWeight float32, limit int) (seq train.Sequence, cut bool, err error) {
	put := func(w float32, ids ...int32) {
		for _, id := range ids {
			seq.Tokens = append(seq.Tokens, id)
			seq.Weights = append(seq.Weights, w)
		}
	}
	switch {
	case len(rec.Messages) > 0:
		if !tok.HasChat() {
			return seq, false, fmt.Errorf("it is a chat, and the tokenizer has no tokens for turns")
		}
		messages := make([]bpe.Message, len(rec.Messages))
		for i, m := range rec.Messages {
			messages[i] = bpe.Message{Role: m.Role, Content: m.Content, Train: m.Train}
		}
		ids, loss := tok.Chat(messages, false)
		for i, id := range ids {
			put(flag(loss[i]), id)
		}
		put(flag(messages[len(messages)-1].Train), tok.EOS())
	case rec.Text != "":
		put(promptWeight, tok.Sequence(rec.Prompt)...)
		seq.Weights[0] = 0 // nothing comes before it
		put(1, tok.Encode(rec.Text)...)
		put(1, tok.EOS())
	default:
		return seq, false, fmt.Errorf("it has neither text nor messages")
	}
	if len(seq.Tokens) > limit+1 {
		seq.Tokens, seq.Weights, cut = seq.Tokens[:limit+1], seq.Weights[:limit+1], true
	}
	return seq, cut, nil
}

// asChat makes a chat of a record with a prompt: its question, and the answer to be learned.
func asChat(rec *sdk.Record) *sdk.Record {
	if rec.Prompt == "" || rec.Text == "" {
		return rec
	}
	return &sdk.Record{Messages: []*sdk.Message{{Role: "user", Content: rec.Prompt}, {Role: "assistant", Content: rec.Text, Train: true}}}
}

func flag(on bool) float32 {
	if on {
		return 1
	}
	return 0
}

// feed reads the draws of a window one step ahead of training, in a goroutine of its own.
type feed struct {
	steps chan fedStep
	quit  chan struct{}
	done  sync.WaitGroup

	cut, read uint64 // records cut at max_seq_length, and read, as far as next has gone
}

type fedStep struct {
	seqs []train.Sequence
	cut  uint64
	err  error
}

// stepsAhead is the number of steps that are ready before they are needed.
const stepsAhead = 2

// newFeed starts reading after the first skip records.
func newFeed(tok *bpe.Tokenizer, s settings, path string, skip uint64) *feed {
	f := &feed{steps: make(chan fedStep, stepsAhead), quit: make(chan struct{})}
	f.done.Go(func() {
		defer close(f.steps)
		f.fill(tok, s, path, skip)
	})
	return f
}

func (f *feed) fill(tok *bpe.Tokenizer, s settings, path string, skip uint64) {
	var step fedStep
	var n uint64
	for rec, err := range records(path) {
		n++
		if err == nil && n <= skip {
			continue
		}
		if err == nil {
			var seq train.Sequence
			var cut bool
			if s.chats {
				rec = asChat(rec)
			}
			seq, cut, err = encode(tok, rec, float32(s.promptLossWeight), s.model.Context)
			step.seqs = append(step.seqs, seq)
			step.cut += uint64(flag(cut))
		}
		if err != nil {
			f.put(fedStep{err: fmt.Errorf("record %d of the dataset: %w", n, err)})
			return
		}
		if len(step.seqs) == s.batch {
			if !f.put(step) {
				return
			}
			step = fedStep{}
		}
	}
	f.put(fedStep{err: fmt.Errorf("the dataset ends after %d records, and a step reads %d more", n, s.batch-len(step.seqs))})
}

// put hands a step over; false when nobody wants more.
func (f *feed) put(step fedStep) bool {
	select {
	case f.steps <- step:
		return step.err == nil
	case <-f.quit:
		return false
	}
}

// next gives the sequences of the next step.
func (f *feed) next() ([]train.Sequence, error) {
	step := <-f.steps
	f.cut += step.cut
	f.read += uint64(len(step.seqs))
	return step.seqs, step.err
}

// warn tells the user of records that were cut.
func (f *feed) warn(c *sdk.Call, attribute []string) {
	if f.cut > 0 {
		c.Warn("Records cut", fmt.Sprintf("%d of %d records had more tokens than max_seq_length and were cut: the model did not see how they end.", f.cut, f.read), attribute...)
	}
}

// close ends the reading and waits for it.
func (f *feed) close() {
	close(f.quit)
	f.done.Wait()
}
