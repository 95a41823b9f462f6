package host

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// LimitsHold says whether this system tells what processes have, so that Limits hold.
const LimitsHold = true

// peakMemory is the most memory that a process and its descendants have had resident since they began, or since
// resetPeakMemory, each at its own worst moment. wrapped leaves out the process itself.
func peakMemory(pid int, wrapped bool) (sum uint64, ok bool) {
	return sumStatus(members(pid, wrapped), "\nVmHWM:")
}

// residentMemory is the memory that a process and its descendants have resident. What they share counts for each.
func residentMemory(pid int, wrapped bool) (sum uint64, ok bool) {
	return sumStatus(members(pid, wrapped), "\nVmRSS:")
}

func members(pid int, wrapped bool) []int {
	all := tree(pid)
	if wrapped {
		return all[1:]
	}
	return all
}

func sumStatus(pids []int, line string) (sum uint64, ok bool) {
	for _, p := range pids {
		if n, known := statusLine(p, line); known { // else it has just ended
			sum, ok = sum+n, true
		}
	}
	return sum, ok
}

// statusLine reads a size out of a process's status.
func statusLine(pid int, line string) (uint64, bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, false
	}
	_, rest, ok := bytes.Cut(b, []byte(line))
	if !ok {
		return 0, false
	}
	fields := bytes.Fields(rest)
	if len(fields) < 2 || string(fields[1]) != "kB" {
		return 0, false
	}
	kib, err := strconv.ParseUint(string(fields[0]), 10, 54)
	return kib << 10, err == nil
}

// resetPeakMemory begins to look for the most anew.
func resetPeakMemory(pid int, wrapped bool) {
	for _, p := range members(pid, wrapped) {
		_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p), []byte("5"), 0) // else the peak is that of the process's life
	}
}

// threads counts the threads of a process and its descendants: of each at least one. wrapped leaves out the process itself.
func threads(pid int, wrapped bool) (n uint64) {
	walk(pid, func(i, threads int) {
		if i > 0 || !wrapped {
			n += uint64(threads)
		}
	})
	return n
}

// tree lists a process and its descendants.
func tree(pid int) []int { return walk(pid, func(int, int) {}) }

// walk lists a process and its descendants, and tells how many threads the one at i of them has.
func walk(pid int, has func(i, threads int)) []int {
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", all[i])) // none where it has ended
		has(i, len(tasks))
		for _, t := range tasks {
			b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", all[i], t.Name()))
			for _, f := range strings.Fields(string(b)) {
				if n, err := strconv.Atoi(f); err == nil {
					all = append(all, n)
				}
			}
		}
	}
	return all
}

// lives says whether a process runs: one that has ended and was not waited for yet does not.
func lives(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	i := bytes.LastIndex(b, []byte(") ")) // the name before it may hold anything
	return i >= 0 && !bytes.ContainsAny(b[i+2:i+3], "ZX")
}
