package peft

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"

	"jupiter/plugins/builtin/llama/kernel"
	"jupiter/plugins/builtin/llama/model"
	"jupiter/plugins/builtin/llama/safetensors"
)

const (
	prefix    = "base_model.model."
	embedding = "model.embed_tokens"
	output    = "lm_head"
)

// module is one matrix that is adapted.
type module struct {
	name          string
	a, b          *safetensors.Info
	tensors       [2]string // names of A and B in the file
	rank, in, out int
	scale         float64
	to            []float32 // [out, in]
}

// whole is a tensor that takes the place of the base's.
type whole struct {
	tensor string // name in the file
	info   safetensors.Info
	to     []float32
}

type plan struct {
	modules []module
	whole   []whole
}

// plan finds what is to be done to a model with each tensor of the adapter, and that none is missing.
func (a *Adapter) plan(w *model.Weights) (*plan, error) {
	base := map[string]model.Tensor{}
	for _, t := range w.Tensors() {
		base[t.Name] = t
	}
	p, found := &plan{}, map[string]*module{}
	var saved []string
	for i, x := range a.file.Tensors {
		name, ok := strings.CutPrefix(x.Name, prefix)
		if !ok {
			return nil, fmt.Errorf("tensor %.100q: an adapter's begin with %q", x.Name, prefix)
		}
		if part, of := half(name); of != "" {
			m := found[of]
			if m == nil {
				m = &module{name: of}
				found[of] = m
			}
			m.tensors[part] = x.Name
			if part == 0 {
				m.a = &a.file.Tensors[i]
			} else {
				m.b = &a.file.Tensors[i]
			}
			continue
		}
		if name == output+".weight" && w.Tied {
			saved = append(saved, x.Name)
			continue
		}
		t, ok := base[name]
		if !ok {
			return nil, fmt.Errorf("tensor %.100q %s", x.Name, foreign(name))
		}
		if !slices.Equal(x.Shape, t.Shape) {
			return nil, fmt.Errorf("tensor %q has shape %v, and the base's %v: it is an adapter to another model", x.Name, x.Shape, t.Shape)
		}
		if name == embedding+".weight" && w.Tied {
			saved = append(saved, x.Name)
		}
		p.whole = append(p.whole, whole{x.Name, x, t.Data})
	}
	if err := a.tied(w, saved); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		m := found[name]
		if err := a.fit(m, base, w.Tied); err != nil {
			return nil, err
		}
		p.modules = append(p.modules, *m)
	}
	return p, a.complete(base, found)
}

// half says which factor of which module a tensor is; "": none.
func half(name string) (part int, module string) {
	for part, suffix := range []string{".lora_A.weight", ".lora_B.weight"} {
		if module, ok := strings.CutSuffix(name, suffix); ok {
			return part, module
		}
	}
	return 0, ""
}

// foreign says what a tensor that no plain LoRA has is a part of.
func foreign(name string) string {
	for _, k := range []struct{ part, is string }{
		{"lora_magnitude_vector", "is one of DoRA, which is not supported"},
		{"lora_embedding_", "adapts the embedding, which is not supported: have it saved whole (modules_to_save)"},
		{"ia3_l", "is one of IA3, which is not supported"},
		{".bias", "is a bias, which a plain Llama does not have"},
		{".lora_", "is of a kind of LoRA that is not supported"},
	} {
		if strings.Contains(name, k.part) {
			return k.is
		}
	}
	return "is no part of an adapter to this model"
}

// fit checks both factors of a module against the base.
func (a *Adapter) fit(m *module, base map[string]model.Tensor, tied bool) (err error) {
	t, ok := base[m.name+".weight"]
	switch {
	case m.a == nil || m.b == nil:
		return fmt.Errorf("module %.100q has one of its two factors alone", m.name)
	case m.name == output && tied:
		return fmt.Errorf("the adapter is to %s, and the base's embedding is its output matrix too: merged they would be two", output)
	case !ok || len(t.Shape) != 2 || m.name == embedding || !a.targets(m.name):
		return fmt.Errorf("module %.100q is none that the adapter's configuration and the base have", m.name)
	}
	if m.scale, m.rank, err = a.scale(m.name); err != nil {
		return err
	}
	m.out, m.in, m.to = t.Shape[0], t.Shape[1], t.Data
	for i, want := range [][]int{{m.rank, m.in}, {m.out, m.rank}} {
		if have := []*safetensors.Info{m.a, m.b}[i]; !slices.Equal(have.Shape, want) {
			return fmt.Errorf("tensor %q has shape %v; rank %d and the base ask for %v", m.tensors[i], have.Shape, m.rank, want)
		}
	}
	return nil
}

// tied decides on an embedding and an output matrix that are saved whole where the base has one matrix for both. Two that
// differ would be another architecture; so would one alone, but for where PEFT was told to keep them one.
func (a *Adapter) tied(w *model.Weights, saved []string) error {
	if len(saved) == 0 || len(saved) == 1 && saved[0] == prefix+embedding+".weight" && a.tie {
		return nil
	}
	if len(saved) < 2 {
		return fmt.Errorf("tensor %q is saved whole, and the base's embedding is its output matrix too: merged they would be two (ensure_weight_tying keeps them one)", saved[0])
	}
	both := [2][]float32{}
	for i, name := range saved {
		both[i] = make([]float32, len(w.Embed))
		if err := a.read(name, []int{w.Vocab, w.Dim}, both[i]); err != nil {
			return err
		}
	}
	if !slices.Equal(both[0], both[1]) {
		return fmt.Errorf("tensors %q and %q differ, and the base has one matrix for both", saved[0], saved[1])
	}
	return nil
}

// complete finds that every module of the base which the configuration names is there. Which ones a pattern or a choice of
// layers names is not looked into.
func (a *Adapter) complete(base map[string]model.Tensor, found map[string]*module) error {
	if len(found) == 0 {
		return fmt.Errorf("%s has no factors of a LoRA", tensorsFile)
	}
	if a.Targets == nil || a.some {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(base)) {
		m, _ := strings.CutSuffix(name, ".weight")
		if len(base[name].Shape) == 2 && found[m] == nil && a.targets(m) {
			return fmt.Errorf("target_modules has %s, and %s does not", m, tensorsFile)
		}
	}
	return nil
}

// addProduct adds scale·B·A to W [out, in], where B is [out, rank] and A [rank, in]. A row of the product is summed up by itself
// before it is added: it is small beside W's.
func addProduct(w, b, a []float32, out, in, rank int, scale float32) {
	var wg sync.WaitGroup
	workers := min(out, runtime.GOMAXPROCS(0))
	for k := range workers {
		wg.Go(func() {
			sum := make([]float32, in)
			for o := k * out / workers; o < (k+1)*out/workers; o++ {
				clear(sum)
				for r := range rank {
					kernel.Axpy(sum, a[r*in:(r+1)*in], b[o*rank+r])
				}
				kernel.Axpy(w[o*in:(o+1)*in], sum, scale)
			}
		})
	}
	wg.Wait()
}
