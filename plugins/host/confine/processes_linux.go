package confine

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	pidMax       = "/proc/sys/kernel/pid_max"
	mostPIDs     = 4 << 20
	reservedPIDs = 300 // the lowest numbers, which the kernel gives to the first processes alone
)

// boundProcesses has the kernel refuse the plugin more than about n processes and threads, together with the wrapper's own.
// It needs the namespaces.
//
// From Linux 6.14 on a PID namespace has a highest number of its own. An older kernel has one for the whole machine, which
// root could set from in here: it must not be touched. From 5.14 on the limit on the processes of a user counts within a
// user namespace, for everybody but root. Before it counted all that the user runs.
func boundProcesses(n uint64) error {
	switch {
	case kernelSince(6, 14):
		return os.WriteFile(pidMax, []byte(strconv.FormatUint(min(n+reservedPIDs, mostPIDs), 10)), 0)
	case kernelSince(5, 14) && os.Getuid() != 0:
		return unix.Setrlimit(unix.RLIMIT_NPROC, &unix.Rlimit{Cur: n, Max: n})
	case os.Getuid() == 0:
		return fmt.Errorf("the kernel has that for root from Linux 6.14 on")
	}
	return fmt.Errorf("the kernel has that from Linux 5.14 on")
}

// kernelSince says whether the kernel is of a version, or a later one.
func kernelSince(major, minor int) bool {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return false
	}
	var x, y int
	if _, err := fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &x, &y); err != nil {
		return false
	}
	return x > major || x == major && y >= minor
}
