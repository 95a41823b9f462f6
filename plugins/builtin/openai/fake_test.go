package openai

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"jupiter/plugins/builtin/llama"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

// A fake is a server that answers each prompt with "answer to PROMPT", and behaves as badly as a test wants.
type fake struct {
	*httptest.Server

	// badly is asked before each answer, with how often this prompt was asked before. True: it has answered.
	badly func(w http.ResponseWriter, r *http.Request, q *question, before int) bool
	delay func(*question) time.Duration
	plain bool // it does not say how many tokens an answer took

	mu    sync.Mutex
	asked []question
	times map[string]int // asked, by prompt and seed
	now   int
	most  int // requests at a time
	list  string
}

// A question is what a request says.
type question struct {
	Path     string
	Key      string
	At       time.Time
	Raw      map[string]any
	Model    string  `json:"model"`
	Prompt   *string `json:"prompt"`
	Messages []struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	} `json:"messages"`
	Temperature float64         `json:"temperature"`
	TopP        float64         `json:"top_p"`
	MaxTokens   int             `json:"max_tokens"`
	Seed        uint64          `json:"seed"`
	Stop        []string        `json:"stop"`
	Format      json.RawMessage `json:"response_format"`
	Logprobs    any             `json:"logprobs"`
}

func (q *question) text() string {
	if q.Prompt != nil {
		return *q.Prompt
	}
	return q.Messages[len(q.Messages)-1].Content
}

// said is what the fake counts as read, a token a byte.
func (q *question) said() int {
	n := 0
	for _, m := range q.Messages {
		n += len(m.Content)
	}
	return max(n, len(q.text()))
}

func newFake(t testing.TB) *fake {
	f := &fake{times: map[string]int{}, list: `{"data":[{"id":"m","created":%d,"owned_by":"nobody"}]}`}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.Close)
	return f
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		if r.URL.Path != "/v1/models" {
			http.NotFound(w, r)
			return
		}
		f.mu.Lock()
		list := f.list
		f.mu.Unlock()
		if strings.Contains(list, "%d") {
			list = fmt.Sprintf(list, time.Now().UnixNano())
		}
		io.WriteString(w, list)
		return
	}
	b, err := io.ReadAll(r.Body)
	q := question{Path: r.URL.Path, Key: r.Header.Get("Authorization"), At: time.Now()}
	if err == nil {
		err = json.Unmarshal(b, &q)
	}
	if err == nil {
		err = json.Unmarshal(b, &q.Raw)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	id := fmt.Sprint(q.text(), q.Seed)
	f.mu.Lock()
	before := f.times[id]
	f.times[id]++
	f.asked = append(f.asked, q)
	f.now++
	f.most = max(f.most, f.now)
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.now--
		f.mu.Unlock()
	}()
	if f.delay != nil {
		time.Sleep(f.delay(&q))
	}
	if f.badly != nil && f.badly(w, r, &q, before) {
		return
	}
	f.answer(w, &q, "answer to "+q.text(), "stop")
}

func (f *fake) answer(w http.ResponseWriter, q *question, text, finish string) {
	choice := map[string]any{"finish_reason": finish}
	if q.Prompt != nil {
		choice["text"] = text
	} else {
		choice["message"] = map[string]any{"role": "assistant", "content": text}
	}
	m := map[string]any{"choices": []any{choice}}
	if !f.plain {
		m["usage"] = map[string]any{"prompt_tokens": q.said(), "completion_tokens": len(text), "total_tokens": 0}
	}
	json.NewEncoder(w).Encode(m)
}

func (f *fake) questions() []question {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.asked)
}

func refuse(w http.ResponseWriter, status int, text string) bool {
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(values{"error": values{"message": text}})
	return true
}

// hurried is a pace for tests: waits are there and short.
func hurried() pace {
	return pace{first: 4 * time.Millisecond, most: 20 * time.Millisecond, longest: 2 * time.Second, drain: 2 * time.Second, now: time.Now, random: rand.Float64}
}

type values = map[string]any

// client serves the plugin, whose server the fake is.
func client(t *testing.T) *sdktest.Conn {
	t.Helper()
	g := &generator{pace: hurried(), servers: newServers(time.Now), scorer: llama.NewScorer()}
	t.Cleanup(g.servers.close)
	return sdktest.Open(t, sdk.Plugin{Name: "openai", Version: "1.0.0", Stages: []sdk.Stage{generatorStage(g)}})
}

const kindOf = pluginv1.Kind_KIND_GENERATOR

func call(t *testing.T, c *sdktest.Conn, f *fake, more values) *pluginv1.Call {
	t.Helper()
	v := values{"base_url": f.URL + "/v1", "model_name": "m"}
	for name, x := range more {
		v[name] = x
	}
	pc := c.Call(t, kindOf, "openai", v)
	pc.Seed = 7
	return pc
}

func prompts(n int) (all []*sdk.Prompt) {
	for i := range n {
		all = append(all, &sdk.Prompt{Id: fmt.Sprint(i), Text: fmt.Sprintf("prompt %d", i)})
	}
	return all
}

// sampled is what a call of Generate gave.
type sampled struct {
	records  []*sdk.Record
	cursor   []byte
	usage    *pluginv1.Usage
	warnings []string
	metrics  map[string]float64
}

func generate(t *testing.T, c *sdktest.Conn, pc *pluginv1.Call, each func(*sdk.RecordBatch), sets ...*sdk.PromptSet) (out sampled, err error) {
	t.Helper()
	stream, err := c.Generator.Generate(t.Context())
	if err == nil {
		err = stream.Send(&sdk.GenerateRequest{Call: pc, Sets: sets})
	}
	if err == nil {
		err = stream.CloseSend()
	}
	if err != nil {
		t.Fatal(err)
	}
	for {
		e, err := stream.Recv()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		if b := e.GetBatch(); b != nil {
			out.records = append(out.records, b.Records...)
			out.cursor = b.Cursor
			if each != nil {
				each(b)
			}
		}
		if p := e.GetProgress(); p != nil {
			out.usage, out.metrics = p.Usage, p.Metrics
		}
		if d := e.GetDiagnostic(); d != nil {
			out.warnings = append(out.warnings, d.Summary+": "+d.Detail)
		}
	}
}

func set(n int) *sdk.PromptSet {
	return &sdk.PromptSet{Template: "t", Samples: uint64(n), Prompts: prompts(n)}
}

func complete(t *testing.T, c *sdktest.Conn, pc *pluginv1.Call, s *sdk.Sampling, ps ...*sdk.Prompt) (all []*sdk.Completion, err error) {
	t.Helper()
	stream, err := c.Generator.Complete(t.Context())
	if err == nil {
		err = stream.Send(&pluginv1.CompleteRequest{Call: pc, Sampling: s, Prompts: ps})
	}
	if err == nil {
		err = stream.CloseSend()
	}
	if err != nil {
		t.Fatal(err)
	}
	events, err := sdktest.All(stream)
	for _, e := range events {
		if d := e.GetCompletion(); d != nil {
			all = append(all, d)
		}
	}
	return all, err
}

// right looks whether samples from a number on are there, in order, whole, and with the tokens that the server reported.
func right(t *testing.T, got []*sdk.Record, from, n int) {
	t.Helper()
	if len(got) != n {
		t.Fatalf("%d samples, want %d", len(got), n)
	}
	for k, r := range got {
		p := fmt.Sprintf("prompt %d", from+k)
		if r.Prompt != p || r.Text != "answer to "+p || r.PromptTokens != uint64(len(p)) || r.CompletionTokens != uint64(len(r.Text)) {
			t.Fatalf("sample %d: %v", from+k, r)
		}
	}
}
