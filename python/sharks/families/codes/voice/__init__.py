"""What gives codes a sound: the envelope that they mean, and what is played through it."""
