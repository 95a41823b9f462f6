package openai

import (
	"crypto/sha256"
	"sync"
)

// leftovers are answers that were paid for and could not be handed on, because one before them did not come: the host calls
// again, and asks for them again. The zero value is ready.
type leftovers struct {
	mu  sync.Mutex
	all map[[32]byte]*reply
}

// maxLeftovers is more than a call can leave.
const maxLeftovers = ahead * maxConcurrency

func keyOf(e *endpoint, r *request) [32]byte {
	return sha256.Sum256(append([]byte(e.base+"\x00"+r.path+"\x00"), r.body...))
}

func (l *leftovers) put(e *endpoint, r *request, a *reply) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil || len(l.all) >= maxLeftovers { // nobody has called again for those that are there
		l.all = map[[32]byte]*reply{}
	}
	l.all[keyOf(e, r)] = a
}

// take gives an answer once.
func (l *leftovers) take(e *endpoint, r *request) *reply {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.all) == 0 {
		return nil
	}
	k := keyOf(e, r)
	a := l.all[k]
	delete(l.all, k)
	return a
}
