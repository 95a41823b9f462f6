// Package guard measures whether a generator is collapsing onto itself, and says when to stop.
//
// A loop that trains on its own output can fail in two ways that look nothing alike. Without filter and anchor every
// generation gets worse while diversity hardly moves; with a strict filter and without the anchor the pass rate rises
// while the model forgets the real distribution. So the guard watches two families of measures together: what raw
// samples at temperature 1 look like (4-gram entropy, distinct-4, compression ratio, duplicates, verifier pass rate,
// task families), and how well the model still predicts held-out real text (bits per byte).
//
// Caveats:
//
//   - n-gram measures depend on how much text they are taken from. Metrics therefore hold a rarefaction curve, each
//     measure at a fixed grid of token counts, and Assess compares two models at the largest token count that both
//     reach. A comparison at unequal length cannot be written with this package.
//   - The default limits were measured on the default domain. Until Calibrate has run on a domain's own samples, its
//     limits warn and do not halt.
//   - A window without synthetic samples (a control arm) is reported and never halts: overfitting raises its
//     held-out loss too, and there is no loop that could collapse.
//   - A figure that could not be measured is a finding with the level Unavailable and its reason. It is never a pass.
//
// The package is pure: no input, no output, no clock, and no randomness but the seed given to Calibrate.
package guard
