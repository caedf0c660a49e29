"""Times and sizes as people say them."""


def duration(seconds: float) -> str:
    """`0.2 s`, `45 s`, `6 m 20 s`, `17 h 40 m`, `40 days`: a time that was measured, or is counted down."""
    whole = round(seconds)
    if whole >= 2 * 86400:
        return f"{seconds / 86400:.0f} days"
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} m"
    if whole >= 60:
        return f"{whole // 60} m {whole % 60:02d} s"
    return f"{whole} s" if seconds >= 9.95 else f"{seconds:.1f} s"


def span(seconds: float) -> str:
    """`45 s`, `4 min`, `6 h`, `40 days`: no more digits than an estimate has."""
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def in_bytes(n: int) -> str:
    """`12 MB`, `1.5 GB`."""
    return f"{n / 2**30:.1f} GB" if n >= 2**30 else f"{n / 2**20:.0f} MB"
