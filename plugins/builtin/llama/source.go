package llama

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/hf"
	"jupiter/plugins/builtin/llama/model"
	"jupiter/plugins/builtin/llama/peft"
	"jupiter/plugins/builtin/llama/train"
	"jupiter/plugins/sdk"
)

// What the exporter reads: checkpoints of this plugin's trainer, which package train draws, and those of trainers that
// fine-tune downloaded models:
//
//	trainer.json   {"format": 1, "trainer": NAME, "method": "full" or "lora", "step": N, …}; what else it says is its trainer's
//	model/         a directory of Hugging Face's: of the method full, and of every import
//	adapter/       PEFT's form, of the method lora: an adapter to the model/ of the base, the import that training began with
//	state/         optimizer and the like, the trainer's own
const (
	trainerFile = "trainer.json"
	modelPart   = "model"
	adapterPart = "adapter"

	maxTrainerFile = 16 << 20 // bytes
)

// source is a checkpoint, read for an export.
type source struct {
	weights   *model.Weights
	tokenizer *bpe.Tokenizer
	step      uint64
	facts     []hf.Fact // of its card
	notes     []string  // what a user should know: sentences
}

// madeBy is what trainer.json says of a checkpoint of another trainer.
type madeBy struct {
	Format  int    `json:"format"`
	Trainer string `json:"trainer"` // absent: this plugin's
	Method  string `json:"method"`
	Step    uint64 `json:"step"`
}

// trainerName is what a stage may be called.
var trainerName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

func readMadeBy(dir string) (madeBy, error) {
	var m madeBy
	f, err := os.Open(filepath.Join(dir, trainerFile))
	if err != nil {
		return m, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxTrainerFile+1))
	switch {
	case err != nil:
		return m, err
	case len(text) > maxTrainerFile:
		return m, fmt.Errorf("%s has more than %d bytes", trainerFile, maxTrainerFile)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("%s: %w", trainerFile, err)
	}
	if m.Trainer != "" && !trainerName.MatchString(m.Trainer) {
		return m, fmt.Errorf("%s: %.40q is no trainer's name", trainerFile, m.Trainer)
	}
	if m.Trainer != "" && m.Format != 1 {
		return m, fmt.Errorf("%s: trainer %.40q writes format %d, this program reads 1", trainerFile, m.Trainer, m.Format)
	}
	return m, nil
}

// readCheckpoint reads a checkpoint of either kind. base is what its training began with; nil: nothing.
func readCheckpoint(dir string, base *sdk.Artifact) (*source, error) {
	m, err := readMadeBy(dir)
	if err != nil {
		return nil, err
	}
	if m.Trainer == "" {
		cp, err := train.ReadModel(dir)
		if err != nil {
			return nil, err
		}
		return &source{weights: cp.Weights, tokenizer: cp.Tokenizer, step: cp.Info.Step, facts: lineage(cp)}, nil
	}
	whole, adapter := isDir(dir, modelPart), isDir(dir, adapterPart)
	s := &source{step: m.Step, facts: []hf.Fact{{What: "Began with", Is: "a model from elsewhere"}}}
	switch {
	case whole && adapter:
		return nil, fmt.Errorf("it has both %s and %s: which of them it is cannot be told", modelPart, adapterPart)
	case adapter && m.Method == "lora":
		err = s.adapted(filepath.Join(dir, adapterPart), base)
	case whole && (m.Method == "full" || m.Step == 0):
		if m.Step > 0 {
			s.facts = append(s.facts, hf.Fact{What: "Fine-tuned", Is: "all parameters"})
		}
		err = s.model(filepath.Join(dir, modelPart))
	default:
		return nil, fmt.Errorf("trainer %.40q made it by the method %.40q, at step %d: a checkpoint of \"full\" has the directory %s, and one of \"lora\" %s", m.Trainer, m.Method, m.Step, modelPart, adapterPart)
	}
	if err != nil {
		return nil, err
	}
	s.facts = append(s.facts, hf.Fact{What: "Trainer", Is: m.Trainer}, hf.Fact{What: "Steps", Is: strconv.FormatUint(m.Step, 10)})
	return s, nil
}

func isDir(dir, name string) bool {
	st, err := os.Stat(filepath.Join(dir, name))
	return err == nil && st.IsDir()
}

// model reads a directory of Hugging Face's.
func (s *source) model(dir string) error {
	m, err := hf.Read(dir)
	if err != nil {
		return err
	}
	s.weights, s.tokenizer, s.notes = m.Weights, m.Tokenizer, m.Notes
	return nil
}

// adapted reads the base, and merges an adapter into it.
func (s *source) adapted(dir string, base *sdk.Artifact) error {
	if base == nil {
		return errors.New("it is an adapter, and the model that it adapts did not come with it: the trainer's block says start = PATH, or begins with a trainer whose block does")
	}
	if !isDir(base.GetPath(), modelPart) {
		return fmt.Errorf("the model that it adapts is no import of a trainer that makes adapters: it has no %s", modelPart)
	}
	if err := s.model(filepath.Join(base.GetPath(), modelPart)); err != nil {
		return fmt.Errorf("the model that it adapts: %w", err)
	}
	what, err := mergeAdapter(dir, s.weights)
	if err != nil {
		return err
	}
	s.facts = append(s.facts, hf.Fact{What: "Fine-tuned", Is: what + ", merged"})
	return nil
}

// mergeAdapter merges an adapter of PEFT's into a model, and says what it is.
func mergeAdapter(dir string, w *model.Weights) (string, error) {
	a, err := peft.Open(dir)
	if err != nil {
		return "", fmt.Errorf("adapter: %w", err)
	}
	defer a.Close()
	if err := a.Merge(w); err != nil {
		return "", fmt.Errorf("adapter: %w", err)
	}
	return a.String(), nil
}

// lineage is what a checkpoint of this plugin's knows of where it comes from. An export is a function of the checkpoint, and is
// made before the model is judged: what came of it stands in the card that `jupiter export` writes.
func lineage(cp *train.Checkpoint) []hf.Fact {
	began := "parameters drawn from the seed"
	if cp.Info.Imported {
		began = "a model from elsewhere"
	}
	facts := []hf.Fact{
		{What: "Began with", Is: began},
		{What: "Steps", Is: fmt.Sprintf("%d, in %d updates of AdamW", cp.Info.Step, cp.Info.Updates)},
		{What: "Seed", Is: strconv.FormatUint(cp.Info.Seed, 10)},
	}
	for _, w := range cp.Info.Windows {
		facts = append(facts, hf.Fact{What: fmt.Sprintf("Data of steps %d to %d", w.Start, w.End), Is: w.Dataset})
	}
	if cp.Info.Real != "" {
		facts = append(facts, hf.Fact{What: "Data of the tokenizer", Is: cp.Info.Real})
	}
	return facts
}
