self_improvement {} # ERROR: its domain # ERROR: its generator # ERROR: its trainer # ERROR: its exporter # ERROR: its evaluator
