"""Other people's programs: how each names and lays out its tensors."""
