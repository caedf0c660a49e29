"""What a sound is like, as numbers that networks and listeners use: spectra over time."""
