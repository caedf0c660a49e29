"""Audio in, audio out, and whether it is any good."""
