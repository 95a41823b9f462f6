// Package mix decides what a training window sees: an ordered list of draws, a pure function of the records, the
// shares and a seed.
//
// Real data is the anchor that keeps the loop from collapsing onto itself, so its share is a rule here and not an
// option of a trainer. Plan draws with replacement; shares hold over draws, within one draw a bucket at every prefix of
// the list before blocks are shuffled, and so within one draw at the end of every block. What cannot be drawn at the
// configured shares is refused or, where asked, shortened to fewer whole blocks; shares never move.
//
// Pool holds the synthetic records that may be drawn: verified, deduplicated against the real data and each other,
// accumulating over generations up to a cap, and free of what withdrawn generators wrote. Deduplication against the
// sealed benchmark is package seal's.
//
// Caveats: a share over draws is not a share over tokens, so both are reported. With replacement and no MaxRepeats a
// handful of records would satisfy any share; MinRecords says how few are too few.
package mix
