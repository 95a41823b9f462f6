package state

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// refuseNetwork fails with ErrUnsupported where dir is on a network file system. Its locks may hold, but not together
// with the memory map that bbolt reads through.
func refuseNetwork(dir string) error {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return fmt.Errorf("look at the file system of %s: %w", dir, err)
	}
	if name := networkFS(int64(st.Type)); name != "" {
		return unsupported(dir, "it is "+name)
	}
	return nil
}

// networkFS names the network file systems by the magic number of statfs(2).
func networkFS(magic int64) string {
	switch uint32(magic) {
	case unix.NFS_SUPER_MAGIC:
		return "NFS"
	case unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC:
		return "SMB"
	case unix.AFS_SUPER_MAGIC, unix.AFS_FS_MAGIC:
		return "AFS"
	case unix.CODA_SUPER_MAGIC:
		return "Coda"
	case unix.CEPH_SUPER_MAGIC:
		return "Ceph"
	case unix.NCP_SUPER_MAGIC:
		return "NCP"
	default:
		return ""
	}
}
