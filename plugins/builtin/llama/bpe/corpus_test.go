package bpe

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// corpus is a small mixed text: arithmetic, prose with contractions, code, several scripts.
var corpus = []string{
	"7ft5in en in:7*12=84;84+5=89;89in", "89in en ft:7*12=84;89-84=5;7ft5in", "25mar+14d:25+14=39;39-31=8;8abr",
	"7ft5in+3ft9in:5+9=14;14-12=2;7+3+1=11;11ft2in", "3h20min en min:3*60=180;180+20=200;200min",
	"The student is replaced when it's proved better, and not before; they'd say that isn't enough.",
	"The generator writes the whole example, the question and the solution, and then the token of the end.",
	"func main() {\n\tfor i := range 10 {\n\t\tfmt.Println(i, \"hello\")\n\t}\n}\n\nfunc other() error {\n\treturn nil\n}\n",
	"Größe, Überraschung, naïve café — déjà vu; œuvre complète.", "Съешь ещё этих мягких французских булок, да выпей чаю.",
	"私はガラスを食べられます。それは私を傷つけません。", "नमस्ते दुनिया, यह एक परीक्षण है।", "emoji: 👩‍👩‍👧‍👦 🇪🇸 ✓✓✓ \u00bd \u00b2 \u2163 ١٢٣",
	"  indented\n    more   \n\n\n  trailing   ", "WE'LL SEE, I'VE DONE IT; you're, we'd, I'm, that's, can't",
}

func trained(size int) *Tokenizer { return Train(slices.Values(corpus), Options{VocabSize: size}) }

// alphabet holds what the split pattern distinguishes, and what is easily got wrong.
var alphabet = []string{
	"a", "b", "e", "S", "T", "L", "s", "t", "re", "VE", "'", "'", "ſ", "é", "Ж", "語", "ा", "0", "7", "123", "½", "Ⅳ", "١", "²", " ", " ", "  ", "\t", "\n", "\r",
	"\r\n", "\v", "\f", "\u0085", "\u00a0", "\u2028", "\u3000", "\u200b", "\u180e", "\ufeff", ".", ",", "-", "_", "<|", "|>", "+", "=", ";", "€", "👍", "\u0301", "\x00", "\x7f",
}

func randomText(r *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		b.WriteString(alphabet[r.IntN(len(alphabet))])
	}
	return b.String()
}
