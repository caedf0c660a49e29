"""Who watches a run, and what people see of it."""
