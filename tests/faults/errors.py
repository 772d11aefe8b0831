"""What ends a run of the harness early."""


class HarnessError(Exception):
    """The harness can't do its work, or the service doesn't come back; the message says why."""
