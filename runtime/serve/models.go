package serve

import (
	"fmt"
	"net/http"

	"jupiter/runtime"
)

// A generator has the name NAME:vN. NAME alone is the one in use, whichever that is when it is asked.

func (s *Server) nameOf(m runtime.Model) string { return fmt.Sprintf("%s:v%d", s.o.Name, m.Version) }

// stands says whether NAME is this generator.
func (s *Server) stands(m runtime.Model) bool {
	return s.o.Version == 0 && m.Current || s.o.Version == m.Version
}

// offered are the generators that may be asked: all, or the one that was chosen.
func (s *Server) offered(all []runtime.Model) (out []runtime.Model) {
	for _, m := range all {
		if s.o.Version == 0 || s.o.Version == m.Version {
			out = append(out, m)
		}
	}
	return out
}

type listed struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

func (s *Server) listed(name string, m runtime.Model) listed {
	return listed{name, "model", m.Made.Unix(), "jupiter"}
}

// models is GET /v1/models: NAME first, then all that are kept, newest first.
func (s *Server) models(x *exchange, r *http.Request) error {
	all, err := s.engine.Models(r.Context())
	if err != nil {
		return err
	}
	list := []listed{}
	offered := s.offered(all)
	for i := range offered {
		m := offered[len(offered)-1-i]
		list = append(list, s.listed(s.nameOf(m), m))
		if s.stands(m) {
			list = append([]listed{s.listed(s.o.Name, m)}, list...)
		}
	}
	return x.json(map[string]any{"object": "list", "data": list})
}

// model is GET /v1/models/NAME.
func (s *Server) model(x *exchange, r *http.Request) error {
	name := r.PathValue("model")
	m, err := s.find(r.Context(), name)
	if err != nil {
		return err
	}
	return x.json(s.listed(name, m))
}

// health is GET /health: 200 where there is a generator to ask, else 503. It says what the name stands for.
func (s *Server) health(x *exchange, r *http.Request) error {
	m, err := s.find(r.Context(), s.o.Name)
	if err != nil {
		return &apiError{status: http.StatusServiceUnavailable, typ: serverError, message: err.Error()}
	}
	return x.json(map[string]any{"status": "ok", "model": s.nameOf(m)})
}
