"""The compiler: from a graph to one native program."""
