package bpe

import "unicode"

// Letters and numbers that Unicode 15.1 and 16.0 added. Go's tables are those of 15.0, and the other programs' are newer:
// without these a text in one of the new scripts would be cut in other places here. testdata/classes.txt has what Hugging
// Face's tokenizers takes each character for.

var newLetters = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x1c89, 0x1c8a, 1}, // Cyrillic
		{0xa7cb, 0xa7cd, 1}, // Latin
		{0xa7da, 0xa7dc, 1},
	},
	R32: []unicode.Range32{
		{0x105c0, 0x105f3, 1}, // Todhri
		{0x10d4a, 0x10d65, 1}, // Garay
		{0x10d6f, 0x10d85, 1},
		{0x10ec2, 0x10ec4, 1}, // Arabic
		{0x11380, 0x11389, 1}, // Tulu-Tigalari
		{0x1138b, 0x1138b, 1},
		{0x1138e, 0x1138e, 1},
		{0x11390, 0x113b5, 1},
		{0x113b7, 0x113b7, 1},
		{0x113d1, 0x113d1, 1},
		{0x113d3, 0x113d3, 1},
		{0x11bc0, 0x11be0, 1}, // Sunuwar
		{0x13460, 0x143fa, 1}, // Egyptian hieroglyphs
		{0x16100, 0x1611d, 1}, // Gurung Khema
		{0x16d40, 0x16d6c, 1}, // Kirat Rai
		{0x18cff, 0x18cff, 1}, // Khitan
		{0x1e5d0, 0x1e5ed, 1}, // Ol Onal
		{0x1e5f0, 0x1e5f0, 1},
		{0x2ebf0, 0x2ee5d, 1}, // Han, extension I
	},
}

var newNumbers = &unicode.RangeTable{
	R32: []unicode.Range32{
		{0x10d40, 0x10d49, 1}, // Garay
		{0x116d0, 0x116e3, 1}, // Myanmar
		{0x11bf0, 0x11bf9, 1}, // Sunuwar
		{0x16130, 0x16139, 1}, // Gurung Khema
		{0x16d70, 0x16d79, 1}, // Kirat Rai
		{0x1ccf0, 0x1ccf9, 1}, // outlined digits
		{0x1e5f1, 0x1e5fa, 1}, // Ol Onal
	},
}
