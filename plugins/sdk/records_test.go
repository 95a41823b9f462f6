package sdk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/testing/protocmp"
)

func sampleRecords() []*Record {
	return []*Record{
		{Text: "plain <text> & \u2028 more\n"},
		{Id: "a1", Prompt: "3+4:", Text: "7", Key: "k", GeneratorVersion: 18446744073709551615, SampleSeed: 9007199254740993, PromptTokens: 4, CompletionTokens: 1, Bucket: "real", Meta: map[string]string{"z": "1", "a": "2"}},
		{Messages: []*Message{{Role: "user", Content: "hi"}, {Role: "assistant", Content: "hello", Train: true}}},
		{},
	}
}

const sampleLines = `{"text":"plain <text> & \u2028 more\n"}
{"id":"a1","text":"7","prompt":"3+4:","key":"k","generator_version":18446744073709551615,"sample_seed":9007199254740993,"prompt_tokens":4,"completion_tokens":1,"bucket":"real","meta":{"a":"2","z":"1"}}
{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"hello","train":true}]}
{}
`

func writeRecords(t testing.TB, path string, records []*Record) []byte {
	t.Helper()
	w, err := CreateRecords(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readRecords(path string) ([]*Record, error) {
	r, err := OpenRecords(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var all []*Record
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, rec)
	}
}

func TestRecordFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plain := writeRecords(t, filepath.Join(dir, "a.jsonl"), sampleRecords())
	if diff := cmp.Diff(sampleLines, string(plain)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	packed := writeRecords(t, filepath.Join(dir, "a.jsonl.zst"), sampleRecords())
	dec, err := zstd.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	if unpacked, err := io.ReadAll(dec); err != nil || !bytes.Equal(unpacked, plain) {
		t.Errorf("the compressed file holds %q, %v", unpacked, err)
	}
	// The magic number says what a file is, not its name.
	if err := os.Rename(filepath.Join(dir, "a.jsonl.zst"), filepath.Join(dir, "b.jsonl")); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"a.jsonl", "b.jsonl"} {
		got, err := readRecords(filepath.Join(dir, f))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(sampleRecords(), got, protocmp.Transform()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", f, diff)
		}
	}
	if empty := writeRecords(t, filepath.Join(dir, "e.jsonl.zst"), nil); len(empty) == 0 {
		t.Error("an empty compressed file has no frame")
	}
	if got, err := readRecords(filepath.Join(dir, "e.jsonl.zst")); err != nil || len(got) != 0 {
		t.Errorf("empty file: %v, %v", got, err)
	}
}

// The bytes depend on the records alone, whatever their number: past one block, past one window.
func TestRecordFilesAreDeterministic(t *testing.T) {
	t.Parallel()
	var records []*Record
	for i := range 60000 {
		records = append(records, &Record{Id: fmt.Sprintf("%032x", i*2654435761), Text: strings.Repeat(fmt.Sprint(i%97, " "), 60)})
	}
	dir := t.TempDir()
	first := writeRecords(t, filepath.Join(dir, "1.zst"), records)
	if again := writeRecords(t, filepath.Join(dir, "2.zst"), records); !bytes.Equal(first, again) {
		t.Fatal("the same records gave other bytes")
	}
	if got, err := readRecords(filepath.Join(dir, "1.zst")); err != nil || len(got) != len(records) {
		t.Errorf("%d records, %v", len(got), err)
	}
}

func TestRecordReaderRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	packed := writeRecords(t, filepath.Join(dir, "p.zst"), sampleRecords())
	for name, tt := range map[string]struct {
		content string
		good    int
		want    string
	}{
		"text":         {"hello\n", 0, ":1: not a record: invalid character"},
		"array":        {"{}\n[1]\n", 1, ":2: not a record: json: cannot unmarshal array"},
		"null":         {"null\n", 0, ":1: not a record: no JSON object"},
		"empty line":   {"{}\n\n{}\n", 1, ":2: the line is empty"},
		"wrong type":   {`{"text":5}`, 0, ":1: not a record: json: cannot unmarshal number into Go struct field recordLine.text"},
		"cut":          {"{}\n{\"text\":\"a", 1, ":2: not a record: unexpected end of JSON input"},
		"long line":    {"{}\n{\"text\":\"" + strings.Repeat("a", maxLine), 1, ":2: the line is longer than 16777216 bytes"},
		"cut zstd":     {string(packed[:len(packed)-3]), 0, "unexpected EOF"},
		"damaged zstd": {string(packed[:20]) + "\x00\xff" + string(packed[22:]), 0, ":"},
		"junk behind":  {string(packed) + "junk!", 4, ":5: "},
		"huge window":  {"\x28\xb5\x2f\xfd\x00\xa8\x00\x00\x00", 0, "window size exceeded"},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(tt.content), 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := readRecords(path)
		if err == nil || !strings.HasPrefix(err.Error(), path+":") || !strings.Contains(err.Error(), tt.want) || name != "damaged zstd" && len(got) != tt.good {
			t.Errorf("%s: %d records, %v; want %d, %s", name, len(got), err, tt.good, tt.want)
		}
	}
	if got, err := readRecords(filepath.Join(dir, "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v, %v", got, err)
	}
	// Unknown keys belong to somebody else; the last line may lack its end.
	path := filepath.Join(dir, "foreign")
	if err := os.WriteFile(path, []byte(` {"text":"a","score":0.5} `), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := readRecords(path); err != nil || len(got) != 1 || got[0].Text != "a" {
		t.Errorf("foreign keys: %v, %v", got, err)
	}
}

func TestRecordWriterRefuses(t *testing.T) {
	t.Parallel()
	w, err := CreateRecords(filepath.Join(t.TempDir(), "a"))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for want, r := range map[string]*Record{
		"text is not valid UTF-8":    {Text: "a\xff"},
		"meta is not valid UTF-8":    {Meta: map[string]string{"k": "\xff"}},
		"message of it is not valid": {Messages: []*Message{{Content: "\xff"}}},
		"a record holds at most":     {Text: strings.Repeat("a", maxRecord+1)},
		"is nil":                     nil,
	} {
		if err := w.Write(r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func FuzzReadRecords(f *testing.F) {
	f.Add([]byte(sampleLines))
	f.Add([]byte("\x28\xb5\x2f\xfd\x00\xa8\x00\x00\x00"))
	f.Add(writeRecords(f, filepath.Join(f.TempDir(), "a.zst"), sampleRecords()))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := readRecords(path)
		if err != nil {
			return
		}
		for _, r := range got {
			if checkRecord(r) != nil {
				return // larger than a record may be
			}
		}
		again, err := readRecords(func() string { p := path + ".2"; writeRecords(t, p, got); return p }())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, again, protocmp.Transform()); diff != "" {
			t.Errorf("written and read again (-want +got):\n%s", diff)
		}
	})
}
