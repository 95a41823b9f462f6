package hf

import (
	"path/filepath"
	"slices"
	"testing"
)

// Whatever config.json says, it is a shape that can be built, or an error.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"model_type":"llama","vocab_size":270,"hidden_size":16,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":6,"intermediate_size":24,` +
		`"max_position_embeddings":64,"rope_theta":500000,"rope_scaling":null,"rms_norm_eps":1e-6,"bos_token_id":0,"eos_token_id":[1,2]}`))
	f.Add([]byte(`{"model_type":"llama","rope_parameters":{"rope_type":"default","rope_theta":1e6},"num_attention_heads":1048576,"hidden_size":-2}`))
	f.Add([]byte(`{"model_type":"llama","rope_scaling":{"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":8192},"hidden_size":16,` +
		`"num_attention_heads":4,"vocab_size":9,"num_hidden_layers":1,"intermediate_size":3,"max_position_embeddings":7}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseConfig(data)
		if err != nil {
			return
		}
		s, err := c.shape()
		if err != nil {
			return
		}
		if err := s.Validate(); err != nil {
			t.Errorf("accepted, but %v", err)
		}
	})
}

// Whatever an index says, its files are beside it, each named once.
func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"metadata": {"total_size": 1}, "weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}`))
	f.Add([]byte(`{"weight_map": {"a": "../x.safetensors", "b": ".safetensors"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		names, err := parseIndex(data)
		if err != nil {
			return
		}
		for i, n := range names {
			if !filepath.IsLocal(n) || filepath.Dir(n) != "." || slices.Contains(names[:i], n) {
				t.Errorf("accepted %q of %q", n, names)
			}
		}
	})
}
