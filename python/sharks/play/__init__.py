"""The verbs that make clips."""
