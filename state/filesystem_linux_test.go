package state

import "testing"

// TestNetworkFS: the magic numbers of statfs(2), as linux/magic.h has them.
func TestNetworkFS(t *testing.T) {
	t.Parallel()
	for magic, want := range map[int64]string{
		0x6969: "NFS", 0x517b: "SMB", 0xff534d42: "SMB", 0xfe534d42: "SMB", 0x5346414f: "AFS", 0x6b414653: "AFS", 0x73757245: "Coda", 0x00c36400: "Ceph", 0x564c: "NCP",
		0xef53: "", 0x58465342: "", 0x9123683e: "", 0x01021994: "", // ext4, xfs, btrfs, tmpfs
	} {
		if got := networkFS(magic); got != want {
			t.Errorf("%#x is %q, want %q", magic, got, want)
		}
	}
	if got := networkFS(int64(int32(-11317950))); got != "SMB" { // 0xff534d42 where statfs has 32 bits with a sign
		t.Errorf("a negative number is %q", got)
	}
}
