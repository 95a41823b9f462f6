"""A trainer that supervises transformers and peft, as a plugin of Jupiter: adapters and whole models, on CUDA, MPS and
processors; and an exporter that puts them together.

config    the attributes
devices   what this machine computes on, and with which numbers
model     a model of transformers', with adapters of peft's or without
engine    gradients, the optimizer, and what is saved
errors    what torch raises, and what it means
trainer   the stage
worker    one of several processes that train together, under torchrun
launch    starts them, and tells the host what they say
exporter  a checkpoint as a directory of Hugging Face's, or as GGUF by a program of llama.cpp's
plugin    the program
"""

import jupiter_trainers  # noqa: F401 - before any library that would look for a hub
