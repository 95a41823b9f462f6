package peft

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jupiter/plugins/builtin/llama/model"
	"jupiter/plugins/builtin/llama/safetensors"
)

// shape is that of reference.py's models.
func shape(scale int, tied bool) model.Config {
	return model.Config{Vocab: 11 * scale, Dim: 8 * scale, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 2 * scale, FFN: 12 * scale, Context: 32, RopeTheta: 10000, NormEps: 1e-6, Tied: tied}
}

// weights reads a model's parameters.
func weights(t *testing.T, path string, c model.Config) *model.Weights {
	t.Helper()
	f, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := model.New(c)
	for _, x := range w.Tensors() {
		if err := f.Read(x.Name, x.Shape, x.Data); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func opened(t *testing.T, dir string) *Adapter {
	t.Helper()
	a, err := Open(dir)
	if err != nil {
		t.Fatalf("%s: %v", dir, err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// tensor reads a tensor of an adapter; nil: it has none of that name.
func tensor(t *testing.T, a *Adapter, name string) (data []float32, shape []int) {
	t.Helper()
	i := slices.IndexFunc(a.file.Tensors, func(x safetensors.Info) bool { return x.Name == name })
	if i < 0 {
		return nil, nil
	}
	n, shape := 1, a.file.Tensors[i].Shape
	for _, s := range shape {
		n *= s
	}
	data = make([]float32, n)
	if err := a.file.Read(name, shape, data); err != nil {
		t.Fatal(err)
	}
	return data, shape
}

// slow is the model that an adapter makes, each number by itself in float64.
func slow(t *testing.T, a *Adapter, w *model.Weights) (out []float64) {
	t.Helper()
	for _, x := range w.Tensors() {
		name, data := strings.TrimSuffix(x.Name, ".weight"), x.Data
		if saved, _ := tensor(t, a, prefix+x.Name); saved != nil {
			data = saved
		}
		sum := make([]float64, len(data))
		if down, at := tensor(t, a, prefix+name+".lora_A.weight"); down != nil {
			up, _ := tensor(t, a, prefix+name+".lora_B.weight")
			s, _, err := a.scale(name)
			if err != nil {
				t.Fatal(err)
			}
			r, cols := at[0], at[1]
			for i := range sum {
				for k := range r {
					sum[i] += s * float64(up[i/cols*r+k]) * float64(down[k*cols+i%cols])
				}
			}
		}
		for i := range data {
			out = append(out, float64(data[i])+sum[i])
		}
	}
	return out
}

// tolerance is how far a number may be from PEFT's, and from one found in float64: some roundings of float32 at the size of the
// numbers.
func tolerance(want float64) float64 { return 2e-6 * (1 + math.Abs(want)) }

// asPEFT merges each adapter in dir, and compares with what PEFT made of it.
func asPEFT(t *testing.T, dir string, scale int) {
	t.Helper()
	for name, tied := range map[string]bool{"attention": false, "all": true, "patterns": false, "whole": false, "whole-tied": true, "head": false, "some-layers": false} {
		at := filepath.Join(dir, name)
		a := opened(t, at)
		base := weights(t, filepath.Join(at, "base.safetensors"), shape(scale, tied))
		want := weights(t, filepath.Join(at, "merged.safetensors"), base.Config)
		exact := slow(t, a, base)
		got := base.Clone()
		if err := a.Merge(got); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if slices.Equal(got.Flat, base.Flat) {
			t.Errorf("%s: the adapter changes nothing", name)
		}
		var worst float64
		for i, v := range got.Flat {
			for what, other := range map[string]float64{"PEFT": float64(want.Flat[i]), "float64": exact[i]} {
				d := math.Abs(float64(v) - other)
				if worst = max(worst, d); !(d <= tolerance(other)) {
					t.Fatalf("%s: parameter %d is %v, and %v by %s", name, i, v, other, what)
				}
			}
		}
		t.Logf("%s: %v: numbers differ by at most %.2g", name, a, worst)
	}
}

// What merge_and_unload makes of adapters of each kind, as testdata/reference.py has stored it.
func TestMergesAsPEFT(t *testing.T) {
	t.Parallel()
	asPEFT(t, "testdata", 1)
}

// The same with a PEFT that is there, on larger models. PEFT_PYTHON names a Python that has peft, transformers and torch.
func TestMergesAsPEFTDoes(t *testing.T) {
	t.Parallel()
	python := os.Getenv("PEFT_PYTHON")
	if python == "" {
		t.Skip("NOT TESTED: set PEFT_PYTHON to a Python that has peft, transformers and torch; what they gave once is compared by TestMergesAsPEFT")
	}
	dir := t.TempDir()
	cmd := exec.Command(python, "testdata/reference.py", dir, "--seed", "7", "--scale", "6")
	cmd.Env = append(os.Environ(), "HF_HUB_OFFLINE=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	asPEFT(t, dir, 6)
}

func TestString(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"attention": "LoRA of rank 2, alpha 4, on q_proj, v_proj",
		"all":       "LoRA of rank 3, alpha 5, rank-stabilised, on down_proj, gate_proj, k_proj, o_proj, q_proj, up_proj, v_proj",
	} {
		if got := opened(t, filepath.Join("testdata", name)).String(); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}
