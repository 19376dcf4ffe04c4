"""The studio: step through the passes of a network in a page, a notebook or a file."""
