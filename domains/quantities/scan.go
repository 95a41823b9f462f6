package quantities

// scanner reads numbers, words and literals from the front of a text. It never reads more than the text it was given,
// allocates nothing, and refuses numbers of more than maxDigits digits, so hostile input costs no more than its length.
type scanner struct{ rest string }

const maxDigits = 9 // fits an int of 32 bits

// number reads a decimal number without leading zeros.
func (s *scanner) number() (int, bool) {
	n, i := 0, 0
	for i < len(s.rest) && '0' <= s.rest[i] && s.rest[i] <= '9' {
		if i == maxDigits || i == 1 && s.rest[0] == '0' {
			return 0, false
		}
		n = n*10 + int(s.rest[i]-'0')
		i++
	}
	s.rest = s.rest[i:]
	return n, i > 0
}

// word reads a run of lower-case ASCII letters, which may be empty.
func (s *scanner) word() string {
	i := 0
	for i < len(s.rest) && 'a' <= s.rest[i] && s.rest[i] <= 'z' {
		i++
	}
	w := s.rest[:i]
	s.rest = s.rest[i:]
	return w
}

// term reads a number and its unit: "7ft".
func (s *scanner) term() (int, string, bool) {
	n, ok := s.number()
	if !ok {
		return 0, "", false
	}
	w := s.word()
	return n, w, w != ""
}

// literal reads lit if the text starts with it.
func (s *scanner) literal(lit string) bool {
	if len(s.rest) < len(lit) || s.rest[:len(lit)] != lit {
		return false
	}
	s.rest = s.rest[len(lit):]
	return true
}
