"""Writes rope.json: the rotary frequencies that Hugging Face's transformers takes from a model's configuration.

    pip install transformers torch    then    python rope.py > rope.json

The first two shapes are those of Llama 3.1 8B and Llama 3.2 1B.
"""

import json

from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

CASES = [
    {"head_dim": 128, "rope_theta": 500000.0, "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}},
    {"head_dim": 64, "rope_theta": 500000.0, "rope_scaling": {"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}},
    {"head_dim": 16, "rope_theta": 1000.0, "rope_scaling": {"rope_type": "llama3", "factor": 3.5, "low_freq_factor": 0.5, "high_freq_factor": 3.25, "original_max_position_embeddings": 40}},
    {"head_dim": 64, "rope_theta": 10000.0, "rope_scaling": {"rope_type": "linear", "factor": 2.5}},
    {"head_dim": 64, "rope_theta": 100000.0, "rope_scaling": None},
]  # fmt: skip

for case in CASES:
    config = LlamaConfig(hidden_size=2 * case["head_dim"], num_attention_heads=2, max_position_embeddings=131072, **case)
    case["frequencies"] = LlamaRotaryEmbedding(config).inv_freq.tolist()
print(json.dumps(CASES))
