package kernel

import "golang.org/x/sys/cpu"

// implementations lists what the processor can run, the fastest first.
func implementations() []*impl {
	var all []*impl
	x := cpu.X86
	if x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512BW && x.HasAVX512VL && x.HasAVX2 && x.HasFMA {
		all = append(all, &avx512)
	}
	if x.HasAVX2 && x.HasFMA {
		all = append(all, &avx2)
	}
	return append(all, &portable)
}
