package sdk

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// A record file has one JSON object a line, compressed with zstd where its name ends in ".zst":
//
//	{"id":…,"text":…,"prompt":…,"messages":[{"role":…,"content":…,"train":…}],"key":…,"generator_version":…,
//	 "sample_seed":…,"prompt_tokens":…,"completion_tokens":…,"bucket":…,"meta":{…}}
//
// Keys come in this order, those of meta sorted; zero values are left out. A reader tells compression by the magic
// number, not by the name, and passes over keys that it does not know.

// maxLine bounds a line of a record file, in bytes.
const maxLine = 16 << 20

// maxWindow bounds what a compressed file may make its reader allocate, in bytes. The writer's window is 8 MiB.
const maxWindow = 64 << 20

type recordLine struct {
	ID               string            `json:"id,omitempty"`
	Text             string            `json:"text,omitempty"`
	Prompt           string            `json:"prompt,omitempty"`
	Messages         []messageLine     `json:"messages,omitempty"`
	Key              string            `json:"key,omitempty"`
	GeneratorVersion uint64            `json:"generator_version,omitempty"`
	SampleSeed       uint64            `json:"sample_seed,omitempty"`
	PromptTokens     uint64            `json:"prompt_tokens,omitempty"`
	CompletionTokens uint64            `json:"completion_tokens,omitempty"`
	Bucket           string            `json:"bucket,omitempty"`
	Meta             map[string]string `json:"meta,omitempty"`
}

type messageLine struct {
	Role    string `json:"role,omitempty"`
	Content string `json:"content,omitempty"`
	Train   bool   `json:"train,omitempty"`
}

// RecordReader reads a record file from its beginning.
type RecordReader struct {
	path string
	file *os.File
	dec  *zstd.Decoder // nil: not compressed
	r    *bufio.Reader
	line int
	err  error // sticky
}

// OpenRecords opens the record file at path, compressed or not.
func OpenRecords(path string) (*RecordReader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r := &RecordReader{path: path, file: f, r: bufio.NewReaderSize(f, 64<<10)}
	magic, err := r.r.Peek(4)
	if err != nil && err != io.EOF {
		f.Close()
		return nil, err
	}
	if bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}) {
		r.dec, err = zstd.NewReader(r.r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(2*maxWindow))
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		r.r = bufio.NewReaderSize(r.dec, 64<<10)
	}
	return r, nil
}

// Next gives the next record, or io.EOF after the last. Any other error names the file and the line, and is final.
func (r *RecordReader) Next() (*Record, error) {
	if r.err != nil {
		return nil, r.err
	}
	rec, err := r.next()
	if err != nil {
		if err != io.EOF {
			err = fmt.Errorf("%s:%d: %w", r.path, r.line, err)
		}
		r.err = err
	}
	return rec, err
}

func (r *RecordReader) next() (*Record, error) {
	r.line++
	line, err := r.readLine()
	if err != nil {
		return nil, err
	}
	var l recordLine
	if err := json.Unmarshal(line, &l); err != nil {
		return nil, fmt.Errorf("not a record: %w", err)
	}
	if line[0] != '{' {
		return nil, errors.New("not a record: no JSON object")
	}
	rec := &Record{
		Id: l.ID, Text: l.Text, Prompt: l.Prompt, Key: l.Key, GeneratorVersion: l.GeneratorVersion, SampleSeed: l.SampleSeed,
		PromptTokens: l.PromptTokens, CompletionTokens: l.CompletionTokens, Bucket: l.Bucket, Meta: l.Meta,
	}
	for _, m := range l.Messages {
		rec.Messages = append(rec.Messages, &Message{Role: m.Role, Content: m.Content, Train: m.Train})
	}
	return rec, nil
}

// readLine gives the next line without its end, trimmed of spaces; it is valid until the next call.
func (r *RecordReader) readLine() ([]byte, error) {
	var long []byte
	for {
		part, err := r.r.ReadSlice('\n')
		if len(long)+len(part) > maxLine {
			return nil, fmt.Errorf("the line is longer than %d bytes", maxLine)
		}
		if err == bufio.ErrBufferFull {
			long = append(long, part...)
			continue
		}
		if err != nil && err != io.EOF {
			return nil, err
		}
		line := part
		if long != nil {
			line = append(long, part...)
		}
		if err == io.EOF && len(line) == 0 {
			return nil, io.EOF
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			return nil, errors.New("the line is empty")
		}
		return line, nil
	}
}

// Close releases the file.
func (r *RecordReader) Close() error {
	if r.dec != nil {
		r.dec.Close()
	}
	r.err = os.ErrClosed
	return r.file.Close()
}

// RecordWriter writes a record file. Its bytes are a pure function of the records: the compressor runs in one
// goroutine, with fixed settings. They may differ between versions of the compression library.
type RecordWriter struct {
	file *os.File
	buf  *bufio.Writer
	enc  *zstd.Encoder // nil: not compressed
	json *json.Encoder
	err  error // sticky
}

// CreateRecords makes the record file at path, or empties the one there. It compresses where path ends in ".zst".
func CreateRecords(path string) (*RecordWriter, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	w := &RecordWriter{file: f, buf: bufio.NewWriterSize(f, 64<<10)}
	var out io.Writer = w.buf
	if strings.HasSuffix(path, ".zst") {
		w.enc, err = zstd.NewWriter(w.buf, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithWindowSize(8<<20), zstd.WithEncoderCRC(true))
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		out = w.enc
	}
	w.json = json.NewEncoder(out)
	w.json.SetEscapeHTML(false)
	return w, nil
}

// Write adds a record. A record over 3 MiB or with text that is not valid UTF-8 is an error.
func (w *RecordWriter) Write(rec *Record) error {
	if w.err != nil {
		return w.err
	}
	if err := checkRecord(rec); err != nil {
		return fmt.Errorf("%s: the record %w", w.file.Name(), err)
	}
	l := recordLine{
		ID: rec.Id, Text: rec.Text, Prompt: rec.Prompt, Key: rec.Key, GeneratorVersion: rec.GeneratorVersion, SampleSeed: rec.SampleSeed,
		PromptTokens: rec.PromptTokens, CompletionTokens: rec.CompletionTokens, Bucket: rec.Bucket, Meta: rec.Meta,
	}
	for _, m := range rec.Messages {
		l.Messages = append(l.Messages, messageLine{Role: m.Role, Content: m.Content, Train: m.Train})
	}
	w.err = w.json.Encode(l)
	return w.err
}

// Close finishes the file. A file whose writer was not closed without error is not complete.
func (w *RecordWriter) Close() error {
	err := w.err
	if w.enc != nil {
		err = errors.Join(err, w.enc.Close())
	}
	err = errors.Join(err, w.buf.Flush(), w.file.Close())
	w.err = os.ErrClosed
	return err
}
