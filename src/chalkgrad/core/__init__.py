"""The data structure, the primitive's record, scopes, index notation and errors."""
