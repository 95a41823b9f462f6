package quality

import (
	"context"
	"strings"

	"jupiter/plugins/sdk"
)

// Plugin serves the filter.
func Plugin(version string) sdk.Plugin {
	return sdk.Plugin{Name: "quality", Version: version, Stages: []sdk.Stage{Stage()}}
}

// Stage is the filter "quality".
func Stage() sdk.Stage {
	return sdk.Filter("quality", sdk.Options{
		Description:   "Drops text that breaks the field's quality heuristics: Gopher, FineWeb, The Stack.",
		Revision:      1,
		Deterministic: true,
		Concurrent:    true,
	}, func(_ context.Context, c *sdk.Call, cfg Config) (sdk.Judge, error) {
		language := cfg.Language
		if language == "" {
			language = c.Domain.GetLanguage()
		}
		return &judge{cfg: cfg, language: language}, nil
	})
}

type judge struct {
	cfg      Config
	language string
}

// Refer does nothing: a text's quality does not depend on other texts.
func (j *judge) Refer([]*sdk.Record) error { return nil }

func (j *judge) Judge(records []*sdk.Record) ([]*sdk.Verdict, error) {
	out := make([]*sdk.Verdict, len(records))
	for i, r := range records {
		f := j.cfg.Judge(written(r), j.language)
		out[i] = &sdk.Verdict{Id: r.GetId(), Keep: f.Rule == "", Score: f.Score, Reason: f.Rule}
	}
	return out, nil
}

// written is what a record adds to the training data: its text, or the messages that count toward the loss, or all
// messages where none is marked.
func written(r *sdk.Record) string {
	if len(r.GetMessages()) == 0 {
		return r.GetText()
	}
	var marked, all []string
	for _, m := range r.GetMessages() {
		all = append(all, m.GetContent())
		if m.GetTrain() {
			marked = append(marked, m.GetContent())
		}
	}
	if marked == nil {
		marked = all
	}
	return strings.Join(marked, "\n\n")
}
