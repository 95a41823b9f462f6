package infer

import "jupiter/plugins/builtin/llama/model"

// A cache holds the keys and values of the positions of one sequence so far. Keys are stored transposed, so that the
// scores of a query are one product with a matrix as it lies:
//
//	k[layer]  [KVHeads, HeadDim, room]
//	v[layer]  [KVHeads, room, HeadDim]
//
// It grows with the sequence; the first room keeps short texts close together in memory.
type cache struct {
	heads, dim int // KVHeads, HeadDim
	room       int // positions that fit
	len        int // positions that are there
	k, v       [][]float32
}

const firstRoom = 32

func newCache(c model.Config) *cache {
	return &cache{heads: c.KVHeads, dim: c.HeadDim, k: make([][]float32, c.Layers), v: make([][]float32, c.Layers)}
}

// reserve makes room for n positions in all, at most limit.
func (c *cache) reserve(n, limit int) {
	if n <= c.room {
		return
	}
	room := max(firstRoom, c.room)
	for room < n {
		room *= 2
	}
	c.move(c, min(room, max(limit, n)))
}

// fork makes c a copy of the positions of from, with room for n.
func (c *cache) fork(from *cache, n int) {
	c.move(from, max(n, c.room))
	c.len = from.len
}

// move takes over the positions of from, which may be c itself, with another room.
func (c *cache) move(from *cache, room int) {
	size := c.heads * c.dim * room
	for l := range c.k {
		k, v := c.k[l], c.v[l]
		if c == from || cap(k) < size {
			k, v = make([]float32, size), make([]float32, size)
		}
		k, v = k[:size], v[:size]
		for row := range c.heads * c.dim {
			copy(k[row*room:][:from.len], from.k[l][min(row*from.room, len(from.k[l])):])
		}
		for h := range c.heads {
			copy(v[h*room*c.dim:][:from.len*c.dim], from.v[l][min(h*from.room*c.dim, len(from.v[l])):])
		}
		c.k[l], c.v[l] = k, v
	}
	c.room = room
}

// put stores key and value, each [KVHeads, HeadDim], at a position.
func (c *cache) put(layer, pos int, key, value []float32) {
	k, v := c.k[layer], c.v[layer]
	for i, x := range key {
		k[i*c.room+pos] = x
	}
	for h := range c.heads {
		copy(v[(h*c.room+pos)*c.dim:][:c.dim], value[h*c.dim:])
	}
}

// keys gives the transposed keys of a head, [HeadDim, room].
func (c *cache) keys(layer, head int) []float32 {
	return c.k[layer][head*c.dim*c.room:][:c.dim*c.room]
}

// values gives the values of a head, [room, HeadDim].
func (c *cache) values(layer, head int) []float32 {
	return c.v[layer][head*c.room*c.dim:][:c.room*c.dim]
}
