"""An n-gram language model over bytes with interpolated modified Kneser-Ney smoothing, as a plugin of Jupiter.

text        tokens: a text's bytes, its beginning and its end
counts      what training has seen: n-grams with their counts
kneser_ney  the model that follows from counts
sampling    draws tokens from it
checkpoint  counts and models on disk
trainer, exporter, generator    the stages of the model
remainders  the domain of the example plan
verifier    its stage
plugin      the program
"""
