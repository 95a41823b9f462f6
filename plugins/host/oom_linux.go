package host

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// oomKills counts the processes that the kernel killed for memory in the host's control group, version 1 or 2. -1: the
// count cannot be read.
func oomKills() int64 {
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return -1
	}
	for _, path := range oomFiles(string(b)) {
		if b, err := os.ReadFile(path); err == nil {
			if n := oomCount(string(b)); n >= 0 {
				return n
			}
		}
	}
	return -1
}

// oomFiles gives where the count may be, from the text of /proc/self/cgroup. Within a container the path there may not
// exist below the mount, whose root is then the control group itself.
func oomFiles(cgroup string) []string {
	var files []string
	for line := range strings.Lines(cgroup) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case len(parts) != 3:
		case parts[0] == "0" && parts[1] == "":
			files = append(files, filepath.Join("/sys/fs/cgroup", parts[2], "memory.events"), "/sys/fs/cgroup/memory.events")
		case parts[1] == "memory":
			files = append(files, filepath.Join("/sys/fs/cgroup/memory", parts[2], "memory.oom_control"), "/sys/fs/cgroup/memory/memory.oom_control")
		}
	}
	return files
}

// oomCount reads "oom_kill N" out of memory.events or memory.oom_control.
func oomCount(s string) int64 {
	for line := range strings.Lines(s) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == "oom_kill" {
			if n, err := strconv.ParseInt(f[1], 10, 64); err == nil {
				return n
			}
		}
	}
	return -1
}
