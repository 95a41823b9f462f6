package figures

import (
	"errors"
	"os"
	"strconv"
	"strings"
)

// PeakMB is the most memory that this process held, resident, in millions of bytes.
func PeakMB() (float64, error) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for _, l := range strings.Split(string(b), "\n") {
		if rest, ok := strings.CutPrefix(l, "VmHWM:"); ok {
			kb, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			return float64(kb) * 1024 / 1e6, err
		}
	}
	return 0, errors.New("/proc/self/status does not say how much memory was used")
}
