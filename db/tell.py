"""Lines for whoever reads what a command prints."""

from __future__ import annotations

import os
import sys


def tell(line: str) -> None:
    """Print a line. A reader that has gone (`| head`) has read enough: the command goes on without it."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
