// Package seal keeps the benchmark out of the training data.
//
// An Index is built from the benchmark's items when they are first sealed. Every collected, generated and mixed sample,
// every prompt template and every few-shot example is checked against it before it can enter a mix, and what hits is
// dropped and counted. Nothing switches the check off.
//
// How a sample is checked:
//
//   - A sample with a canonical key, in a domain whose items have keys, is judged by the key alone. The verifier that
//     gave it knows which questions are the same, and text does not: worked examples share most of their figures.
//   - Any other sample is judged by its text: equal to a question or an item once case, white space and outer
//     punctuation are gone; sharing 13 words in a row with an item (Brown et al., 2020), or all words of an item of 8 to
//     12 words; or holding half of the 5-word shingles of an item, edits between them or not.
//   - Documents that an item names as evidence may be trained on, so their text does not hit that item.
//
// Words are runs of letters and digits, lower-cased; punctuation is none. They are words and not a model's tokens:
// 13 tokens of arithmetic occur in most correct examples of the same task. Runs of words without a single letter are
// not indexed for the same reason.
//
// Caveats: a paraphrase that keeps fewer than half of the shingles is not seen, nor is a translation. A benchmark with
// instructions of 13 words or more before each question matches every template that has them: keep instructions out of
// items. The index holds hashes of 64 bits (keys: 128); with a million indexed words and a billion checked ones, a false
// hit has a chance of about 1 in 20,000.
//
// Memory: 32 bytes an indexed word; a check needs memory in proportion to the sample alone.
package seal
