package confine

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// devices are the files that a plugin may write to besides its directories: what keeps nothing of what is written to it, and
// the usual accelerators. Of shared memory it has what it makes below /dev/shm.
func devices() []string {
	files := []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
		"/dev/kfd", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia-modeset"}
	const cards = 64
	for i := range cards {
		files = append(files, fmt.Sprintf("/dev/nvidia%d", i), fmt.Sprintf("/dev/dri/renderD%d", 128+i))
	}
	return files
}

const sharedMemory = "/dev/shm"

// restrict puts in force what it can, and notes what it cannot.
func (w *wrapper) restrict() {
	if w.spec.Namespaces {
		w.namespaces()
	} else {
		w.lack("It sees the other processes of this machine: the system refuses user and PID namespaces.")
	}
	w.processes()
	w.files()
	if err := dropCapabilities(); err != nil {
		w.lack("It keeps the capabilities of the user: %v.", err)
	}
}

func (w *wrapper) lack(format string, args ...any) {
	w.report.Missing = append(w.report.Missing, fmt.Sprintf(format, args...))
}

// namespaces furnishes those that the wrapper was started in.
func (w *wrapper) namespaces() {
	w.report.Processes = true
	if err := ownProc(); err != nil {
		w.report.Processes = false
		w.lack("It sees the other processes of this machine: the system refuses a /proc of its own (%v).", err)
	}
	if w.spec.Network {
		return
	}
	w.report.Network = true
	if err := loopbackUp(); err != nil {
		w.lack("It has no loopback interface: %v.", err)
	}
}

// processes bounds how many the plugin may start.
func (w *wrapper) processes() {
	if w.spec.Processes == 0 {
		return
	}
	err := fmt.Errorf("the system refuses user and PID namespaces")
	if w.spec.Namespaces {
		err = boundProcesses(w.spec.Processes)
	}
	if err == nil {
		w.report.Bounded = true
	} else {
		w.lack("It can start more processes than it may have, until Jupiter sees it: %v.", err)
	}
}

// files restricts what the plugin can write to, and TCP where there is no network namespace to do it.
func (w *wrapper) files() {
	without := !w.spec.Network && !w.report.Network // of a network that it should not reach, and of what keeps it away
	version := landlockVersion()
	err := fmt.Errorf("the kernel has no Landlock, or it is switched off")
	if version > 0 {
		var shared []string
		if unix.Access(sharedMemory, unix.F_OK) == nil {
			shared = []string{sharedMemory}
		}
		err = landlock(version, append(shared, w.spec.Write...), devices(), !without)
	}
	if err == nil {
		w.report.Landlock = version
	} else {
		w.lack("It can write wherever the user can: %v.", err)
	}
	switch {
	case !without:
	case w.report.Landlock >= tcpSince:
		w.lack("It can reach the network but for TCP: the system refuses network namespaces.")
	default:
		w.lack("It can reach the network: the system refuses network namespaces, and the kernel has no Landlock for TCP.")
	}
}

// ownProc puts a /proc of the PID namespace in the place of the system's, which shows the processes of all, and the
// environment of those of the same user.
func ownProc() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("detach mounts: %w", err)
	}
	return unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
}

// loopbackUp switches the loopback interface on: programs talk to themselves over it.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	req, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	req.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, req)
}

// dropCapabilities takes from this thread, and so from the plugin, what it could use or gain beyond the user's rights.
func dropCapabilities() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		// EINVAL: newer than this kernel. EPERM: this user has none to drop.
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil && err != unix.EINVAL && err != unix.EPERM {
			return err
		}
	}
	var none [2]unix.CapUserData // two of 32 capabilities each
	return unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &none[0])
}
