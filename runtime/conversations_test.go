package runtime

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter/plugins/sdk"
	"jupiter/runtime/questions"
)

func chatLine(question, answer string) string {
	return fmt.Sprintf(`{"messages": [{"role": "user", "content": %q}, {"role": "assistant", "content": %q}]}`+"\n", question, answer)
}

// TestReadConversations: each conversation of a file is a document, named by its line as a record's source is; what is none is
// named, and counted where there is much of it.
func TestReadConversations(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("a/chats.jsonl", "\ufeff"+chatLine("Why?", "So.")+"\n \r\nno JSON\n"+strings.Repeat(" ", questions.MaxConversation)+`{"messages": []}`+"\n"+strings.TrimSuffix(chatLine("How?", "Thus."), "\n"))
	write("b.NDJSON", strings.Repeat("{}\n", namedLines)+strings.Repeat("7\n", 5)+chatLine("Who?", "She."))
	write("c.md", "# Text\n")
	docs, skipped, err := readDocuments([]string{dir}, []string{"docs"})
	if err != nil {
		t.Fatal(err)
	}
	want := []questions.Document{
		{Name: "a/chats.jsonl:1", Turns: []questions.Turn{{Question: "Why?", Answer: "So."}}},
		{Name: "a/chats.jsonl:6", Turns: []questions.Turn{{Question: "How?", Answer: "Thus."}}},
		{Name: "b.NDJSON:26", Turns: []questions.Turn{{Question: "Who?", Answer: "She."}}},
		{Name: "c.md", Text: "# Text\n"},
	}
	if d := cmp.Diff(want, docs); d != "" {
		t.Error(d)
	}
	var got []string
	records := 0
	for _, s := range skipped {
		got = append(got, s.Document+" "+s.Why)
		records += s.Records
	}
	if len(got) != 2+namedLines+1 || records != 2+namedLines+5 {
		t.Fatalf("%d records in %q", records, got)
	}
	for i, want := range map[int]string{0: "a/chats.jsonl:4 is no JSON object", 1: "a/chats.jsonl:5 is longer than 1008 KiB", 2: "b.NDJSON:1 has no messages", 2 + namedLines: "b.NDJSON has 5 more lines that are no conversations"} {
		if !strings.HasPrefix(got[i], want) {
			t.Errorf("%q, want %q", got[i], want)
		}
	}
	for name, meta := range map[string]map[string]string{
		"":                               {"source_line": "1"},
		"c.md":                           {"source_path": "c.md"},
		"a/chats.jsonl, a/chats.jsonl:6": {"source_path": "a/chats.jsonl", "source_line": "6"},
	} {
		if got := strings.Join(sources(&sdk.Record{Meta: meta}), ", "); got != name {
			t.Errorf("%v: %q, want %q", meta, got, name)
		}
	}
}

// What is read is bounded, whatever there is.
func TestReadConversationsBounded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "chats.jsonl")
	text := chatLine("Why?", "So.")
	if err := os.WriteFile(path, []byte(strings.Repeat(text, 10)), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ most, docs int }{{10 * len(text), 10}, {10*len(text) - 1, 0}} {
		docs, _, size, err := readConversations(path, "chats.jsonl", c.most)
		if err != nil || len(docs) != c.docs || size != 10*len(text) {
			t.Errorf("up to %d: %d conversations, %d bytes, %v", c.most, len(docs), size, err)
		}
	}
}
