// Package neardup is the filter "neardup": it drops records that nearly repeat an earlier one, by MinHash with
// locality-sensitive hashing (Broder 1997; Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3).
//
// A document is the set of its shingles: runs of ngram_size words. The signature of a document keeps, for each of
// num_hashes hash functions, the least hash of its shingles; two signatures agree in a position with the probability
// that is the Jaccard similarity of the sets. Signatures are cut into bands, and a document is compared with the first
// kept document that shares a band with it. It is a near-duplicate when the similarity that the signatures show reaches
// similarity_threshold.
//
// The first of a group stays, in the order in which records come; records of reference count as kept. Verdicts depend
// on the records and their order alone, not on how they are cut into batches.
//
// Text is compared in lower case, letters and digits only; in scripts without spaces each character is a word. Text of
// fewer than 4·ngram_size words would have too few shingles of words: its shingles are runs of characters instead. So
// a text just below that length is never compared with one just above it.
//
// Caveats. The similarity is an estimate with a standard error of at most 1/(2·√num_hashes), 0.047 at 112. The chance
// that a pair exactly at the threshold shares a band is 0.95 or more, but a band belongs to the first document that had
// it, so a later document can be missed where an unlike one holds all the bands that it shares; that costs recall on
// chains of documents that resemble each other less than the threshold, and makes the work linear in the number of
// records: at most one comparison a band.
//
// Memory. A kept document costs its signature of one byte a hash, its identifier and 8 bytes, and at most 40 bytes a
// band in the index: at the defaults (112 hashes, 16 bands) 831 bytes with identifiers of 71 (measured: 600 to 800).
// max_memory_mb bounds the sum, the moments at which tables grow apart, and reaching it is an error, never a silent
// change of what counts as a duplicate.
package neardup

import (
	"errors"
	"fmt"
	"math"
)

// Bytes that a kept document costs besides its signature and its identifier.
const (
	entryBytes   = 8  // where the identifier ends
	bytesPerBand = 40 // a map entry of 8 + 4 bytes at the map's lowest load
)

// bands says how a signature is cut: bands of rows hashes each. Hashes that are left over are compared, not indexed.
type bands struct{ bands, rows int }

// cut picks the most selective bands, that is those with the most rows, under which a pair at the threshold still
// shares a band with a probability of 0.95 or more: 1 − (1 − tʳ)ᵇ ≥ 0.95. With one row there are as many bands as
// hashes; that is the last resort.
func cut(hashes int, threshold float64) bands {
	const recall = 0.95
	for rows := hashes; rows > 1; rows-- {
		b := hashes / rows
		if 1-math.Pow(1-math.Pow(threshold, float64(rows)), float64(b)) >= recall {
			return bands{b, rows}
		}
	}
	return bands{hashes, 1}
}

// Index holds the documents that were kept so far.
type Index struct {
	hasher    *hasher
	cut       bands
	threshold float64
	maxBytes  int64

	first      map[uint64]uint32 // band → first document that had it
	signatures []byte            // hashes bytes a document
	ids        []byte
	idEnds     []int // identifier i is ids[idEnds[i]:idEnds[i+1]]
}

// ErrMemory says that the index would need more memory than it may take.
var ErrMemory = errors.New("the index of near-duplicates is full")

// New makes an empty index. The configuration must be valid.
func New(c Config) *Index {
	return &Index{
		hasher:    newHasher(c.NumHashes, c.NgramSize),
		cut:       cut(c.NumHashes, c.SimilarityThreshold),
		threshold: c.SimilarityThreshold,
		maxBytes:  int64(c.MaxMemoryMB * (1 << 20)),
		first:     map[uint64]uint32{},
		idEnds:    []int{0},
	}
}

// Len is the number of documents in the index.
func (x *Index) Len() int { return len(x.idEnds) - 1 }

// Bytes bounds the memory that the index takes.
func (x *Index) Bytes() int64 {
	return int64(len(x.signatures)) + int64(len(x.ids)) + int64(x.Len())*entryBytes + int64(len(x.first))*bytesPerBand
}

// Match is what an index knew of a text.
type Match struct {
	Duplicate  bool
	Of         string  // identifier of the kept document that it nearly repeats
	Similarity float64 // estimated, to the most alike document that it was compared with; 0 when to none
}

// Add looks for a kept document that text nearly repeats; where there is none, the text is kept under id.
func (x *Index) Add(id, text string) (Match, error) {
	sig := x.hasher.signature(text)
	keys := x.keys(sig)
	compact := fold(sig)
	best, at := 0.0, -1
	last := uint32(math.MaxUint32)
	for _, k := range keys {
		doc, ok := x.first[k]
		if !ok || doc == last {
			continue
		}
		last = doc
		if s := x.similarity(compact, int(doc)); s > best {
			best, at = s, int(doc)
		}
	}
	if at >= 0 && best >= x.threshold {
		return Match{true, string(x.ids[x.idEnds[at]:x.idEnds[at+1]]), best}, nil
	}
	return Match{Similarity: best}, x.keep(id, compact, keys)
}

// keep puts a document into the index. A band that another document had first stays with that one.
func (x *Index) keep(id string, compact []byte, keys []uint64) error {
	more := int64(len(compact)+len(id)+entryBytes) + int64(len(keys))*bytesPerBand
	if x.Bytes()+more > x.maxBytes || x.Len() == math.MaxUint32 {
		return fmt.Errorf("%w: %d documents take %d MiB; raise max_memory_mb, or filter more before this filter",
			ErrMemory, x.Len(), x.Bytes()>>20)
	}
	doc := uint32(x.Len())
	for _, k := range keys {
		if _, taken := x.first[k]; !taken {
			x.first[k] = doc
		}
	}
	x.signatures = append(x.signatures, compact...)
	x.ids = append(x.ids, id...)
	x.idEnds = append(x.idEnds, len(x.ids))
	return nil
}

// keys hashes each band of a signature, with the band's number.
func (x *Index) keys(sig []uint64) []uint64 {
	out := make([]uint64, x.cut.bands)
	for b := range out {
		h := uint64(b) + 1
		for _, v := range sig[b*x.cut.rows : (b+1)*x.cut.rows] {
			h = mix(h ^ v)
		}
		out[b] = h
	}
	return out
}

// similarity estimates the Jaccard similarity of a signature and a kept document's: the share of positions that agree,
// less those of one byte that agree by chance (b-bit minwise hashing, Li and König 2010).
func (x *Index) similarity(compact []byte, doc int) float64 {
	k := len(compact)
	agree := 0
	for i, v := range x.signatures[doc*k : (doc+1)*k] {
		if v == compact[i] {
			agree++
		}
	}
	const chance = 1.0 / 256
	return max(0, (float64(agree)/float64(k)-chance)/(1-chance))
}

// fold keeps one byte of each hash. The hashes of a signature are least values, small numbers whose high bits are
// mostly zero, so they are mixed first.
func fold(sig []uint64) []byte {
	out := make([]byte, len(sig))
	for i, v := range sig {
		out[i] = byte(mix(v) >> 56)
	}
	return out
}
