"""What a model is: one folder for each family, and what families are built from."""
