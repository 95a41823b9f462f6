package llama

import (
	"testing"

	pluginv1 "jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

// TestEstimatesOfAMadeModel: a generator and an exporter that are told which trainer makes the model know its size, and
// all figures grow with the work.
func TestEstimatesOfAMadeModel(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, Plugin("1.0.0"))
	maker := &sdk.ModelMaker{Stage: "llama", Config: conn.Config(t, pluginv1.Kind_KIND_TRAINER, "llama", map[string]any{"layers": 3, "dim": 64, "heads": 4})}
	ask := func(kind pluginv1.Kind, items uint64, m *sdk.ModelMaker) *sdk.EstimateResponse {
		e, err := conn.Plugin.Estimate(t.Context(), &sdk.EstimateRequest{Kind: kind, Stage: "llama", Items: items, PromptBytes: 30, Maker: m, Config: conn.Config(t, kind, "llama", nil)})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	one, ten := ask(pluginv1.Kind_KIND_GENERATOR, 100, maker), ask(pluginv1.Kind_KIND_GENERATOR, 1000, maker)
	if ten.Flop != 10*one.Flop || ten.MaxCompletionTokens != 256*1000 || ten.CompletionTokens != 128*1000 || ten.PromptTokens != 11*1000 {
		t.Errorf("1,000 samples: %v; 100: %v", ten, one)
	}
	if per := one.Flop / (one.PromptTokens + one.CompletionTokens); per < 2*150e3 || per > 2*220e3+4*3*128*64 {
		t.Errorf("%.0f operations a token of a model of about 180,000 parameters", per)
	}
	if e := ask(pluginv1.Kind_KIND_GENERATOR, 100, nil); e.Flop != 0 || e.PeakMemoryBytes != 0 || e.MaxCompletionTokens == 0 {
		t.Errorf("of a model of which nothing is known: %v", e)
	}
	if e := ask(pluginv1.Kind_KIND_EXPORTER, 1, maker); e.BytesWritten < 4*150e3 || e.BytesWritten > 4*220e3 {
		t.Errorf("an export of %.0f bytes", e.BytesWritten)
	}
}

// TestGenerateCountsWhatItUses: the tokens of a call are reported with its progress, and at its limit it ends.
func TestGenerateCountsWhatItUses(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, Plugin("1.0.0"))
	generate := func(limit *pluginv1.Limit) (samples, tokens uint64) {
		call := conn.Call(t, pluginv1.Kind_KIND_GENERATOR, "llama", map[string]any{"batch_size": 4, "max_tokens": 20})
		call.Limit = limit
		stream, err := conn.Generator.Generate(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(&pluginv1.GenerateRequest{Call: call, Model: shipped(t, 3), Sets: []*sdk.PromptSet{{Template: "t", Samples: 60}}}); err != nil {
			t.Fatal(err)
		}
		if err := stream.CloseSend(); err != nil {
			t.Fatal(err)
		}
		events, err := sdktest.All(stream)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			samples += uint64(len(e.GetBatch().GetRecords()))
			if u := e.GetProgress().GetUsage(); u != nil {
				tokens = u.PromptTokens + u.CompletionTokens
			}
		}
		return samples, tokens
	}
	if samples, tokens := generate(nil); samples != 60 || tokens < 60 || tokens > 60*21 {
		t.Errorf("%d samples, %d tokens", samples, tokens)
	}
	if samples, tokens := generate(&pluginv1.Limit{Tokens: 200}); samples >= 60 || tokens < 200 || tokens > 220 {
		t.Errorf("with a limit of 200 tokens: %d samples, %d tokens", samples, tokens)
	}
	if samples, tokens := generate(&pluginv1.Limit{Usd: 2, UsdPerCompletionToken: 0.01}); samples >= 60 || tokens < 200 || tokens > 260 {
		t.Errorf("with two dollars at a cent a token: %d samples, %d tokens", samples, tokens)
	}
}
