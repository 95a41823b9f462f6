package main

import (
	"path/filepath"

	"jupiter/runtime"
	machine "jupiter/runtime/history"
)

// historyOff is what JUPITER_HISTORY is set to by who wants no history of the machine.
const historyOff = "off"

// machineHistory is where what actions took on this machine is kept for the forecasts of all projects: in the user's state
// directory. nil: nowhere, because the user does not want it, or has no such directory.
func machineHistory(w *world) runtime.History {
	if v, _ := w.getenv("JUPITER_HISTORY"); v == historyOff {
		return nil
	}
	base, ok := w.getenv("XDG_STATE_HOME")
	if !ok || !filepath.IsAbs(base) {
		home, ok := w.getenv("HOME")
		if !ok || !filepath.IsAbs(home) {
			return nil
		}
		base = filepath.Join(home, ".local", "state")
	}
	return machine.File{Path: filepath.Join(base, "jupiter", "history.jsonl")}
}
