package questions

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConversation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, line string
		want       []Turn
		fails      string
	}{
		{"one answer", `{"messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]}`, []Turn{{"Why?", "So."}}, ""},
		{"system, two answers, and one before any question", `{"messages": [{"role": "system", "content": "s"}, {"role": "assistant", "content": "Hello."}, {"role": "user", "content": "a\r\nb"}, {"role": "assistant", "content": "c"}, {"role": "tool", "content": "t"}, {"role": "assistant", "content": "d"}], "id": 4}`,
			[]Turn{{"", "Hello."}, {"a\nb", "c"}, {"a\nb", "d"}}, ""},
		{"what is not learned", `{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "bad", "train": false}, {"role": "assistant", "content": "good", "train": true}]}`, []Turn{{"q", "good"}}, ""},
		{"nothing and null", `{"prompt": "", "text": null, "messages": [{"role": "user", "content": null}, {"role": "assistant", "content": " "}, {"role": "assistant", "content": "x"}]}`, []Turn{{"", "x"}}, ""},
		{"no JSON", `{"messages": [`, nil, "is no JSON object"},
		{"a list", `[1]`, nil, "is no JSON object"},
		{"null", `null`, nil, "has no messages"},
		{"a record", `{"prompt": "a", "text": "b"}`, nil, "has no messages"},
		{"another name", `{"Messages": [{"role": "assistant", "content": "x"}]}`, nil, "has no messages"},
		{"empty", `{"messages": []}`, nil, "has no messages"},
		{"text", `{"messages": "hello"}`, nil, "no list of role and content"},
		{"parts", `{"messages": [{"role": "assistant", "content": [{"type": "text"}]}]}`, nil, "no list of role and content"},
		{"no role", `{"messages": [{"role": "user", "content": "a"}, {"content": "b"}]}`, nil, "has no role in message 2"},
		{"other roles", `{"messages": [{"role": "human", "content": "a"}, {"role": "gpt", "content": "b"}]}`, nil, "has no answer"},
		{"no answer", `{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": ""}]}`, nil, "has no answer"},
		{"two forms", `{"text": "a", "messages": [{"role": "assistant", "content": "b"}]}`, nil, "has text beside its messages"},
		{"NUL", `{"messages": [{"role": "assistant", "content": "a\u0000b"}]}`, nil, "number 1, that has NUL"},
		{"Latin-1", "{\"messages\": [{\"role\": \"assistant\", \"content\": \"\xe9\"}]}", nil, "is not UTF-8"},
		{"long", strings.Repeat(" ", MaxConversation+1), nil, "is longer than 1008 KiB"},
	} {
		d, err := Conversation("chats.jsonl:3", []byte(c.line))
		if (err != nil) != (c.fails != "") || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%s: %v, want %q", c.name, err, c.fails)
		}
		if diff := cmp.Diff(c.want, d.Turns); diff != "" || err == nil && (d.Name != "chats.jsonl:3" || d.Text != "") {
			t.Errorf("%s: %+v\n%s", c.name, d, diff)
		}
	}
}

// An answer is cut as a text is, and what the user wrote is the heading of all of it.
func TestCutConversation(t *testing.T) {
	t.Parallel()
	code := "```\nf()\n" // a fence that nothing ends
	long := strings.Repeat("I have waited for the parcel since Monday, and nobody answers. ", 4) + "When does the parcel come? " + strings.Repeat("I have tried it all. ", 9)
	got := Cut(Document{Name: "c.jsonl:1", Turns: []Turn{
		{"How is the *canal*\nfed?", "# Water\n\nThe canal is fed by the river Pisuerga, through a weir that was built in 1791.\n\n" + code},
		{"", "The second answer begins anew, whatever the first one has left open at its end."},
		{long, "It comes within four days of the order, but for those that go to the islands."},
		{strings.Repeat("word ", 100), "It comes within five days of the order, but for those that go to the islands."},
		{"And?", "Too short."},
	}})
	var headings []string
	for _, p := range got {
		headings = append(headings, p.Heading)
		if p.Document != "c.jsonl:1" || strings.Contains(p.Text, "#") || strings.Contains(p.Text, "f()") {
			t.Errorf("%+v", p)
		}
	}
	want := []string{"How is the *canal* fed?", "", "When does the parcel come?", strings.TrimSpace(strings.Repeat("word ", 24))}
	if d := cmp.Diff(want, headings); d != "" {
		t.Error(d)
	}
}

// FuzzConversation: whatever a line says, what is read of it is text of an assistant's, and its passages are bounded.
func FuzzConversation(f *testing.F) {
	for _, s := range []string{
		`{"messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because the canal was begun in 1753, and the locks came later."}]}`,
		`{"messages": [{"role": "assistant", "content": "\ud800\u0007 <html>", "train": false}]}`, `{"messages": null, "messages": [{}]}`, "\xff{", "",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		d, err := Conversation("c", line)
		if err != nil {
			if len(d.Turns) > 0 {
				t.Fatalf("%v, and %+v", err, d)
			}
			return
		}
		if len(d.Turns) == 0 || !json.Valid(line) {
			t.Fatalf("%+v", d)
		}
		for _, x := range d.Turns {
			if strings.TrimSpace(x.Answer) == "" || strings.ContainsAny(x.Question+x.Answer, "\x00\r\x1b") {
				t.Fatalf("%+q", x)
			}
		}
		for _, p := range Cut(d) {
			if n := runes(p.Text); n > maxPassage || n < minPassage || runes(p.Heading) > maxHeading || strings.Contains(p.Heading, "\n") {
				t.Fatalf("%+v", p)
			}
		}
	})
}
