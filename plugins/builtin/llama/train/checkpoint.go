package train

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/hf"
	"jupiter/plugins/builtin/llama/model"
	"jupiter/plugins/builtin/llama/safetensors"
)

// A checkpoint is a directory, which Hugging Face's tools read as a model:
//
//	model.safetensors      the parameters under their Hugging Face names
//	optimizer.safetensors  "m." and "v." before the same names: AdamW's moments
//	trainer.json           Info
//	tokenizer.json         the tokenizer, as its package wrote it
//	config.json, generation_config.json, tokenizer_config.json
//	                       for those tools: a checkpoint without them is read all the same
//
// Its bytes are a pure function of the state. Dropout needs no state: it is a function of the seed and of Info.Updates.
const (
	modelFile     = "model.safetensors"
	optimizerFile = "optimizer.safetensors"
	infoFile      = "trainer.json"
	tokenizerFile = "tokenizer.json"
)

// infoFormat is raised when trainer.json changes its meaning.
const infoFormat = 1

// maxSmallFile bounds trainer.json and tokenizer.json on reading.
const maxSmallFile = 256 << 20

// Info is what a checkpoint says of itself.
type Info struct {
	Format      int          `json:"format"`
	Step        uint64       `json:"step"`         // of the whole run
	WindowStart uint64       `json:"window_start"` // first step of the window that the checkpoint was made in
	WindowEnd   uint64       `json:"window_end"`   // the step after its last
	Updates     uint64       `json:"updates"`      // that the optimizer has made: the moments' age
	Seed        uint64       `json:"seed"`         // of the call that made the checkpoint
	Tokenizer   string       `json:"tokenizer"`    // file name
	Kernel      string       `json:"kernel"`       // implementation whose rounding the run has
	Model       model.Config `json:"model"`

	Windows []Window `json:"windows,omitempty"`   // what was learnt from, a line a window
	Real    string   `json:"real_data,omitempty"` // digest of the records that the tokenizer was trained on

	Imported bool       `json:"imported,omitempty"`       // the run began with parameters from elsewhere: see Options.OneRate
	Special  *bpe.Names `json:"special_tokens,omitempty"` // of the tokenizer; absent: bpe.OwnNames
}

// Window is a run of steps on one dataset.
type Window struct {
	Start   uint64 `json:"start"`
	End     uint64 `json:"end"`     // the step after the last that the checkpoint has seen
	Dataset string `json:"dataset"` // digest
}

// Checkpoint is a state of training.
type Checkpoint struct {
	Info      Info // Format, Updates, Tokenizer, Model and Special are set by WriteCheckpoint
	Weights   *model.Weights
	Moments   Moments
	Tokenizer *bpe.Tokenizer
}

// WriteCheckpoint writes c into a new directory. On an error the directory may be left incomplete.
func WriteCheckpoint(dir string, c Checkpoint) error {
	if c.Tokenizer == nil {
		return errors.New("a checkpoint needs its tokenizer")
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	tensors := named("", c.Weights.Tensors())
	if err := safetensors.WriteFile(filepath.Join(dir, modelFile), map[string]string{"format": "pt"}, tensors); err != nil {
		return err
	}
	moments := append(named("m.", c.Weights.TensorsOf(c.Moments.M)), named("v.", c.Weights.TensorsOf(c.Moments.V))...)
	if err := safetensors.WriteFile(filepath.Join(dir, optimizerFile), nil, moments); err != nil {
		return err
	}
	info := c.Info
	info.Format, info.Updates, info.Tokenizer, info.Model = infoFormat, c.Moments.Updates, tokenizerFile, c.Weights.Config
	info.Special = nil
	if names := c.Tokenizer.Names(); names != bpe.OwnNames() {
		info.Special = &names
	}
	text, err := json.MarshalIndent(info, "", "  ")
	if err != nil {
		return err
	}
	for _, f := range hf.Describe(c.Weights.Config, c.Tokenizer, safetensors.F32) { // the tokenizer is among them
		if err := writeFile(filepath.Join(dir, f.Name), f.Data); err != nil {
			return err
		}
	}
	return writeFile(filepath.Join(dir, infoFile), append(text, '\n'))
}

func named(prefix string, ts []model.Tensor) []safetensors.Tensor {
	out := make([]safetensors.Tensor, len(ts))
	for i, t := range ts {
		out[i] = safetensors.Tensor{Name: prefix + t.Name, Shape: t.Shape, Data: t.Data}
	}
	return out
}

func writeFile(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// ReadModel reads a checkpoint without its moments: what an exporter needs.
func ReadModel(dir string) (*Checkpoint, error) {
	text, err := readSmall(filepath.Join(dir, infoFile))
	if err != nil {
		return nil, err
	}
	c := &Checkpoint{}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&c.Info); err != nil {
		return nil, fmt.Errorf("read %s: %w", infoFile, err)
	}
	if c.Info.Format != infoFormat {
		return nil, fmt.Errorf("read %s: format %d, this program reads %d", infoFile, c.Info.Format, infoFormat)
	}
	if err := c.Info.Model.Validate(); err != nil {
		return nil, fmt.Errorf("read %s: model: %w", infoFile, err)
	}
	if c.Info.Tokenizer != tokenizerFile {
		return nil, fmt.Errorf("read %s: tokenizer %q, want %q", infoFile, c.Info.Tokenizer, tokenizerFile)
	}
	if c.Tokenizer, err = readTokenizer(dir, c.Info.Special); err != nil {
		return nil, err
	}
	f, err := safetensors.Open(filepath.Join(dir, modelFile))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// Only a file that holds as many tensors makes the memory that the configuration asks for.
	if err := sized(filepath.Join(dir, modelFile), c.Info.Model.Params()); err != nil {
		return nil, err
	}
	c.Weights = model.New(c.Info.Model)
	return c, readTensors(f, "", c.Weights.Tensors())
}

func readTokenizer(dir string, special *bpe.Names) (*bpe.Tokenizer, error) {
	data, err := readSmall(filepath.Join(dir, tokenizerFile))
	if err != nil {
		return nil, err
	}
	names := bpe.OwnNames()
	if special != nil {
		names = *special
	}
	return bpe.FromJSONAs(data, names)
}

// ReadCheckpoint reads all of a checkpoint.
func ReadCheckpoint(dir string) (*Checkpoint, error) {
	c, err := ReadModel(dir)
	if err != nil {
		return nil, err
	}
	n := len(c.Weights.Flat)
	path := filepath.Join(dir, optimizerFile)
	if err := sized(path, 2*n); err != nil {
		return nil, err
	}
	f, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c.Moments = Moments{M: make([]float32, n), V: make([]float32, n), Updates: c.Info.Updates}
	if err := readTensors(f, "m.", c.Weights.TensorsOf(c.Moments.M)); err != nil {
		return nil, err
	}
	return c, readTensors(f, "v.", c.Weights.TensorsOf(c.Moments.V))
}

// sized refuses a file that is too short for n numbers.
func sized(path string, n int) error {
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	if st.Size() < 4*int64(n) {
		return fmt.Errorf("read %s: %d bytes for %d numbers", path, st.Size(), n)
	}
	return nil
}

func readTensors(f *safetensors.File, prefix string, ts []model.Tensor) error {
	for _, t := range ts {
		if err := f.Read(prefix+t.Name, t.Shape, t.Data); err != nil {
			return err
		}
	}
	return nil
}

func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSmallFile+1))
	if err == nil && len(data) > maxSmallFile {
		err = fmt.Errorf("read %s: more than %d bytes", path, maxSmallFile)
	}
	return data, err
}
