package host

import "syscall"

// ownGroup puts a process into a group of its own: a Ctrl-C at the terminal reaches the host alone, and the host ends the
// plugin together with what it has started.
//
// When the host dies the kernel wakes the plugin, which may be suspended and could not see that its input has ended. The
// signal comes when the thread that started the process ends, which may be earlier, and again when the host does; one
// that comes early does nothing. A signal that kills would be wrong twice: it could come early, and the plugin could not
// end what it has started.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGCONT}
}
