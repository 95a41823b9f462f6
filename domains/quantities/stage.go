package quantities

import (
	"context"

	"jupiter/plugins/sdk"
)

// Plugin is the domain's own plugin, which serves its verifier.
func Plugin(version string) sdk.Plugin {
	return sdk.Plugin{Name: "quantities", Version: version, Stages: []sdk.Stage{Stage()}}
}

// Stage is the verifier "quantities". An item with a prompt is a solution of that prompt; an item without one is a
// whole example, which the judgement splits into question and answer. References are not needed and not read.
func Stage() sdk.Stage {
	return sdk.Verifier("quantities", sdk.Options{
		Description:   "Checks every step and the answer of worked examples in units and dates.",
		Revision:      1,
		Deterministic: true,
		Concurrent:    true,
	}, func(context.Context, *sdk.Call, struct{}) (func([]*sdk.VerifyItem) ([]*sdk.Judgement, error), error) {
		return verify, nil
	})
}

func verify(items []*sdk.VerifyItem) ([]*sdk.Judgement, error) {
	out := make([]*sdk.Judgement, len(items))
	for i, it := range items {
		j := Judge(it.GetPrompt(), it.GetText())
		out[i] = &sdk.Judgement{
			Id:         it.GetId(),
			WellFormed: j.WellFormed,
			Consistent: j.Consistent,
			StepsOk:    j.StepsOK,
			AnswerOk:   j.AnswerOK,
			Reason:     j.Reason,
			Key:        j.Key,
			Family:     j.Family,
			Question:   j.Question,
			Answer:     j.Answer,
		}
	}
	return out, nil
}
