"""One record per primitive: what it computes, its derivative, how it reads, what it means."""
