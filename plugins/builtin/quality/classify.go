package quality

import (
	"strings"
	"unicode"
)

// Classify finds the kind of a text by its form. Text of which letters make up less than half, white space apart, is
// structured. Text of at least two lines of which half or more look like code is code, and so is text that is for the
// most part inside fenced code blocks. All else is prose.
func Classify(text string) Kind {
	letters, others := 0, 0
	for _, r := range text {
		switch {
		case unicode.IsLetter(r) || unicode.IsMark(r):
			letters++
		case !unicode.IsSpace(r):
			others++
		}
	}
	lines, codeLines := 0, 0
	for line := range strings.SplitSeq(text, "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		lines++
		if looksLikeCode(line) {
			codeLines++
		}
	}
	outside := len(strings.TrimSpace(outsideFences(text)))
	switch {
	case 2*outside < len(strings.TrimSpace(text)):
		return Code
	case lines >= 2 && 2*codeLines >= lines:
		return Code
	case letters < others:
		return Structured
	}
	return Prose
}

// looksLikeCode reports whether one line has a mark that is common in program text and rare in prose.
func looksLikeCode(line string) bool {
	trimmed := strings.TrimSpace(line)
	if strings.TrimRight(trimmed, ";{}") != trimmed || trimmed == ")" || trimmed == "]" || strings.HasSuffix(trimmed, "):") {
		return true
	}
	for _, prefix := range []string{"//", "/*", "#include", "#define", "#if", "import ", "from ", "package ", "func ", "def ", "class ", "public ", "private ", "return ", "@", "<"} {
		if strings.HasPrefix(trimmed, prefix) {
			return prefix != "from " || strings.Contains(trimmed, " import ")
		}
	}
	for _, mark := range []string{" = ", " := ", " == ", "->", "=>", "::", "+=", " != ", "&&", "||"} {
		if strings.Contains(trimmed, mark) {
			return true
		}
	}
	return hasCall(trimmed)
}

// hasCall reports whether a name stands directly before an opening bracket, as in f(x); prose has a space there.
func hasCall(line string) bool {
	for i := 1; i < len(line); i++ {
		if c := line[i-1]; line[i] == '(' && (c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9') {
			return true
		}
	}
	return false
}

// outsideFences gives the lines of a text that are not in fenced code blocks (``` or ~~~), without the fences. A fence
// that is not closed reaches to the end, as in CommonMark.
func outsideFences(text string) string {
	if !strings.Contains(text, "```") && !strings.Contains(text, "~~~") {
		return text
	}
	var b strings.Builder
	fence := ""
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		switch {
		case fence != "":
			if strings.HasPrefix(trimmed, fence) && strings.Trim(trimmed, fence[:1]) == "" {
				fence = ""
			}
		case strings.HasPrefix(trimmed, "```"), strings.HasPrefix(trimmed, "~~~"):
			fence = trimmed[:3]
		default:
			b.WriteString(line)
		}
	}
	return b.String()
}
