package hf

import "testing"

// Whatever config.json says, it is a shape that can be built, or an error.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"model_type":"llama","vocab_size":270,"hidden_size":16,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":6,"intermediate_size":24,` +
		`"max_position_embeddings":64,"rope_theta":500000,"rope_scaling":null,"rms_norm_eps":1e-6,"bos_token_id":0,"eos_token_id":[1,2]}`))
	f.Add([]byte(`{"model_type":"llama","rope_parameters":{"rope_type":"default","rope_theta":1e6},"num_attention_heads":1048576,"hidden_size":-2}`))
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
