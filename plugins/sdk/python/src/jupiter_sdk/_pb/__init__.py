"""The protocol's messages, made by `make proto`. Nothing here is written by hand."""
