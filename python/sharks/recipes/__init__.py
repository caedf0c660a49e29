"""Named specs, and how to train them."""
