package host

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// minSecret is the length below which a value is no secret that could be told from ordinary text.
const minSecret = 4

// concealed stands for a secret in what a plugin says.
const concealed = "(sensitive)"

// Conceal names values that a plugin is told and that nothing may show: what a plugin says in an error, a diagnostic or on
// its standard error goes into terminals, journals and crash reports, and plugins repeat what they were told. Values
// shorter than minSecret bytes stay. It is to be called before the first call that a secret goes into.
func (h *Host) Conceal(values ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, secret := range values {
		if len(secret) < minSecret {
			continue
		}
		for _, v := range spellings(secret) {
			if !slices.Contains(h.secrets, v) {
				h.secrets = append(h.secrets, v)
			}
		}
	}
	// A secret that is a part of another one must not leave the rest of it.
	slices.SortFunc(h.secrets, func(a, b string) int { return len(b) - len(a) })
}

// spellings are the ways in which messages write a text down: as it is, quoted, in JSON, in a URL.
func spellings(v string) []string {
	quoted := strconv.Quote(v)
	all := []string{v, quoted[1 : len(quoted)-1], url.QueryEscape(v), url.PathEscape(v)}
	for _, html := range []bool{true, false} {
		var b strings.Builder
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(html)
		if e.Encode(v) == nil {
			text := strings.TrimSuffix(b.String(), "\n")
			all = append(all, text[1:len(text)-1])
		}
	}
	return all
}

// Hide gives a plugin's text without the values that were concealed.
func (h *Host) Hide(text string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, v := range h.secrets {
		text = strings.ReplaceAll(text, v, concealed)
	}
	return text
}

func (h *Host) hideAll(lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = h.Hide(l)
	}
	return out
}
