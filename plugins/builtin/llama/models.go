package llama

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"jupiter/plugins/builtin/llama/infer"
	"jupiter/plugins/sdk"
)

// maxLoaded is how many models are kept ready: the two that an evaluation compares.
const maxLoaded = 2

// models keeps the models that were used last, by the digest of their artifact. The zero value is ready.
type models struct {
	mu     sync.Mutex
	recent []*loaded // used last comes last
}

type loaded struct {
	digest string
	load   func() (*infer.Model, error)
	shared map[spread]*infer.Shared // models.mu is held
}

// spread is how calls that share a model have their work done.
type spread struct{ threads, batch int }

// get gives an artifact's model, reading it where it is not at hand. Two calls for the same one read it once.
func (m *models) get(a *sdk.Artifact) (*infer.Model, error) {
	if a == nil {
		return nil, fmt.Errorf("there is no model: the generator's attribute model must name a trainer or a model from elsewhere")
	}
	if a.GetDigest() == "" {
		return load(a.GetPath())
	}
	return m.entry(a).load()
}

// share gives an artifact's model, and what calls with the same options have their texts continued by, together.
func (m *models) share(a *sdk.Artifact, o infer.Options) (*infer.Model, *infer.Shared, error) {
	model, err := m.get(a)
	if err != nil {
		return nil, nil, err
	}
	s, err := infer.NewShared(model, o)
	if err != nil || a.GetDigest() == "" {
		return model, s, err
	}
	l, by := m.entry(a), spread{o.Threads, o.Batch}
	m.mu.Lock()
	defer m.mu.Unlock()
	if l.shared[by] == nil {
		if l.shared == nil {
			l.shared = map[spread]*infer.Shared{}
		}
		l.shared[by] = s
	}
	return model, l.shared[by], nil
}

func (m *models) entry(a *sdk.Artifact) *loaded {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.recent, func(l *loaded) bool { return l.digest == a.GetDigest() })
	if i >= 0 {
		l := m.recent[i]
		m.recent = append(slices.Delete(m.recent, i, i+1), l)
		return l
	}
	l := &loaded{digest: a.GetDigest()}
	path := a.GetPath()
	l.load = sync.OnceValues(func() (*infer.Model, error) {
		model, err := load(path)
		if err != nil {
			m.drop(l) // the next call tries again
		}
		return model, err
	})
	m.recent = append(m.recent, l)
	if len(m.recent) > maxLoaded {
		m.recent = slices.Delete(m.recent, 0, 1)
	}
	return l
}

func (m *models) drop(l *loaded) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.recent = slices.DeleteFunc(m.recent, func(x *loaded) bool { return x == l })
}

// forget lets go of all models: who trains in this process needs the memory. Calls that use one keep it until they end.
func (m *models) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.recent = nil
}

// load reads a GGUF file, or the model in a directory: one of Hugging Face's, or the one GGUF file.
func load(path string) (*infer.Model, error) {
	f, err := readModel(path)
	if err != nil {
		return nil, err
	}
	return infer.New(f.weights, f.tokenizer)
}

// onlyGGUF finds the one GGUF file of a directory.
func onlyGGUF(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool { return filepath.Ext(e.Name()) != ".gguf" })
	if len(entries) != 1 {
		return "", fmt.Errorf("directory %s holds %d GGUF files: it must hold exactly one", dir, len(entries))
	}
	return filepath.Join(dir, entries[0].Name()), nil
}
