package seal

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// Split divides one benchmark file into the items to develop with, a fifth, and the pool that decides. An item's part
// hangs on its canonical key alone, or on its text where it has none, so items added later move no other between the
// two. samples caps the gate pool as Cap does.
func Split(items []Item, samples uint64) (dev, gate []Item) {
	for _, it := range order(items) {
		// The part is told by other bytes than the order, or the cap would cut one end of the range.
		if binary.BigEndian.Uint64(it.hash[24:])%5 == 0 {
			dev = append(dev, it.Item)
		} else {
			gate = append(gate, it.Item)
		}
	}
	return dev, Cap(gate, samples)
}

// Cap returns the items of a gate pool with the lowest hashes of their keys, at most samples of them and in that order;
// 0 returns all.
func Cap(gate []Item, samples uint64) []Item {
	all := order(gate)
	if samples > 0 && uint64(len(all)) > samples {
		all = all[:samples]
	}
	out := make([]Item, len(all))
	for i, it := range all {
		out[i] = it.Item
	}
	return out
}

type placed struct {
	Item
	hash [sha256.Size]byte
}

// order sorts items by the hash of their keys, or of their text.
func order(items []Item) []placed {
	all := make([]placed, len(items))
	for i, it := range items {
		name := "key\x00" + it.Key
		if it.Key == "" {
			name = "text\x00" + plain(it.Question) + "\x00" + plain(it.Answer)
		}
		all[i] = placed{it, sha256.Sum256([]byte(name))}
	}
	slices.SortFunc(all, func(a, b placed) int {
		return cmp.Or(bytes.Compare(a.hash[:], b.hash[:]), cmp.Compare(a.ID, b.ID))
	})
	return all
}
