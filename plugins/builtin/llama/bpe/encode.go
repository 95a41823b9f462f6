package bpe

// Encode gives the tokens of text, without BOS or EOS. It never gives a special token. Bytes that the vocabulary has no token for
// are left out.
func (t *Tokenizer) Encode(text string) []int32 {
	var j joiner
	out := make([]int32, 0, len(text)/3+1)
	for piece := range t.split.Pieces(text) {
		if t.split == Llama3 {
			if id, ok := t.ids[piece]; ok {
				out = append(out, id)
				continue
			}
		}
		out = j.join(t, piece, out)
	}
	return out
}

// Sequence gives the tokens of a text as a model reads it: BOS where a text begins with it, then the text. There is always a
// token to go on from: nothing at all is BOS.
func (t *Tokenizer) Sequence(text string) []int32 {
	ids := t.Encode(text)
	if t.noBOS && len(ids) > 0 {
		return ids
	}
	return append([]int32{t.bos}, ids...)
}

// A joiner applies merges to one piece: the lowest rank first, and of equal ranks the leftmost. The symbols are a
// doubly linked list, the possible merges a heap, so a piece of n bytes takes O(n log n) however long it is. The
// zero value is ready; it is kept from piece to piece for its memory.
type joiner struct {
	id         []int32 // by position; None where the symbol was joined to its left neighbour
	prev, next []int32
	open       heap[candidate]
}

// A candidate may have become void when it is taken: then its pair is no longer at its place.
type candidate struct {
	rank, at int32
	pair     pair
}

//lint:ignore U1000 heap calls it through its type parameter, which the linter does not see
func (c candidate) before(d candidate) bool {
	return c.rank < d.rank || c.rank == d.rank && c.at < d.at
}

func (j *joiner) join(t *Tokenizer, piece string, out []int32) []int32 {
	j.id, j.prev, j.next, j.open = j.id[:0], j.prev[:0], j.next[:0], j.open[:0]
	for i := range len(piece) {
		if id := t.bytes[piece[i]]; id != None {
			n := int32(len(j.id))
			j.id, j.prev, j.next = append(j.id, id), append(j.prev, n-1), append(j.next, n+1)
		}
	}
	n := len(j.id)
	for i := range n - 1 {
		j.offer(t, int32(i))
	}
	for len(j.open) > 0 {
		c := j.open.pop()
		right := j.next[c.at]
		if int(right) >= n || j.id[c.at] != c.pair.left || j.id[right] != c.pair.right {
			continue
		}
		j.id[c.at] = t.ranks[c.pair].id
		j.id[right] = None
		after := j.next[right]
		j.next[c.at] = after
		if int(after) < n {
			j.prev[after] = c.at
			j.offer(t, c.at)
		}
		if before := j.prev[c.at]; before >= 0 {
			j.offer(t, before)
		}
	}
	for i := int32(0); int(i) < n; i = j.next[i] {
		out = append(out, j.id[i])
	}
	return out
}

// offer adds the merge of the symbol at position at with its right neighbour, if there is one.
func (j *joiner) offer(t *Tokenizer, at int32) {
	p := pair{j.id[at], j.id[j.next[at]]}
	m, ok := t.ranks[p]
	if !ok {
		return
	}
	j.open.push(candidate{m.rank, at, p})
}
