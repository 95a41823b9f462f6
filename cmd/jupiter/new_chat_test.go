package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// chats writes a file of conversations, one a town, in whose answers are rare terms and a sentence that all have.
func chats(path string, n int) error {
	type message struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	}
	var text strings.Builder
	enc := json.NewEncoder(&text)
	for i := range n {
		name := syllables(i)
		err := enc.Encode(map[string][]message{"messages": {
			{"system", "You help the guests of the museum."},
			{"user", "What became of the market of Place " + name},
			{"assistant", fmt.Sprintf("The old market of this place was moved to Plaza%s in the year %d, after a flood of the river. You can still see its walls from the bridge.", strings.ToUpper(name[:1])+name[1:], 1200+7*i)},
			{"user", "And the mill?"},
			{"assistant", fmt.Sprintf("A mill on its %s bank ground wheat for %d families until the bridge fell. It is open in summer.", syllables(i*31+5), 100+i)},
		}})
		if err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text.String()), 0o644)
}

// writeChats is a script's command: chats FILE N.
func writeChats(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: chats FILE N")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(chats(ts.MkAbs(args[0]), n))
}

// TestLlamaServerNew applies a plan from conversations with a teacher to its first decision: the block that asks the teacher has
// llama-server run the students, and so asks both contestants.
func TestLlamaServerNew(t *testing.T) {
	t.Parallel()
	binary := llamaServer(t)
	teacher := newPupilmaster("writes")
	t.Cleanup(teacher.Close)
	root := t.TempDir()
	if err := chats(filepath.Join(root, "log.jsonl"), 110); err != nil {
		t.Fatal(err)
	}
	loopRun(t, root, exitDone, "new", "--from", "chat", "--documents", "log.jsonl", "--teacher", teacher.URL, "desk")
	dir := filepath.Join(root, "desk")
	loopWrite(t, dir, "desk.jupiter.hcl", loopEdit(t, loopRead(t, filepath.Join(dir, "desk.jupiter.hcl")),
		`command = "llama-server"`, fmt.Sprintf("command = %q", binary), "max_tokens = 400", "max_tokens = 8", "max_cycles  ", "guard_samples = 200\n  max_cycles  "))
	said := loopRun(t, dir, exitDone, "apply", "--auto-approve", "--var", "steps=4", "--var", "samples=40", "--var", "cycles=1")
	for _, want := range []string{"desk.base: becomes generator_v1", "verify: 40 of 40 kept", "HOLD at step 4", "dev ("} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
}
