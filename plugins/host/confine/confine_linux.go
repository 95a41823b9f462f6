package confine

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Supported says whether there is a wrapper on this system.
const Supported = true

// Attr gives how the wrapper is started: as the leader of a process group, and with namespaces where asked for.
//
// A Ctrl-C at the terminal reaches the host alone. When the host dies the kernel wakes the wrapper, which may be suspended
// and could not see that the pipe is closed. The signal comes when the thread that started the wrapper ends, which may be
// earlier, and again when the host does; one that comes early does nothing. A signal that kills could come early.
func Attr(namespaces, network bool) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGCONT}
	if !namespaces {
		return a
	}
	a.Cloneflags = syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS
	if !network {
		a.Cloneflags |= syscall.CLONE_NEWNET
	}
	uid, gid := os.Getuid(), os.Getgid()
	a.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
	a.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
	// Within its namespaces the wrapper mounts /proc and brings up an interface. Whoever is not root would lose the right to
	// that by executing it.
	a.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN}
	return a
}

// Refused says whether an error of starting the wrapper means that the system refuses its namespaces: by a setting
// (EPERM), a limit (ENOSPC, EUSERS) or a kernel without them (EINVAL).
func Refused(err error) bool {
	for _, e := range []error{unix.EPERM, unix.EACCES, unix.EINVAL, unix.ENOSPC, unix.EUSERS} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// End is the signal that asks a wrapper without namespaces to end the plugin with all that it has started. Killed, it could
// not, and there the kernel does not either. One in namespaces drops it, and is to be killed.
const End = syscall.SIGTERM

// statusFD is where the host's pipe is.
const statusFD = 3

// Main is the wrapper: it restricts the process and runs the plugin. The exit status is the plugin's, in a shell's terms;
// the host goes by the messages. The error is that of who starts it by hand.
func Main(args []string) (int, error) {
	s, err := parse(args)
	if err != nil {
		return 1, err
	}
	unix.CloseOnExec(statusFD)
	status := os.NewFile(statusFD, "status")
	// What is restricted belongs to a thread, and the child gets what the thread has that starts it.
	runtime.LockOSThread()
	w := &wrapper{spec: s, out: json.NewEncoder(status), status: status}
	return w.run()
}

type wrapper struct {
	spec   Spec
	out    *json.Encoder
	status *os.File
	report Report
}

// tell tells the host something. Where nobody reads it any more watch has the rest to do: this thread is restricted.
func (w *wrapper) tell(m Message) {
	if err := w.out.Encode(m); err != nil {
		select {}
	}
}

// orphaned ends everything, and removes what the host would have removed.
func (w *wrapper) orphaned() {
	w.sweep()
	if w.spec.Remove != "" {
		_ = os.RemoveAll(w.spec.Remove) // a plugin that still writes there is why this may fail, and it ends now
	}
	os.Exit(1)
}

func (w *wrapper) run() (int, error) {
	if !w.spec.Namespaces {
		// Orphans of the plugin become children of the wrapper, which ends them.
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			return 1, fmt.Errorf("become the parent of orphans: %w", err)
		}
	}
	// The kernel hangs up a process group that lost its session. What is caught and dropped, and not ignored, the plugin
	// does not inherit.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP, syscall.SIGINT)
	ends := make(chan os.Signal, 1)
	signal.Notify(ends, End)
	go w.endOn(ends)
	go w.watch() // on a thread of its own, which is not restricted
	w.restrict()
	w.tell(Message{Report: &w.report})
	if w.spec.Path == "" {
		return 0, nil
	}
	child, err := os.StartProcess(w.spec.Path, append([]string{w.spec.Path}, w.spec.Args...), &os.ProcAttr{
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}, Env: os.Environ(),
		Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}, // this thread lives as long as the wrapper
	})
	if err != nil {
		var pe *os.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		w.tell(Message{Failed: explain(w.spec.Path, err)})
		return 1, nil
	}
	// The plugin has its own copies. The wrapper must not hold open what others wait to see closed.
	for _, f := range []*os.File{os.Stdin, os.Stdout} {
		f.Close()
	}
	exit := wait(child.Pid)
	w.sweep()
	w.tell(Message{Exit: &exit})
	if exit.Signal != 0 {
		return 128 + exit.Signal, nil
	}
	return exit.Code, nil
}

// explain says why a program could not be executed, where the error alone misleads.
func explain(path string, err error) string {
	if errors.Is(err, unix.ENOENT) {
		if _, serr := os.Stat(path); serr == nil {
			return "its interpreter, or the loader that it names, is not there"
		}
	}
	if errors.Is(err, unix.ENOEXEC) {
		return "it is no program for this machine: " + err.Error()
	}
	return err.Error()
}

// wait reaps all children until the plugin has ended.
func wait(pid int) Exit {
	for {
		var ws unix.WaitStatus
		got, err := unix.Wait4(-1, &ws, 0, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return Exit{Code: 1} // cannot happen: the plugin is a child
		case got == pid && ws.Signaled():
			return Exit{Code: -1, Signal: int(ws.Signal())}
		case got == pid && ws.Exited():
			return Exit{Code: ws.ExitStatus()}
		}
	}
}

// watch ends everything when the host is gone: nobody reads the pipe any more.
func (w *wrapper) watch() {
	for {
		fds := []unix.PollFd{{Fd: int32(w.status.Fd())}}
		if _, err := unix.Poll(fds, -1); err == nil && fds[0].Revents&(unix.POLLERR|unix.POLLHUP|unix.POLLNVAL) != 0 {
			w.orphaned()
		}
	}
}

// endOn ends the plugin at a signal. What it leaves is then for the sweep.
func (w *wrapper) endOn(signals <-chan os.Signal) {
	for range signals {
		if w.spec.Namespaces {
			continue
		}
		for _, pid := range children() {
			_ = unix.Kill(pid, unix.SIGKILL) // a child that has not been reaped keeps its number
		}
	}
}

// sweepFor is how long what was killed may take to die, on a machine that has much else to do.
const sweepFor = 10 * time.Second

// sweep kills what the plugin has left. In a PID namespace the kernel does so when the wrapper ends.
func (w *wrapper) sweep() {
	if w.spec.Namespaces {
		return
	}
	// What is killed may have forked before, and its children become the wrapper's only once it has died.
	for end := time.Now().Add(sweepFor); time.Now().Before(end); time.Sleep(time.Millisecond) {
		left := children()
		if len(left) == 0 {
			return
		}
		for _, pid := range left {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		for {
			var ws unix.WaitStatus
			if pid, err := unix.Wait4(-1, &ws, unix.WNOHANG, nil); pid <= 0 && err != unix.EINTR {
				break
			}
		}
	}
}

// children lists the wrapper's children.
func children() []int {
	var pids []int
	tasks, _ := os.ReadDir("/proc/self/task")
	for _, t := range tasks {
		b, _ := os.ReadFile("/proc/self/task/" + t.Name() + "/children")
		for _, f := range strings.Fields(string(b)) {
			if n, err := strconv.Atoi(f); err == nil {
				pids = append(pids, n)
			}
		}
	}
	return pids
}
