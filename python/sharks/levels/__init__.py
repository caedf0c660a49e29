"""What a number means as amplitude, and how one is drawn."""
