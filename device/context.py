"""Which category a message deserves, by what the device has left."""

from __future__ import annotations

from .errors import InvalidArgumentError

LEAST = (("GOLD", 0.5, 0.5), ("SILVER", 0.2, 0.2), ("BRONZE", 0.0, 0.0))
"""Category, and the battery and signal that it takes at least, best first. The sources name the two measures and no figures:
these are ours. GOLD and SILVER send 1,088 bytes with each message, BRONZE 32."""


def choose_category(battery: float, signal: float) -> str:
    """The best category that battery and signal allow; an inventory falls downwards from there.

    battery: 0 (empty) to 1 (full). signal: 0 (none) to 1 (best).
    Raises InvalidArgumentError naming the one that is out of range.
    """
    for name, value in (("battery", battery), ("signal", signal)):
        if not 0 <= value <= 1:
            raise InvalidArgumentError(f"{name} must be between 0 and 1")
    return next(
        category
        for category, least_battery, least_signal in LEAST
        if battery >= least_battery and signal >= least_signal
    )
