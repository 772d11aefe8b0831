"""Faults that need an installation of their own: a small disk that fills up, a clock that jumps."""

from __future__ import annotations

from typing import Protocol
SCENES: dict = {}
