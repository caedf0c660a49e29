"""Is it right, how fast is it, what works here."""
