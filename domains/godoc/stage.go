package godoc

import (
	"context"
	"fmt"
	"sync"

	pluginv1 "jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
)

// Config is the configuration of the verifier.
type Config struct {
	Goroot  string `jupiter:"goroot,required,effect=none" desc:"The Go installation whose standard library is checked against. Its version must be the one below."`
	Version string `jupiter:"version,required" desc:"The version of Go that the data were made of, such as go1.26.1."`
}

// Check looks for the Go installation.
func (c Config) Check(context.Context) []*sdk.Finding {
	f := &sdk.Finding{Subject: "goroot", Level: pluginv1.Finding_LEVEL_OK, Detail: fmt.Sprintf("%s is %s", c.Goroot, c.Version)}
	if _, err := OpenLibrary(c.Goroot, c.Version); err != nil {
		f.Level, f.Detail = pluginv1.Finding_LEVEL_PROBLEM, err.Error()
	}
	return []*sdk.Finding{f}
}

// Plugin is the domain's own plugin, which serves its verifier.
func Plugin(version string) sdk.Plugin {
	return sdk.Plugin{Name: "godoc", Version: version, Stages: []sdk.Stage{Stage()}}
}

// Stage is the verifier "godoc". An item with a reference is an answer to a question of the benchmark. Any other is an example: with a
// prompt that ends with the doc comment, or whole.
func Stage() sdk.Stage {
	libraries := &shelf{open: map[Config]*Library{}}
	return sdk.Verifier("godoc", sdk.Options{
		Description:   "Parses Go declarations and type-checks them in the package that they name.",
		Revision:      1,
		Deterministic: true,
		Concurrent:    true,
	}, func(_ context.Context, _ *sdk.Call, c Config) (func([]*sdk.VerifyItem) ([]*sdk.Judgement, error), error) {
		l, err := libraries.library(c)
		if err != nil {
			return nil, err
		}
		return func(items []*sdk.VerifyItem) ([]*sdk.Judgement, error) { return verify(l, items), nil }, nil
	})
}

// shelf keeps libraries for the calls to come: to load the packages takes seconds.
type shelf struct {
	mu   sync.Mutex
	open map[Config]*Library
}

func (s *shelf) library(c Config) (*Library, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l, ok := s.open[c]; ok {
		return l, nil
	}
	l, err := OpenLibrary(c.Goroot, c.Version)
	if err == nil {
		s.open[c] = l
	}
	return l, err
}

// verify judges items. None has a key: the seal then compares the texts themselves, which finds copies of a held-out comment under
// another name too.
func verify(l *Library, items []*sdk.VerifyItem) []*sdk.Judgement {
	out := make([]*sdk.Judgement, len(items))
	for i, it := range items {
		var j Judgement
		if it.GetReference() != "" {
			j = l.Answer(it.GetPrompt(), it.GetText(), it.GetReference())
		} else {
			j = l.Judge(it.GetPrompt(), it.GetText())
		}
		out[i] = &sdk.Judgement{
			Id: it.GetId(), WellFormed: j.WellFormed, Consistent: j.Consistent, StepsOk: j.Consistent, AnswerOk: j.Compiles,
			Reason: j.Reason, Family: j.Family,
		}
		if it.GetPrompt() == "" {
			out[i].Question, out[i].Answer = j.Question, j.Answer
		}
	}
	return out
}
