"""A trainer that supervises mlx-lm, as a plugin of Jupiter: adapters and whole models, on Apple silicon and on processors.

config   the attributes
blas     who computes on a Linux processor
model    a model of mlx-lm's, with adapters or without, and its parameters' names
engine   gradients, the optimizer, and what is saved
packed   rows that several records share
errors   what mlx raises, and what it means
trainer  the stage
plugin   the program
"""

import jupiter_trainers  # noqa: F401 - before any library that would look for a hub

from . import blas  # noqa: F401 - before mlx
