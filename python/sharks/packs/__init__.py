"""A spec and its weights in one file."""
