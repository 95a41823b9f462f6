package openai

import "jupiter/plugins/sdk"

// Estimate forecasts texts: half of max_tokens is expected, all of it at most. What a server needs is not known here.
func (c config) Estimate(req *sdk.EstimateRequest) (*sdk.EstimateResponse, error) {
	n, most := float64(req.GetItems()), float64(c.MaxTokens)
	out := &sdk.EstimateResponse{
		PromptTokens:     n*(1+req.GetPromptBytes()/bytesPerToken) + req.GetScoredBytes()/bytesPerToken,
		CompletionTokens: n * most / 2, MaxCompletionTokens: n * most,
	}
	out.BytesWritten = out.CompletionTokens * bytesPerToken
	return out, nil
}
