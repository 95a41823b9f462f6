package state

import "context"

// Recovered is what Recover found after a process that was killed.
type Recovered struct {
	Temporary int      // files and trees that were being written or deleted
	Links     []string // paths of links that were behind the state
}

// Recover cleans up after a process that was killed: temporary files go, links follow the state again. Records need no
// recovery. The caller holds the operation lock and has just taken it.
func (db *DB) Recover(ctx context.Context) (r Recovered, err error) {
	if r.Temporary, err = db.Sweep(ctx); err != nil {
		return r, err
	}
	r.Links, err = db.RepairLinks(ctx)
	return r, err
}

// Sweep is Recover without the links: it deletes temporary files and returns how many there were.
func (db *DB) Sweep(ctx context.Context) (int, error) {
	swept, err := db.store.Sweep(ctx)
	if err != nil {
		return swept, err
	}
	files, err := db.sweepTemps()
	return swept + files, err
}
