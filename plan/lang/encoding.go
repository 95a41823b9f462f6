package lang

import "unicode/utf8"

// InvalidUTF8 is the offset of the first byte that is part of no character; -1: the text is good.
func InvalidUTF8(src []byte) int {
	for i := 0; i < len(src); {
		r, n := utf8.DecodeRune(src[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}
