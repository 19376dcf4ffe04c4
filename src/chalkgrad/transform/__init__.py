"""Graph in, graph out: tracing, the reverse pass, simplification, derivatives of functions."""
