"""The models in torch, for training: all time steps at once, state in and out. A pack is played without them."""
