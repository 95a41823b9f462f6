"""What the trainers that supervise a library share.

config      the attributes that they have in common
source      a model directory of Hugging Face's: is it whole, and the copy of it
encode      a record as tokens, and which of them are learned
feed        a window's records in the order of the draws, and the rows of a step
schedule    the learning rate
checkpoint  checkpoints on disk
engine      what a library does, and how it fails
loop        the steps of a call
meter       progress
trainer     the stage that a library's package makes its own of

Nothing here imports a library that trains.
"""

import os

# Weights and templates come from the directory that the user has named, and nothing from a hub.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")

VERSION = "0.1.0"
