"""Several verbs in a row."""
