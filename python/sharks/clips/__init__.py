"""Clips on disk: WAV files, what they were played from, and who may write."""
