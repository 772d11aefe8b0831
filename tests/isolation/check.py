"""What must hold after an interleaving, whatever it was: each coin is on sale, someone's, or gone for a known reason."""

from __future__ import annotations

import uuid

from tests.isolation.calls import EARLY, World
from tests.isolation.interleavings import Outcome, Session

Holders = dict[str, uuid.UUID | None]
"""Who has claimed each coin that is in the database; None: it is on sale."""


def check_outcome(outcome: Outcome, may_fail: frozenset[str], may_wait: frozenset[str], is_plenty: bool) -> None:
    """What one step may answer."""
    name = outcome.step.name
    assert outcome.error in may_fail | {""}, f"{name}: error {outcome.error} is not expected"
    assert not outcome.has_waited or name in may_wait, f"{name} had to wait for the other session"
    if outcome.step.wanted and not outcome.error:
        assert len(outcome.rows) <= outcome.step.wanted, f"{name}: more coins than asked for"
        if is_plenty:
            assert len(outcome.rows) == outcome.step.wanted, f"{name}: fewer coins than asked for, and there are enough"


def given_coins(world: World, sessions: tuple[Session, Session]) -> Holders:
    """Who received which coin in a transaction that was committed; fails when two did."""
    public_keys = {coin[0]: coin[2] for coin in [*world.early, *world.stock, *world.other_stock, *world.fresh]}
    given: Holders = {}
    answers: dict[str, str] = {}
    for session, sender in zip(sessions, world.senders, strict=True):
        for outcome in session.outcomes if session.has_committed else []:
            for key_id, public_key in outcome.rows if outcome.step.wanted else []:
                # One request id is one claim, however often it is made.
                is_repeat = outcome.step.name in ("claim with id", "claim again")
                claim = outcome.step.name if is_repeat else f"claim {len(answers)}"
                assert answers.setdefault(key_id, claim) == claim, f"{key_id} was given twice"
                assert public_keys[key_id] == public_key, f"{key_id} came with another public key"
                given[key_id] = world.senders[0] if is_repeat else sender
    return given


def counted_by(sessions: tuple[Session, Session], *names: str) -> int:
    """How many coins the calls of these names deleted or stored, for good."""
    return sum(
        int(outcome.rows[0][0])
        for session in sessions
        for outcome in session.outcomes
        if session.has_committed and outcome.step.name in names and outcome.rows
    )


def check_coins(world: World, sessions: tuple[Session, Session], holders: Holders) -> None:
    """Each coin is in one state, and in that in which the two sessions must have left it."""
    given = given_coins(world, sessions)
    claimed = {EARLY} | given.keys()
    is_uploaded = any(session.has_committed and "upload new" in session.names for session in sessions)
    fresh = {coin[0] for coin in world.fresh} if is_uploaded else set()
    uploaded = {coin[0] for coin in [*world.stock, *world.other_stock]} | fresh

    assert holders.keys() <= claimed | uploaded, "a coin came from nowhere"
    assert len(claimed - holders.keys()) == counted_by(sessions, "hard delete"), "a claimed coin is gone"
    assert {key for key, holder in holders.items() if holder} <= claimed, "a coin is marked that nobody has"
    for key_id, sender in given.items():
        assert holders.get(key_id, sender) == sender, f"{key_id} was given and is not marked for its sender"
    for_sale = uploaded - claimed
    # What is purged or discarded was never issued: it may come back.
    gone = counted_by(sessions, "purge", "discard", "fence") - counted_by(sessions, "upload again")
    assert len(for_sale - holders.keys()) == gone, "a coin that nobody has is not on sale"
    is_fenced = any(session.has_committed and "fence" in session.names for session in sessions)
    assert not is_fenced or None not in holders.values(), "a coin of the old epoch is on sale behind the fence"


def check_spent(world: World, sessions: tuple[Session, Session], holders: Holders) -> None:
    """After everything was uploaded once more: nothing that anybody has is on sale again."""
    on_sale = {key for key, holder in holders.items() if holder is None}
    twice = on_sale & ({EARLY} | given_coins(world, sessions).keys())
    assert not twice, f"{sorted(twice)} can be claimed a second time"
