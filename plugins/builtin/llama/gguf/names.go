package gguf

import (
	"strings"

	"jupiter/plugins/builtin/llama/model"
)

// tensorName gives the name of a Hugging Face tensor in a GGUF file.
func tensorName(hf string) string {
	switch hf {
	case "model.embed_tokens.weight":
		return "token_embd.weight"
	case "model.norm.weight":
		return "output_norm.weight"
	case "lm_head.weight":
		return "output.weight"
	case ropeFactors: // Hugging Face has no tensor of it
		return ropeFactors
	}
	layer, part, _ := strings.Cut(strings.TrimPrefix(hf, "model.layers."), ".")
	return "blk." + layer + "." + layerNames[strings.TrimSuffix(part, ".weight")] + ".weight"
}

var layerNames = map[string]string{
	"input_layernorm":          "attn_norm",
	"self_attn.q_proj":         "attn_q",
	"self_attn.k_proj":         "attn_k",
	"self_attn.v_proj":         "attn_v",
	"self_attn.o_proj":         "attn_output",
	"post_attention_layernorm": "ffn_norm",
	"mlp.gate_proj":            "ffn_gate",
	"mlp.up_proj":              "ffn_up",
	"mlp.down_proj":            "ffn_down",
}

// rotaryHeads is the number of heads whose rows a tensor holds and llama.cpp wants reordered; 0 for all but q and k.
func rotaryHeads(hf string, c model.Config) int {
	switch {
	case strings.HasSuffix(hf, ".q_proj.weight"):
		return c.Heads
	case strings.HasSuffix(hf, ".k_proj.weight"):
		return c.KVHeads
	}
	return 0
}

// reorder calls move(dst, src) for each row of a tensor of rows rows: dst is the row in the file, src in memory.
func reorder(rows, heads int, move func(dst, src int)) {
	if heads == 0 {
		for i := range rows {
			move(i, i)
		}
		return
	}
	half := rows / heads / 2
	for h := range heads {
		base := h * 2 * half
		for i := range half {
			move(base+2*i, base+i)
			move(base+2*i+1, base+half+i)
		}
	}
}
