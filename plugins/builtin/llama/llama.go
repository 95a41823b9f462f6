// Package llama trains and runs Llama-style language models in this process, on the processor, without any other
// program: the trainer, the exporter and the generator named "llama".
//
// The three hand a model on:
//
//	records ── trainer ──► checkpoint ── exporter ──► GGUF file ── generator ──► samples, answers, likelihoods
//	           train/      safetensors/               gguf/        infer/
//	                       tokenizer.json             bpe/
//
// A checkpoint is what training goes on from: parameters, the optimizer's moments, the tokenizer. A GGUF file is what is
// evaluated, promoted and shipped: the same file runs here, in llama.cpp and in Ollama, and gives the same tokens there.
// The generator reads nothing but that file, so what is evaluated is what is shipped.
//
// The architecture is plain Llama (package model) with a byte-level BPE tokenizer of Llama 3's kind (package bpe), and
// all arithmetic is float32 on the routines of package kernel. Results do not depend on the number of threads or on the
// size of batches, bit for bit; between processors of different kinds they may differ in the last bits.
//
// What it is for: models of up to some hundred million parameters, trained and sampled on ordinary machines. Larger ones
// work and are slow. Quantised files are not read; a generator for served models runs those.
package llama

import (
	"time"

	"jupiter/plugins/sdk"
)

// Plugin serves the three stages.
func Plugin(version string) sdk.Plugin {
	return sdk.Plugin{Name: "llama", Version: version, Stages: []sdk.Stage{
		generatorStage(time.Now), trainerStage(), exporterStage(),
	}}
}
