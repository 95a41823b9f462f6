package sdk_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pluginv1 "jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

// silent is a generator that knows no likelihoods.
type silent struct{}

func (silent) Generate(context.Context, *sdk.Call, config, *sdk.GenerateRequest, func(*sdk.RecordBatch) error) error {
	return nil
}

func (silent) Complete(context.Context, *sdk.Call, config, *sdk.Artifact, *sdk.Sampling, []*sdk.Prompt, func(*sdk.Completion) error) error {
	return nil
}

// misspelt would score, were its configuration that of the stage.
type misspelt struct{ silent }

func (misspelt) Score(context.Context, *sdk.Call, struct{}, *sdk.Artifact, []*sdk.LikelihoodItem, func(*sdk.LikelihoodEvent) error) error {
	return nil
}

// TestScorer: a generator has the feature exactly if it has the method, and one that names it without is refused.
func TestScorer(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, sdk.Plugin{Name: "test", Version: "0.1.0", Stages: []sdk.Stage{
		sdk.Generator("g", sdk.Options{}, generator{}), sdk.Generator("s", sdk.Options{}, silent{}),
	}})
	info, err := conn.Plugin.Info(t.Context(), &pluginv1.InfoRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if g, s := info.Stages[0].Features, info.Stages[1].Features; !slices.Equal(g, []string{"score", "stream"}) || len(s) != 0 {
		t.Errorf("features %v of a stage that scores, and %v of one that does not", g, s)
	}
	stream, err := conn.Generator.Score(t.Context())
	if err == nil {
		err = stream.Send(&pluginv1.LikelihoodRequest{Call: conn.Call(t, generatorKind, "s", nil)})
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sdktest.All(stream); status.Code(err) != codes.Unimplemented {
		t.Errorf("a generator that scores nothing: %v", err)
	}
	defer func() {
		if said := fmt.Sprint(recover()); !strings.Contains(said, `names the feature "score", and sdk_test.misspelt is no sdk.Scorer[sdk_test.config]`) {
			t.Errorf("a method of another signature: %s", said)
		}
	}()
	sdk.Generator("m", sdk.Options{Features: []string{"score", "stream"}}, misspelt{})
}
