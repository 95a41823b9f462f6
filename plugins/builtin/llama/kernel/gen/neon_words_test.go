package main

import "testing"

// The words are those that LLVM's assembler makes of the same instructions.
func TestEncode(t *testing.T) {
	t.Parallel()
	cases := []struct {
		mnemonic string
		regs     []vreg
		want     uint32
	}{
		{"VFADD", []vreg{2, 1, 0}, 0x4e22d420},
		{"VFADD", []vreg{5, 17, 31}, 0x4e25d63f},
		{"VFSUB", []vreg{2, 1, 0}, 0x4ea2d420},
		{"VFMUL", []vreg{2, 1, 0}, 0x6e22dc20},
		{"VFDIV", []vreg{2, 1, 0}, 0x6e22fc20},
		{"VFMAX", []vreg{2, 1, 0}, 0x4e22f420},
		{"VFMIN", []vreg{2, 1, 0}, 0x4ea2f420},
		{"VFADDP", []vreg{2, 1, 0}, 0x6e22d420},
		{"VFMAXP", []vreg{2, 1, 0}, 0x6e22f420},
		{"VFCMGT", []vreg{2, 1, 0}, 0x6ea2e420},
		{"VCMGT", []vreg{2, 1, 0}, 0x4ea23420},
		{"VMUL", []vreg{2, 1, 0}, 0x4ea29c20},
		{"VBIC", []vreg{2, 1, 0}, 0x4e621c20},
		{"VFMLAE0", []vreg{2, 1, 0}, 0x4f821020},
		{"VFMLAE0", []vreg{21, 17, 31}, 0x4f95123f},
		{"VFNEG", []vreg{1, 0}, 0x6ea0f820},
		{"VFSQRT", []vreg{1, 0}, 0x6ea1f820},
		{"VFRINTN", []vreg{1, 0}, 0x4e218820},
		{"VFCVTNS", []vreg{1, 0}, 0x4e21a820},
	}
	seen := map[string]bool{}
	for _, c := range cases {
		got, ok := encode(c.mnemonic, c.regs...)
		if !ok || got != c.want {
			t.Errorf("%s %v: %#08x, want %#08x", c.mnemonic, c.regs, got, c.want)
		}
		seen[c.mnemonic] = true
	}
	for mnemonic := range words {
		if !seen[mnemonic] {
			t.Errorf("%s has no case", mnemonic)
		}
	}
	if _, ok := encode("VFMLA", 2, 1, 0); ok {
		t.Error("VFMLA is Go's own, and encoded")
	}
}
