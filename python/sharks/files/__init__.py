"""Files that are whole or not there, and the one format of tensors on disk."""
