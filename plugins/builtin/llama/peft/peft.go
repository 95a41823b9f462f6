// Package peft reads adapters as Hugging Face's PEFT writes them, and merges them into the model that they adapt.
//
// An adapter is a directory:
//
//	adapter_config.json        what it is: LoRA, its rank and alpha, the modules that it adapts
//	adapter_model.safetensors  base_model.model.NAME.lora_A.weight [r, in] and …lora_B.weight [out, r] of each module, and
//	                           base_model.model.NAME.weight of each that is saved whole (modules_to_save)
//
// Merged, a module's matrix W is W + s·B·A, where s is lora_alpha / r, or lora_alpha / √r with rsLoRA: the model that PEFT's
// merge_and_unload gives. It is all in Hugging Face's layout, as model.Weights is: what another format orders otherwise is
// ordered when that is written.
//
// What cannot be merged exactly is refused by name: DoRA and the other relatives of LoRA, other kinds of adapters, biases, tensors
// that a plain Llama does not have, shapes that are not the base's. A setting that this package does not know is refused where it
// is set at all, since it may change what the numbers mean.
package peft

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"jupiter/plugins/builtin/llama/model"
	"jupiter/plugins/builtin/llama/safetensors"
)

const (
	configFile  = "adapter_config.json"
	tensorsFile = "adapter_model.safetensors"
	maxConfig   = 1 << 20 // bytes
)

// Adapter is an open adapter.
type Adapter struct {
	config
	file *safetensors.File
}

// Open opens the adapter in dir. Close it when done.
func Open(dir string) (*Adapter, error) {
	text, err := small(filepath.Join(dir, configFile))
	if err != nil {
		return nil, err
	}
	c, err := parseConfig(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", configFile, err)
	}
	path := filepath.Join(dir, tensorsFile)
	if _, err := os.Stat(path); err != nil {
		if old, _ := filepath.Glob(filepath.Join(dir, "*.bin")); len(old) > 0 {
			return nil, fmt.Errorf("its parameters are in %s, which is no safetensors file: save it again with a newer PEFT", filepath.Base(old[0]))
		}
		return nil, fmt.Errorf("there is no %s", tensorsFile)
	}
	f, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	return &Adapter{c, f}, nil
}

// Close closes the adapter.
func (a *Adapter) Close() error { return a.file.Close() }

func small(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("it is no adapter of PEFT's: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err == nil && len(text) > maxConfig {
		err = fmt.Errorf("%s has more than %d bytes", filepath.Base(path), maxConfig)
	}
	return text, err
}

// Merge adds the adapter to w. After an error w may be changed in part.
func (a *Adapter) Merge(w *model.Weights) error {
	p, err := a.plan(w)
	if err != nil {
		return err
	}
	for _, x := range p.whole {
		if err := a.read(x.tensor, x.info.Shape, x.to); err != nil {
			return err
		}
	}
	for _, m := range p.modules {
		if err := a.add(m); err != nil {
			return err
		}
	}
	return nil
}

// add merges one module.
func (a *Adapter) add(m module) error {
	down, up := make([]float32, m.rank*m.in), make([]float32, m.out*m.rank)
	if err := a.read(m.tensors[0], m.a.Shape, down); err != nil {
		return err
	}
	if err := a.read(m.tensors[1], m.b.Shape, up); err != nil {
		return err
	}
	addProduct(m.to, up, down, m.out, m.in, m.rank, float32(m.scale))
	return nil
}

// read fills to with a tensor, whose numbers must be finite.
func (a *Adapter) read(name string, shape []int, to []float32) error {
	if err := a.file.Read(name, shape, to); err != nil {
		return err
	}
	for _, v := range to {
		if v-v != 0 {
			return fmt.Errorf("tensor %q holds %v", name, v)
		}
	}
	return nil
}

// String says what the adapter is: "LoRA of rank 8, alpha 16, on q_proj, v_proj".
func (a *Adapter) String() string {
	text := fmt.Sprintf("LoRA of rank %d, alpha %g", a.Rank, a.Alpha)
	if a.RSLoRA {
		text += ", rank-stabilised"
	}
	if on := a.on(); len(on) > 0 {
		text += ", on " + strings.Join(on, ", ")
	}
	return text
}
