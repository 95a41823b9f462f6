// Package openai lets models answer that a server runs: any server with OpenAI's HTTP interface, on this machine or
// elsewhere, such as llama-server, Ollama, vLLM, LM Studio, mlx_lm.server and the hosted ones.
//
//	prompts ── request.go ──► run.go ──► client.go ──► server        base_url, or one that serve.go starts
//	                            │ ▲
//	               batches ◄────┘ └── pace.go: how many at once, how long to wait
//
// Which model answers. A call with a model of ours, a GGUF file, is answered by the server that the block serve starts on
// that file; so what a trainer made and an exporter wrote is what is asked, and what a promotion brings is served from the
// next call on. A call without one is answered at base_url, or else by the server of serve without a file.
//
// How it is asked. A prompt with a system message is a chat. One without is the beginning of a text for a GGUF file of ours,
// and the one message of a chat for a model of a server: the one was trained to go on, the other to answer.
//
// Order, and what is paid for. Answers come in any order and are given on in that of the prompts, with a cursor behind each
// batch; nothing is asked far ahead of the first answer that is missing. What a crash costs are requests in work and what
// was not given on yet. Each answer's tokens are those that the server reports; a server that reports none is believed to
// have used a token for four bytes, with a warning.
//
// What it refuses. An answer that is no answer is an error with the server's own words. What may pass (too many requests, a
// server that starts, a broken connection, a body that was cut off) is asked for again, a bounded number of times.
//
// Likelihoods. A server does not give those of texts that it has not written. Those of a GGUF file come from the embedded
// engine on the same file, and say so; those of a model of a server are not to be had. With api = "chat" the engine reads what
// llama-server says that it makes of a prompt by the model's template; another server's models are not scored then.
package openai

import (
	"math/rand/v2"
	"time"

	"jupiter/plugins/builtin/llama"
	"jupiter/plugins/sdk"
)

// Plugin serves the generator.
func Plugin(version string) sdk.Plugin {
	return sdk.Plugin{Name: "openai", Version: version, Stages: []sdk.Stage{generatorStage(&generator{
		pace: defaultPace(), servers: newServers(time.Now), scorer: llama.NewScorer(),
	})}}
}

// defaultPace is how long is waited in earnest.
func defaultPace() pace {
	return pace{first: 500 * time.Millisecond, most: time.Minute, longest: 10 * time.Minute, drain: 20 * time.Second, now: time.Now, random: rand.Float64}
}

func generatorStage(g *generator) sdk.Stage {
	return sdk.Generator("openai", sdk.Options{
		Description:  "Asks a server with OpenAI's HTTP interface: llama-server, Ollama, vLLM, LM Studio, mlx_lm.server or a hosted one.",
		Revision:     2,
		Resumable:    true,
		NeedsNetwork: true,
		Concurrent:   true,
		Consumes:     []string{sdk.GGUFMediaType},
		Produces:     []string{sdk.RecordsMediaType},
		Features:     []string{"score", "json_schema"},
	}, g)
}
