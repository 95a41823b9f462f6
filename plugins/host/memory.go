package host

// PeakMemory is the most memory that the plugins' processes have had resident since ResetPeakMemory, each at its own
// worst moment, in all; false where the system does not tell. What processes that have ended had is not in it.
func (h *Host) PeakMemory() (bytes uint64, ok bool) {
	for _, p := range h.processes() {
		if !p.alive() {
			continue
		}
		n, known := peakMemory(p.pid(), p.wrapped())
		if !known {
			return 0, false
		}
		bytes, ok = bytes+n, true
	}
	return bytes, ok
}

// ResetPeakMemory begins a measurement.
func (h *Host) ResetPeakMemory() {
	for _, p := range h.processes() {
		if p.alive() {
			resetPeakMemory(p.pid(), p.wrapped())
		}
	}
}

// wrapped says whether the process is the wrapper, whose memory is not the plugin's.
func (p *process) wrapped() bool { return p.runner.status != nil }
