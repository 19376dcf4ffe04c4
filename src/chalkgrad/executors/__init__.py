"""What runs a graph: NumPy node by node (the specification), and what is behind `backward()`."""
