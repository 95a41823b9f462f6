//go:build linux

package conformance

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// newServer is a server with OpenAI's interface, for the generator that asks one: its model writes words that follow from
// the prompt and the seed, ends where it is told to, and fits a JSON schema. It gives its address.
func newServer(t *testing.T) string {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/models", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"data":[{"id":"m"}]}`)
	})
	mux.HandleFunc("POST /v1/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Messages    []struct{ Content string }
			Seed        uint64
			Temperature float64
			MaxTokens   int `json:"max_tokens"`
			Stop        []string
			Format      any `json:"response_format"`
		}
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || len(q.Messages) == 0 {
			http.Error(w, "no question", http.StatusBadRequest)
			return
		}
		if q.Temperature == 0 {
			q.Seed = 0
		}
		prompt := q.Messages[len(q.Messages)-1].Content
		text, finish, tokens := words(fmt.Sprint(prompt, q.Seed), q.MaxTokens)
		if q.Format != nil {
			text, finish, tokens = `{"answer": 5}`, "stop", 7
		}
		for _, s := range q.Stop {
			if before, _, found := strings.Cut(text, s); found {
				text, finish = before, "stop"
			}
		}
		json.NewEncoder(w).Encode(map[string]any{
			"choices": []any{map[string]any{"message": map[string]any{"content": text}, "finish_reason": finish}},
			"usage":   map[string]any{"prompt_tokens": len(prompt) + 1, "completion_tokens": tokens},
		})
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

// words are up to 20 of a text's own, a token each.
func words(of string, most int) (text, finish string, n int) {
	h := fnv.New64a()
	h.Write([]byte(of))
	x := h.Sum64()
	n, finish = int(5+x%16), "stop"
	if n > most {
		n, finish = most, "length"
	}
	for range n {
		x = x*6364136223846793005 + 1442695040888963407
		text += fmt.Sprintf("w%d ", x>>57)
	}
	return strings.TrimSpace(text), finish, n
}
