"""Songs to numbers."""
