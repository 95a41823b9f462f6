// Package gate decides whether a student replaces the generator.
//
// The question is not "did the student score 5 % more this time" but "is the student better, whatever chance did, and
// however often we ask". Challenger and incumbent answer the same items in the same run; the test is paired; and the
// same pool of items may be used again and again because each use, a look, pays for itself out of one budget alpha for
// the whole life of a cycle address. NeedsGate says whether a look is worth spending; Decide takes it and decides.
//
// Why a pool may be used again: outside the pool, challenger and incumbent depend on nothing of it but the history of
// verdicts, because only the verdict goes back into the loop. Before look k there have been m promotions in one of
// C(k−1, m) orders, so Alpha divides what look k may spend by their number, and the union bound over all looks and all
// histories adds up to alpha at most. It is the idea of the Ladder (Blum and Hardt, 2015). Whoever shows gate items or
// their scores to the loop, or to a person who then changes the configuration, breaks it: the pool is then spent.
//
// Caveats:
//
//   - alpha bounds the chance of ever promoting a student that is no better, in mean score over items like those of
//     the pool. It says nothing about text unlike the pool.
//   - "Better with confidence; best estimate +7.8 %" is what a promotion proves. That the gain is at least the
//     threshold with confidence is proved in strict mode alone.
//   - The conditions on components bound each at Policy.Alpha per look, and are not part of the budget: they can only
//     turn a promotion away.
//   - A figure that is absent holds, unless it is declared unavailable with a reason; then the decision says so.
//
// The package is pure: no input, no output, no clock, no randomness. A decision is replayable from stored items.
package gate
