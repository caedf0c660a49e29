"""The words of a spec that say what its numbers mean: laws between amplitude and level, and shapes of a prediction."""

CODECS = (
    "MU-R",
    "MU-T",
    "MU-N",
    "MU-D",
    "MU-S",
    "LIN-P",
    "LIN-W",
    "LIN-C",
    "LIN-D",
    "LIN-X",
    "CODES",
)  # see quantize.py
OUTPUTS = ("categorical", "logistic-mixture", "gaussian")
