"""What ends a bench early."""


class BenchError(Exception):
    """There is nothing to measure with, or no answer to measure; the message says why and what to do."""
