package runtime

import (
	"jupiter/plan/config"
	"jupiter/plan/forecast"
)

// What a model from elsewhere computes for a token, for each byte of its files: an operation for each parameter and one more,
// three times as much in training, and a byte or two for a parameter. What is wrong in that is the same each time, and the history
// corrects it; that a model is a thousand times larger than another one is not wrong in it.
const (
	flopPerByte    = 2
	flopPerTrained = 3
)

// imported adds operations, by the size of a model from elsewhere in bytes, to the work of a stage whose cost model says nothing of them.
func (p *probe) imported(w forecast.Work, from *config.Import, perByte float64) forecast.Work {
	if from == nil || w.Flop > 0 {
		return w
	}
	bytes, err := once(p, "size of "+from.Path, func() (int64, error) { return sizeOf(from.Path) })
	if err != nil || bytes == 0 {
		return w // that it cannot be read is said where it is read
	}
	w.Flop = perByte * float64(bytes) * (w.PromptTokens + w.CompletionTokens)
	return w
}
