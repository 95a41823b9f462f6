package main

import (
	"strings"
	"testing"

	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

type m = map[string]any

// judged sends records through the filter over the real protocol, and gives "" or the reason of each verdict.
func judged(t *testing.T, config m, records ...*sdk.Record) (reasons []string, metrics map[string]float64) {
	t.Helper()
	conn := sdktest.Open(t, plugin)
	stream, err := conn.Filter.Filter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	call := conn.Call(t, pluginv1.Kind_KIND_FILTER, "wordfilter", config)
	for _, req := range []*pluginv1.FilterRequest{
		{Message: &pluginv1.FilterRequest_Call{Call: call}},
		{Message: &pluginv1.FilterRequest_Batch{Batch: &sdk.RecordBatch{Records: records}}},
	} {
		if err := stream.Send(req); err != nil {
			t.Fatal(err)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	events, err := sdktest.All(stream)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if p := e.GetProgress(); p != nil {
			metrics = p.Metrics
		}
		for _, v := range e.GetVerdicts().GetVerdicts() {
			reasons = append(reasons, v.GetReason())
			if v.GetKeep() != (v.GetReason() == "") {
				t.Errorf("a record is kept with the reason %q", v.GetReason())
			}
		}
	}
	return reasons, metrics
}

func TestRules(t *testing.T) {
	t.Parallel()
	imperial := []m{{"reason": "imperial", "words": []string{"lb", "STONE", "fl oz"}}}
	for _, tc := range []struct {
		config m
		text   string
		want   string
	}{
		{m{"rules": imperial}, "6kg", ""},
		{m{"rules": imperial}, "3*14=42;42+6=48;48lb", "imperial"}, // a digit beside letters is another word
		{m{"rules": imperial}, "48lbs", ""},
		{m{"rules": imperial}, "álb", ""},
		{m{"rules": imperial}, "a Stone.", "imperial"},
		{m{"rules": imperial}, "12 FL OZ", "imperial"},
		{m{"rules": imperial, "ignore_case": false}, "a Stone.", ""},
		{m{"rules": imperial, "whole_words": false}, "48lbs", "imperial"},
		{m{"rules": []m{{"reason": "zeros", "patterns": []string{"0{4,}"}}}}, "1000", ""},
		{m{"rules": []m{{"reason": "zeros", "patterns": []string{"0{4,}"}}}}, "10000", "zeros"},
		{m{"rules": []m{{"reason": "year", "patterns": []string{`\b(19|20)\d\d\b`}, "at_least": 2}}}, "in 1999", ""},
		{m{"rules": []m{{"reason": "year", "patterns": []string{`\b(19|20)\d\d\b`}, "at_least": 2}}}, "1999 or 2001", "year"},
		{m{"rules": []m{{"reason": "thirteen", "words": []string{"13"}}}}, "130", ""},
		{m{"rules": []m{{"reason": "first", "words": []string{"b"}}, {"reason": "second", "words": []string{"a"}}}}, "a b", "first"},
		{m{"rules": imperial}, "", ""},
	} {
		if got, _ := judged(t, tc.config, &sdk.Record{Text: tc.text}); len(got) != 1 || got[0] != tc.want {
			t.Errorf("%v on %q: %q, want %q", tc.config, tc.text, got, tc.want)
		}
	}
}

func TestWhereItLooks(t *testing.T) {
	t.Parallel()
	rules := []m{{"reason": "bad", "words": []string{"bad"}}}
	records := []*sdk.Record{
		{Prompt: "bad", Text: "good"},
		{Messages: []*sdk.Message{{Role: "user", Content: "bad"}, {Role: "assistant", Content: "good", Train: true}}},
		{Messages: []*sdk.Message{{Role: "user", Content: "good"}, {Role: "assistant", Content: "bad", Train: true}}},
	}
	got, counts := judged(t, m{"rules": rules}, records...)
	if strings.Join(got, ",") != ",,bad" || counts["bad"] != 1 {
		t.Errorf("%q, counts %v", got, counts)
	}
	if got, _ := judged(t, m{"rules": rules, "prompts": true}, records...); strings.Join(got, ",") != "bad,bad,bad" {
		t.Errorf("with prompts: %q", got)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]rule{
		"":                             {Reason: "ok", Words: []string{"a"}},
		"No reason":                    {Reason: "Not OK", Words: []string{"a"}},
		"Empty rule":                   {Reason: "ok"},
		"Empty word":                   {Reason: "ok", Words: []string{" "}},
		"Negative count":               {Reason: "ok", Words: []string{"a"}, AtLeast: -1},
		"No regular expression":        {Reason: "ok", Patterns: []string{"("}},
		"Pattern that matches nothing": {Reason: "ok", Patterns: []string{"a*"}},
	} {
		got := ""
		if d := (config{Rules: []rule{r}}).Validate(); len(d) > 0 {
			got = d[0].GetSummary()
		}
		if got != want {
			t.Errorf("%+v: %q, want %q", r, got, want)
		}
	}
	twice := config{Rules: []rule{{Reason: "a", Words: []string{"x"}}, {Reason: "a", Words: []string{"y"}}}}
	if d := twice.Validate(); len(d) != 1 || d[0].GetSummary() != "Reason used twice" {
		t.Errorf("%v", d)
	}
}
