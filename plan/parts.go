package plan

import (
	"encoding/json"
)

// partsJSON writes parts as encoding/json does, keys sorted. An identity is a hash of these bytes, so they never change.
func partsJSON(parts map[string]string) []byte {
	size := 2
	for name, value := range parts {
		size += len(name) + len(value) + 8
	}
	b := append(make([]byte, 0, size), '{')
	for i, name := range sorted(parts) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, name), ':')
		b = appendText(b, parts[name])
	}
	return append(b, '}')
}

// appendText writes a text as encoding/json does. Printable ASCII is written here, all else by encoding/json.
func appendText(b []byte, s string) []byte {
	start := len(b)
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ' || c > '~' || c == '<' || c == '>' || c == '&':
			text, err := json.Marshal(s)
			if err != nil {
				panic(err) // strings always marshal
			}
			return append(b[:start], text...)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
