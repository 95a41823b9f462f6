package confine

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Landlock is put in force on this thread alone: the plugin is started from it and inherits it. The library for it,
// go-landlock, restricts all threads of the process, and needs a package that uses cgo to reach them.

// The rights that change files, by the version of the interface that brought them. What is not named here, reading and
// executing above all, stays allowed.
const (
	writes1 = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG |
		unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK | unix.LANDLOCK_ACCESS_FS_MAKE_SYM
	writes2 = writes1 | unix.LANDLOCK_ACCESS_FS_REFER
	writes3 = writes2 | unix.LANDLOCK_ACCESS_FS_TRUNCATE

	onFiles = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE // of writes3, what a file can have
)

const (
	tcpSince    = 4 // version that restricts TCP
	scopesSince = 6 // version that restricts abstract Unix sockets and signals
)

// landlockVersion gives the version of the kernel's interface; 0: there is none.
func landlockVersion() int {
	v, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0
	}
	return int(v)
}

// landlock lets this thread write below dirs and to files alone, and refuses TCP where network is false. Files that are not
// there are passed over.
func landlock(version int, dirs, files []string, network bool) error {
	attr := unix.LandlockRulesetAttr{Access_fs: writes3}
	switch {
	case version < 2:
		attr.Access_fs = writes1
	case version < 3:
		attr.Access_fs = writes2
	}
	if version >= tcpSince && !network {
		attr.Access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if version >= scopesSince {
		attr.Scoped = unix.LANDLOCK_SCOPE_SIGNAL
		if !network {
			attr.Scoped |= unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
		}
	}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return fmt.Errorf("create a rule set: %w", errno)
	}
	defer unix.Close(int(fd))
	for _, d := range dirs {
		if err := allow(int(fd), d, attr.Access_fs); err != nil {
			return fmt.Errorf("%s: %w", d, err)
		}
	}
	for _, f := range files {
		if err := allow(int(fd), f, attr.Access_fs&onFiles); err != nil && err != unix.ENOENT {
			return fmt.Errorf("%s: %w", f, err)
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no new privileges: %w", err)
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0); errno != 0 {
		return fmt.Errorf("restrict: %w", errno)
	}
	return nil
}

// allow adds rights on a file, or on a directory and all below it.
func allow(ruleset int, path string, rights uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	rule := unix.LandlockPathBeneathAttr{Allowed_access: rights, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
