package llama

import "math"

// explosion watches the loss of a run for one that has left the range in which models learn. A guess among V tokens costs ln V
// nats; a model that costs a quarter more than that over many steps knows less than nothing, and does not come back to what it
// knew. The best of the run so far counts too: an imported model may begin above ln V on text that is strange to it.
type explosion struct {
	guess float64 // ln V
	last  [explosionSteps]float64
	n     int
	best  float64 // least mean of explosionSteps steps
}

const (
	explosionSteps = 20
	aboveGuess     = 1.25
	aboveBest      = 1.5
)

func newExplosion(vocab int) *explosion {
	return &explosion{guess: math.Log(float64(vocab)), best: math.Inf(1)}
}

// step takes the loss of one more step in nats a token. It gives the mean of the last explosionSteps steps, and whether the loss
// has exploded.
func (e *explosion) step(loss float64) (mean float64, exploded bool) {
	e.last[e.n%explosionSteps] = loss
	if e.n++; e.n < explosionSteps {
		return 0, false
	}
	for _, l := range e.last {
		mean += l / explosionSteps
	}
	e.best = min(e.best, mean)
	return mean, mean > aboveGuess*e.guess && mean > aboveBest*e.best
}
