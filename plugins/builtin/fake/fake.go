// Package fake has one stage of every kind, all named "fake", for tests of pipelines. They do what their kind promises,
// in no time, on a domain that needs no learning, and they fail on demand. Nothing else is to be done with them.
//
// The domain: the question "fake 17:" has the answer "17". Its key is "fake 17". A wrong answer is the next number.
//
// The model: a number from 0 to 1, its quality. Whether a model answers a question rightly depends on a hash of the
// question alone: it does when the hash, as a fraction, is below its quality. So the better of two models knows all that
// the other knows, and the share of right answers is the quality. The trainer writes a checkpoint whose quality has
// risen by gain each step, the exporter copies it into a model file, and the generator answers as that file says, or as
// its own quality says where it is given no model. A sample's hash takes in the sample's seed too, so the right share
// of samples is the quality as well.
//
// Every stage has the attributes of Faults. They are operational: to set or remove a fault changes no action and no
// lineage, so a pipeline that a fault broke off goes on from its partial. Stages that could need a secret have those of
// Key.
package fake

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"jupiter/plugins/sdk"
)

// ModelMediaType is that of the file that the exporter writes and the generator reads.
const ModelMediaType = "application/vnd.jupiter.fake-model+json"

// Plugin serves all fake stages.
func Plugin(version string) sdk.Plugin {
	return sdk.Plugin{Name: "fake", Version: version, Stages: Stages()}
}

// Stages gives one stage of every kind.
func Stages() []sdk.Stage {
	return []sdk.Stage{
		collectorStage(), generatorStage(), filterStage(), verifierStage(), trainerStage(), evaluatorStage(), exporterStage(),
	}
}

func options(description string) sdk.Options {
	return sdk.Options{Description: "For tests of pipelines. " + description, Revision: 1, Deterministic: true, Concurrent: true}
}

// Prompt is the question about n.
func Prompt(n uint64) string { return fmt.Sprintf("fake %d:", n) }

// Parse reads a prompt.
func Parse(prompt string) (n uint64, ok bool) {
	digits, isFake := strings.CutPrefix(prompt, "fake ")
	digits, isClosed := strings.CutSuffix(digits, ":")
	n, err := strconv.ParseUint(digits, 10, 63)
	return n, isFake && isClosed && err == nil && Prompt(n) == prompt
}

// answer is what a model of some quality says; salt tells samples of one question apart, and is 0 for greedy answers.
func answer(prompt string, quality float64, salt uint64) string {
	n, ok := Parse(prompt)
	if !ok {
		return "?"
	}
	if !happens(quality, prompt, salt) {
		n++
	}
	return strconv.FormatUint(n, 10)
}

// happens decides an event of a given probability by a hash: always the same way.
func happens(probability float64, what string, salt uint64) bool {
	return float64(hash(what, salt)>>11)/(1<<53) < probability
}

func hash(what string, salt uint64) uint64 {
	h := fnv.New64a()
	h.Write(binary.LittleEndian.AppendUint64([]byte(what), salt))
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd // the finaliser of MurmurHash3: FNV alone leaves the high bits of short texts alike
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// model is what checkpoints and model files hold.
type model struct {
	Step    uint64  `json:"step"`
	Quality float64 `json:"quality"`

	// Of an adapter: the quality of its base, which it does not hold. Its own Quality is what was learnt.
	On *float64 `json:"on,omitempty"`
}

// merged is what an adapter makes of its base, and any other model as it is.
func (m model) merged(base *sdk.Artifact) (model, error) {
	if m.On == nil {
		return m, nil
	}
	if base == nil {
		return m, errors.New("an adapter needs its base")
	}
	b, err := readModel(base)
	if err != nil {
		return m, err
	}
	if b.Quality != *m.On {
		return m, fmt.Errorf("an adapter to a model of quality %g has a base of quality %g", *m.On, b.Quality)
	}
	return model{Step: m.Step, Quality: max(0, min(1, b.Quality+m.Quality))}, nil
}

// readModel reads the file of an artifact, or the only file of an artifact that is a directory.
func readModel(a *sdk.Artifact) (model, error) {
	var m model
	path := a.GetPath()
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, modelFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("%s is no fake model: %w", path, err)
	}
	return m, nil
}

const modelFile = "model.json"

// importModel takes a model from elsewhere: a file such as {"quality": 0.4}, or a directory with one named model.json.
func importModel(c *sdk.Call, name, mediaType, path string, emit func(*sdk.Output) error) error {
	m, err := readModel(&sdk.Artifact{Path: path})
	if err != nil {
		return err
	}
	if m.Quality < 0 || m.Quality > 1 {
		return fmt.Errorf("%s is no fake model: its quality is %g", path, m.Quality)
	}
	m.Step = 0
	file, err := writeModel(c.WorkDir, modelFile, m)
	if err != nil {
		return err
	}
	return emit(&sdk.Output{Name: name, MediaType: mediaType, Path: file, Meta: map[string]string{"format": "fake", "parameters": "1"}})
}

// writeModel writes a model below the work directory, and gives its path relative to that.
func writeModel(workDir, name string, m model) (string, error) {
	data, err := json.Marshal(m)
	if err != nil {
		return "", err
	}
	return name, os.WriteFile(filepath.Join(workDir, name), append(data, '\n'), 0o644)
}
