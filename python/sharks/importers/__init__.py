"""Other programs' checkpoints. The readers of their files come first; none of them runs anything that a file holds."""
