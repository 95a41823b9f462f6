package state

import "context"

// Recovered is what Recover found after a process that was killed.
type Recovered struct {
	Temporary int      // files and trees that were being written or deleted
	Links     []string // paths of links that were behind the state
}

// Recover cleans up after a process that was killed: temporary files go, links follow the state again. Records need no
// recovery. The caller holds the operation lock and has just taken it.
func (db *DB) Recover(ctx context.Context) (Recovered, error) {
	var r Recovered
	swept, err := db.store.Sweep(ctx)
	if err != nil {
		return r, err
	}
	files, err := db.sweepTemps()
	if err != nil {
		return r, err
	}
	r.Temporary = swept + files
	r.Links, err = db.RepairLinks(ctx)
	return r, err
}
