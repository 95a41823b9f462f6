package files

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	pluginv1 "jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

// tree writes files below a new directory.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// all collects in process, without a host.
func all(t *testing.T, c Config) ([]*sdk.Record, error) {
	t.Helper()
	if c.Format == "" {
		c.Format = formatAuto
	}
	if c.MaxFileSizeMB == 0 {
		c.MaxFileSizeMB = 64
	}
	var out []*sdk.Record
	err := collect(t.Context(), &sdk.Call{}, c, func(b *sdk.RecordBatch) error {
		if n := proto.Size(b); n > 1<<20+64 {
			t.Errorf("a batch has %d bytes", n)
		}
		out = append(out, b.Records...)
		return nil
	})
	return out, err
}

func places(records []*sdk.Record) []string {
	var out []string
	for _, r := range records {
		place := r.Meta["source_path"] + ":" + r.Meta["source_line"]
		if part := r.Meta["source_part"]; part != "" {
			place += " part " + part
		}
		out = append(out, place)
	}
	return out
}

func TestFind(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"a.txt": "a", "b/c.txt": "c", "b/d.md": "d", "b/.hidden": "h", ".git/config": "g", "b/e/f.txt": "f", "odd[1].txt": "odd", "empty/.keep": "",
	})
	if err := os.Symlink("a.txt", filepath.Join(dir, "link.txt")); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		paths []string
		want  []string
		err   string
	}{
		"a file":                   {[]string{"a.txt"}, []string{"a.txt"}, ""},
		"a directory":              {[]string{"."}, []string{"a.txt", "b/c.txt", "b/d.md", "b/e/f.txt", "link.txt", "odd[1].txt"}, ""},
		"a glob":                   {[]string{"*.txt"}, []string{"a.txt", "link.txt", "odd[1].txt"}, ""},
		"a deep glob":              {[]string{"**/*.txt"}, []string{"a.txt", "b/c.txt", "b/e/f.txt", "link.txt", "odd[1].txt"}, ""},
		"relative to its base":     {[]string{"b/**/*.{txt,md}"}, []string{"c.txt", "d.md", "e/f.txt"}, ""},
		"brackets in a name":       {[]string{"odd[1].txt"}, []string{"odd[1].txt"}, ""},
		"each file once":           {[]string{"b", "b/*.md", "./b/c.txt"}, []string{"c.txt", "d.md", "e/f.txt"}, ""},
		"no such file":             {[]string{"z.txt"}, nil, "z.txt"},
		"glob without match":       {[]string{"a.txt", "*.pdf"}, nil, "*.pdf matches no files"},
		"directory without files":  {[]string{"empty"}, nil, "empty matches no files"},
		"a glob that is none":      {[]string{"[a.txt"}, nil, "glob"},
		"order by path, not place": {[]string{"b", "a.txt"}, []string{"a.txt", "c.txt", "d.md", "e/f.txt"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var paths []string
			for _, p := range tc.paths {
				paths = append(paths, dir+"/"+p)
			}
			found, err := find(paths)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Fatalf("error %v, want one with %q", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range found {
				got = append(got, f.rel)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	user, assistant := "user", "assistant"
	chat := []*sdk.Message{{Role: user, Content: "Q"}, {Role: assistant, Content: "A", Train: true}}
	rec := func(line, prompt, text string) *sdk.Record {
		return &sdk.Record{Prompt: prompt, Text: text, Meta: map[string]string{"source_line": line}}
	}
	for name, tc := range map[string]struct {
		file, content string
		config        Config
		want          []*sdk.Record
	}{
		"text":                {"a.txt", "One.\n\nTwo.\n", Config{}, []*sdk.Record{rec("1", "", "One.\n\nTwo.\n")}},
		"text without a name": {"README", "x", Config{}, []*sdk.Record{rec("1", "", "x")}},
		"byte order mark":     {"a.txt", "\ufeffx", Config{}, []*sdk.Record{rec("1", "", "x")}},
		"lines": {"a.jsonl", "{\"text\":\"a\"}\n\n{\"prompt\":\"p:\",\"text\":\"b\"}\r\n{\"content\":\"c\",\"url\":1}", Config{},
			[]*sdk.Record{rec("1", "", "a"), rec("3", "p:", "b"), rec("4", "", "c")}},
		"lines with a mark":      {"a.ndjson", "\ufeff{\"text\":\"a\"}\n", Config{}, []*sdk.Record{rec("1", "", "a")}},
		"text before content":    {"a.jsonl", `{"content":"c","text":"t"}`, Config{}, []*sdk.Record{rec("1", "", "t")}},
		"named fields":           {"a.jsonl", `{"instruction":"i","output":"o","text":"no"}`, Config{TextField: str("output"), PromptField: str("instruction")}, []*sdk.Record{rec("1", "i", "o")}},
		"prompt that is null":    {"a.jsonl", `{"text":"t","prompt":null}`, Config{}, []*sdk.Record{rec("1", "", "t")}},
		"messages":               {"a.jsonl", `{"messages":[{"role":"user","content":"Q"},{"role":"assistant","content":"A"}]}`, Config{}, []*sdk.Record{{Messages: chat, Meta: map[string]string{"source_line": "1"}}}},
		"messages with train":    {"a.jsonl", `{"messages":[{"role":"user","content":"Q","train":false},{"role":"assistant","content":"A","train":true}]}`, Config{}, []*sdk.Record{{Messages: chat, Meta: map[string]string{"source_line": "1"}}}},
		"an array":               {"a.json", "[\n{\"text\":\"a\"},\n\n {\n\"text\":\"b\"}]\n", Config{}, []*sdk.Record{rec("2", "", "a"), rec("4", "", "b")}},
		"an empty array":         {"a.json", "[]", Config{}, nil},
		"objects":                {"a.json", "{\"text\":\"a\"}\n{\n\"text\":\"b\"}\n", Config{}, []*sdk.Record{rec("1", "", "a"), rec("2", "", "b")}},
		"format given":           {"a.txt", `{"text":"a"}`, Config{Format: formatJSONL}, []*sdk.Record{rec("1", "", "a")}},
		"format text given":      {"a.jsonl", `{"text":"a"}`, Config{Format: formatText}, []*sdk.Record{rec("1", "", `{"text":"a"}`)}},
		"text with nothing":      {"a.txt", " \n\t\n", Config{}, nil},
		"a line of 300 KB":       {"a.jsonl", `{"text":"` + strings.Repeat("x", 300_000) + `"}`, Config{}, []*sdk.Record{rec("1", "", strings.Repeat("x", 300_000))}},
		"escapes are characters": {"a.jsonl", `{"text":"\u00e9\n"}`, Config{}, []*sdk.Record{rec("1", "", "é\n")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.config.Paths = []string{tree(t, map[string]string{tc.file: tc.content})}
			got, err := all(t, tc.config)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range tc.want {
				r.Meta["source_path"] = tc.file
			}
			if diff := cmp.Diff(len(tc.want), len(got)); diff != "" {
				t.Fatalf("records (-want +got):\n%s", diff)
			}
			for i := range got {
				if !proto.Equal(got[i], tc.want[i]) {
					t.Errorf("record %d is %v, want %v", i, got[i], tc.want[i])
				}
			}
		})
	}
}

func str(s string) *string { return &s }

func TestBad(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		file, content string
		config        Config
		want          string
	}{
		"not JSON":            {"a.jsonl", "{\"text\":\"a\"}\n{\"text\":\n", Config{}, "a.jsonl:2: unexpected end of JSON input"},
		"not an object":       {"a.jsonl", "\n[1]", Config{}, "a.jsonl:2: want a JSON object, found array"},
		"null":                {"a.jsonl", "null", Config{}, "a.jsonl:1: null is not a JSON object"},
		"no text":             {"a.jsonl", `{"txt":"a"}`, Config{}, "a.jsonl:1: has no text: neither text nor content nor messages"},
		"blank text":          {"a.jsonl", `{"text":" "}`, Config{}, "has no text"},
		"no such field":       {"a.jsonl", `{"text":"a"}`, Config{TextField: str("body")}, "neither body nor messages"},
		"text is a number":    {"a.jsonl", `{"text":1}`, Config{}, "a.jsonl:1: text: want a string, found number"},
		"prompt is a list":    {"a.jsonl", `{"text":"a","prompt":[]}`, Config{}, "prompt: want a string, found array"},
		"message, no role":    {"a.jsonl", `{"messages":[{"content":"a"}]}`, Config{}, "messages: message 1 has no role"},
		"messages are text":   {"a.jsonl", `{"messages":"a"}`, Config{}, "messages: want a list of"},
		"messages and text":   {"a.jsonl", `{"messages":[{"role":"user","content":"a"}],"text":"b"}`, Config{}, "messages, and a text"},
		"line not UTF-8":      {"a.jsonl", "{\"text\":\"\xff\"}", Config{}, "a.jsonl:1: not UTF-8 text"},
		"text not UTF-8":      {"a.txt", "one\ntwo \xff\n", Config{}, "a.txt:2: not UTF-8 text"},
		"a binary file":       {"a.bin", "ELF\x00\x01", Config{}, "a.bin:1: not UTF-8 text"},
		"large file":          {"a.txt", strings.Repeat("x", 2000), Config{MaxFileSizeMB: 0.001}, "larger than max_file_size_mb"},
		"large record":        {"a.jsonl", `{"text":"` + strings.Repeat("x", 1<<20) + `"}`, Config{}, "a.jsonl:1: the record is larger than 1008 KiB"},
		"long line":           {"a.jsonl", "{\"text\":\"a\"}\n" + strings.Repeat("x", maxLine+1), Config{}, "a.jsonl:2: the line is longer"},
		"bad object in array": {"a.json", "[{\"text\":\"a\"},\n{\"x\":1}]", Config{}, "a.json:2: has no text"},
		"broken array":        {"a.json", "[{\"text\":\"a\"},\n{\"text\":]", Config{MaxBad: 9}, "a.json:2: invalid character"},
		"array without end":   {"a.json", `[{"text":"a"}`, Config{MaxBad: 9}, "what follows cannot be read"},
		"more after an array": {"a.json", `[{"text":"a"}] x`, Config{MaxBad: 9}, "what follows cannot be read"},
		"stray brace":         {"a.json", `{"text":"a"}}`, Config{MaxBad: 9}, "what follows cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.config.Paths = []string{tree(t, map[string]string{tc.file: tc.content})}
			_, err := all(t, tc.config)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

func TestMaxBad(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"a.jsonl": "{\"text\":\"1\"}\n{\n{\"text\":\"3\"}\n" + strings.Repeat("y", maxLine+1) + "\n{\"text\":\"5\"}\n",
		"b.txt":   "\xff",
		"c.txt":   "c",
	})
	records, err := all(t, Config{Paths: []string{dir}, MaxBad: 3})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a.jsonl:1", "a.jsonl:3", "a.jsonl:5", "c.txt:1"}, places(records)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err = all(t, Config{Paths: []string{dir}, MaxBad: 2}); err == nil || !strings.Contains(err.Error(), "b.txt:1: not UTF-8 text; that is one more than max_bad = 2") {
		t.Errorf("error %v, want the third bad record named", err)
	}
}

func TestLongText(t *testing.T) {
	t.Parallel()
	paragraph := strings.Repeat("Some words in a line.\n", 400) + "\n"
	contents := map[string]string{
		"paragraphs": strings.Repeat(paragraph, 150),
		"lines":      strings.Repeat("Some words in a line.\n", 60_000),
		"words":      strings.Repeat("word ", 300_000),
		"characters": strings.Repeat("é", 500_000),
	}
	for name, content := range contents {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records, err := all(t, Config{Paths: []string{tree(t, map[string]string{"a.txt": content})}})
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for i, r := range records {
				if want := fmt.Sprint(1 + strings.Count(b.String(), "\n")); r.Meta["source_line"] != want || r.Meta["source_part"] != fmt.Sprint(i+1) {
					t.Errorf("part %d has meta %v, want line %s", i+1, r.Meta, want)
				}
				if last := i == len(records)-1; len(r.Text) > maxText || !last && len(r.Text) < maxText/2 {
					t.Errorf("part %d has %d bytes", i+1, len(r.Text))
				}
				if name == "paragraphs" && !strings.HasSuffix(r.Text, "\n\n") || name == "words" && !strings.HasSuffix(r.Text, " ") {
					t.Errorf("part %d is cut at %q", i+1, r.Text[len(r.Text)-10:])
				}
				b.WriteString(r.Text)
			}
			if b.String() != content || len(records) < 2 {
				t.Errorf("%d parts do not make up the text", len(records))
			}
		})
	}
}

// TestPartChars: a document becomes passages, none longer than was asked, cut where paragraphs end, with its words all there.
func TestPartChars(t *testing.T) {
	t.Parallel()
	content := "# Élan\n\n" + strings.Repeat("Some words in a line.\n\n", 9) + "\n \n" + strings.Repeat("é", 130) + "\n"
	records, err := all(t, Config{Paths: []string{tree(t, map[string]string{"a.md": content, "b.md": " short\n"})}, PartChars: 60})
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, r := range records {
		texts = append(texts, r.Text)
		if n := len([]rune(r.Text)); n > 60 || r.Text != strings.TrimSpace(r.Text) || r.Text == "" {
			t.Errorf("a part of %d characters: %q", n, r.Text)
		}
	}
	if got := strings.Join(strings.Fields(strings.Join(texts[:len(texts)-1], " ")), " "); strings.ReplaceAll(got, "é é", "éé") != strings.Join(strings.Fields(content), " ") {
		t.Errorf("the parts do not make up the text: %q", texts)
	}
	want := []string{"a.md:1 part 1", "a.md:7 part 2", "a.md:11 part 3"}
	if diff := cmp.Diff(want, places(records)[:3]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if last := records[len(records)-1]; last.Text != "short" || last.Meta["source_part"] != "" {
		t.Errorf("a short text is %v", last)
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	print := func(dir string) string {
		t.Helper()
		d, err := Config{Paths: []string{dir}}.Fingerprint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	a := print(tree(t, map[string]string{"x.txt": "1", "y/z.txt": "2"}))
	if b := print(tree(t, map[string]string{"x.txt": "1", "y/z.txt": "2"})); b != a {
		t.Error("another directory with the same files has another fingerprint")
	}
	for name, files := range map[string]map[string]string{
		"content": {"x.txt": "1", "y/z.txt": "3"}, "name": {"x.txt": "1", "y/w.txt": "2"}, "one more": {"x.txt": "1", "y/z.txt": "2", "new": ""},
	} {
		if print(tree(t, files)) == a {
			t.Errorf("%s changed, and the fingerprint did not", name)
		}
	}
}

// TestStage runs the collector as the host does, on the default domain's real examples.
func TestStage(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, Plugin("1.0.0"))
	real := filepath.Join("..", "..", "..", "domains", "quantities", "real.jsonl")
	config := map[string]any{"paths": []string{real}}
	stream, err := conn.Collector.Collect(t.Context(), &pluginv1.CollectRequest{Call: conn.Call(t, pluginv1.Kind_KIND_COLLECTOR, "files", config)})
	if err != nil {
		t.Fatal(err)
	}
	events, err := sdktest.All(stream)
	if err != nil {
		t.Fatal(err)
	}
	var records []*sdk.Record
	for _, e := range events {
		records = append(records, e.GetBatch().GetRecords()...)
	}
	if len(records) != 600 || !strings.HasSuffix(records[599].Prompt, ":") || records[599].Text == "" || places(records)[599] != "real.jsonl:600" {
		t.Errorf("%d records, the last is %v", len(records), records[len(records)-1])
	}

	print, err := conn.Plugin.Fingerprint(t.Context(), &pluginv1.FingerprintRequest{Kind: pluginv1.Kind_KIND_COLLECTOR, Stage: "files", Config: conn.Config(t, pluginv1.Kind_KIND_COLLECTOR, "files", config)})
	if err != nil || !strings.HasPrefix(print.GetDigest(), "sha256:") {
		t.Errorf("fingerprint %v, %v", print, err)
	}
	est, err := conn.Plugin.Estimate(t.Context(), &sdk.EstimateRequest{Kind: pluginv1.Kind_KIND_COLLECTOR, Stage: "files", Config: conn.Config(t, pluginv1.Kind_KIND_COLLECTOR, "files", config)})
	if info, statErr := os.Stat(real); err != nil || statErr != nil || est.GetBytesRead() != float64(info.Size()) {
		t.Errorf("estimate %v, %v, %v", est, err, statErr)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	good := Config{Paths: []string{"a"}, Format: formatAuto, MaxFileSizeMB: 1}
	if d := good.Validate(); d != nil {
		t.Fatalf("a right configuration is refused: %v", d)
	}
	bad := Config{Paths: []string{"a", " "}, Format: formatText, TextField: str("x"), PromptField: str("y"), PartChars: 3, MaxFileSizeMB: -1}
	var got []string
	for _, d := range bad.Validate() {
		got = append(got, d.GetAttribute()[0].GetName())
	}
	if diff := cmp.Diff([]string{"paths", "prompt_field", "text_field", "part_chars", "max_file_size_mb"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if d := (Config{Format: "csv", MaxFileSizeMB: 1}).Validate(); len(d) != 2 {
		t.Errorf("no paths and an unknown format give %v", d)
	}
}
