"""Every coin goes to one sender, and none is lost: a round that waits for every answer and then compares the books."""

from __future__ import annotations

from ..report import Section
from ..rounds import FIRST_GUESS, Contestant, run_once
from ..setup import Bench

CLIENTS = 64
SECONDS = 1


def run(bench: Bench) -> list[Section]:
    """Load both sides by the built-in generator, which knows what it asked for and leaves no answer unread."""
    results = {}
    for side in bench.sides:
        load = bench.http_load(side.server, CLIENTS, "built-in")
        bench.commands.append(load.command(SECONDS))
        bench.say(f"comparing the books: {side.name}, {SECONDS} s")
        results[side.name] = [run_once(Contestant(side.name, load, side.stock), SECONDS, FIRST_GUESS * SECONDS)]
    received = ", ".join(f"{name} {rounds[0].coins:,}" for name, rounds in results.items())
    return [
        Section(
            title="Every coin once",
            text="The built-in generator waits for every answer, checks each coin's recipient, and compares what it "
            f"received with what the database says was claimed. Coins received and claimed: {received}. No figures of "
            "speed here.",
            results=results,
            shows_speed=False,
        )
    ]
