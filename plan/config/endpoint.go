package config

import (
	"fmt"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"jupiter/plugins/schema"
)

// baseURL is the attribute of generators that ask a server: where it is.
const baseURL = "base_url"

// asks says whether a stage of this schema asks a server that its block names.
func (b Body) asks() bool {
	return slices.ContainsFunc(b.Schema.Attributes, func(a schema.Attribute) bool { return a.Name == baseURL && a.Type == cty.String })
}

// atEndpoint gives a generator the address of the server on the node that it names.
func (l *loader) atEndpoint(s *Stage) {
	if s.Node == "" || s.Kind != "generator" || s.Body.Schema == nil || s.Body.Value == cty.NilVal || !s.Body.asks() {
		return
	}
	for _, k := range l.cfg.Clusters {
		for _, n := range k.Nodes {
			if n.Name != s.Node || !n.serves() {
				continue
			}
			if a, said := s.Body.Attrs[baseURL]; said {
				l.add(problem(a.Range, "Two servers", fmt.Sprintf("The node %s is asked at its endpoint, %s: leave base_url out, or node.", n.Name, n.Endpoint)))
				return
			}
			m := s.Body.Value.AsValueMap()
			m[baseURL] = cty.StringVal(n.Endpoint)
			s.Body.Value = cty.ObjectVal(m)
			s.Body.Attrs[baseURL] = s.Attrs["node"]
			return
		}
	}
}
