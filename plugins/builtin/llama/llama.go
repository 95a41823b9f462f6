// Package llama trains and runs Llama-style language models in this process, on the processor, without any other
// program: the trainer, the exporter and the generator named "llama".
//
// The three hand a model on:
//
//	records ── trainer ──► checkpoint ── exporter ──► GGUF file, or a ── generator ──► samples, answers, likelihoods
//	           train/      safetensors/               directory of       infer/
//	                       tokenizer.json             Hugging Face's
//	                                                  gguf/, hf/, bpe/
//
// A checkpoint is what training goes on from: parameters, the optimizer's moments, the tokenizer. An export is what is
// evaluated, promoted and shipped: the same file runs here, in llama.cpp and in Ollama, and the same directory in Hugging
// Face's transformers, and gives the same tokens there. The generator reads nothing but that, so what is evaluated is what is
// shipped.
//
// The architecture is plain Llama (package model) with a byte-level BPE tokenizer of Llama 3's kind (package bpe), and
// all arithmetic is float32 on the routines of package kernel. Results do not depend on the number of threads or on the
// size of batches, bit for bit; between processors of different kinds they may differ in the last bits.
//
// What it is for: models of up to some hundred million parameters, trained and sampled on ordinary machines. Larger ones
// work and are slow. Quantised files (see package gguf) are read as the float32 numbers that they stand for.
package llama

import (
	"time"

	"jupiter/plugins/sdk"
)

// Plugin serves the three stages.
func Plugin(version string) sdk.Plugin {
	g := &generator{now: time.Now}
	return sdk.Plugin{Name: "llama", Version: version, Stages: []sdk.Stage{
		generatorStage(g), trainerStage(g.models.forget), exporterStage(),
	}}
}
