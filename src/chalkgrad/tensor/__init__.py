"""The tensor: its methods, its text, how it is made."""
