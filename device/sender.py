"""What an app does to write to others: prefetch their coins, send."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4, uuid5

from .answers import Outcome, Wish
from .clock import DAY, milliseconds
from .context import choose_category
from .courier import CourierClient
from .errors import (
    CoinsRationedError,
    DuplicateCoinError,
    ForgedCoinError,
    InvalidArgumentError,
    NoCoinError,
    OverBudgetError,
    StaleCoinError,
    TooManyRequests,
)
from .inventory import SmartInventory
from .keys import ALGORITHMS, Coin, VerifyKeys, minted_at, verify
from .message import Message, check_text, encrypt
from .shielded import to_the_end

MOST_WISHES = 10
"""In one request: 1,000 coins at most."""

MOST_COINS = 100
"""In one wish."""

TOO_OLD = 29 * DAY
"""Seconds after which a coin is not used: its private key lives for 30 days, and the message has a way to go."""

MOST_SKIPPED = 20
"""Coins that are too old or were used, one after the other, before a contact's category is given up."""


@dataclass(frozen=True)
class Prefetched:
    """What a prefetch brought. stored: coins by category. By contact: forged, coins without their owner's signature or with an
    impossible name; stale, coins that are too old to be kept. dropped: coins that had no room any more, or were there."""

    stored: Counter[str] = field(default_factory=Counter)
    forged: Counter[UUID] = field(default_factory=Counter)
    stale: Counter[UUID] = field(default_factory=Counter)
    dropped: int = 0


class Sender:
    """A device that writes to contacts.

    verify_keys: by contact, as learned from its card and not from the server.
    All methods raise CourierError for the server and StoreError for the inventory, of which ClockError says that nothing was
    claimed: see docs/device.md.
    """

    def __init__(
        self,
        inventory: SmartInventory,
        courier: CourierClient,
        verify_keys: Mapping[UUID, VerifyKeys],
    ) -> None:
        self.inventory = inventory
        self.courier = courier
        self.verify_keys = verify_keys

    async def wishes(self, contacts: Sequence[UUID] | None = None) -> list[Wish]:
        """What the contacts' budgets have room for.

        contacts: whose; None: all contacts of the inventory whose verify_keys are known. A category that a contact's card has no
        key for is not wished. Raises InvalidArgumentError for a contact whose verify_keys are not known.
        """
        if contacts is None:
            contacts = [contact for contact in await self.inventory.contacts() if contact in self.verify_keys]
        return [
            Wish(contact, category, min(room, MOST_COINS))
            for contact in contacts
            for category, room in (await self.inventory.room(contact)).items()
            if room and category in self._keys_of(contact)
        ]

    async def prefetch(
        self,
        contacts: Sequence[UUID] | None = None,
        *,
        wishes: Sequence[Wish] | None = None,
        idempotency_key: UUID | None = None,
    ) -> Prefetched:
        """Claim what the contacts' budgets have room for, and keep what carries the owner's signature.

        contacts: as for wishes(). wishes: instead of contacts. idempotency_key: makes this call one that can be repeated within
        an hour, after an error, a cancellation or a crash: the same key and the same wishes, noted before the first call,
        bring the same coins. (Without the wishes: only as long as nothing of a request's coins was stored.) A new prefetch
        takes a new key. Raises Gone when the hour is over, InvalidArgumentError for a contact whose verify_keys are not known.

        A call that is cancelled keeps what has come from the server before it ends.
        """
        if wishes is None:
            wishes = await self.wishes(contacts)
        for wish in wishes:
            self._keys_of(wish.target)
        if wishes:
            # What a wrong clock takes for too old would be claimed and thrown away.
            await self._check_clock()
        told = Prefetched()
        dropped, before = 0, Counter[tuple[Wish, ...]]()
        for start in range(0, len(wishes), MOST_WISHES):
            asked = tuple(wishes[start : start + MOST_WISHES])
            # By content, not by place: once the first request's coins are stored, the second is the first.
            key = _derived(idempotency_key, before[asked], *asked)
            before[asked] += 1
            outcomes = await self.courier.claim_many(asked, idempotency_key=key)
            dropped += await to_the_end(self._keep(outcomes, told))
        return Prefetched(told.stored, told.forged, told.stale, dropped)

    async def send(
        self,
        contact: UUID,
        text: bytes,
        battery: float,
        signal: float,
        *,
        least: str = "BRONZE",
        accept_last_resort: bool = True,
        idempotency_key: UUID | None = None,
    ) -> Message:
        """A message to a contact, by the best coin that battery and signal allow and that there is.

        text: at most 1 MiB. battery, signal: 0 to 1. A cached coin if there is one, else one from the server, at last one that
        others have too. least: no coin of a lower category, whatever battery and signal say; else the server, which may
        say that there are none, chooses. accept_last_resort: whether a coin that others have too, so that its key is not burned
        when the message is read, is better than none. idempotency_key: to repeat a call that raised, was cancelled or did not survive
        a crash: the same key gets the coin again that the server gave then. Not for a second message.

        Raises NoCoinError when there is none at all, or no key on the contact's card for the levels that are allowed,
        CoinsRationedError when a quota gives none now, ForgedCoinError for one from the server without the contact's signature
        (it is gone then; the next call takes another), InvalidArgumentError, also for a contact whose verify_keys are not known.
        """
        check_text(text)
        if least not in ALGORITHMS:
            raise InvalidArgumentError(f"least: must be one of {', '.join(ALGORITHMS)}")
        known = self._keys_of(contact)
        categories = list(ALGORITHMS)
        last = categories.index(least)
        first = min(categories.index(choose_category(battery, signal)), last)
        allowed = [category for category in categories[first : last + 1] if category in known]
        if not allowed:
            raise NoCoinError("contact: its card has no key for the levels that are allowed")
        coin = await self._cached(contact, allowed) or await self._claim(
            contact, allowed, accept_last_resort, idempotency_key
        )
        # In this thread: between taking a coin and using it there must be nothing that can be cancelled.
        return encrypt(coin, text)

    async def _keep(self, outcomes: Sequence[Outcome], told: Prefetched) -> int:
        """Store what is good, and count it; returns how many were dropped. Each coin's failure is its own."""
        dropped = 0
        for contact, coin in [(outcome.wish.target, coin) for outcome in outcomes for coin in outcome.coins]:
            try:
                self._verify(contact, coin)
                await self.inventory.store_key(contact, coin)
                told.stored[coin.category] += 1
            except ForgedCoinError:
                told.forged[contact] += 1
            except StaleCoinError:
                told.stale[contact] += 1
            except (OverBudgetError, DuplicateCoinError, InvalidArgumentError):
                dropped += 1
        return dropped

    async def _cached(self, contact: UUID, allowed: Sequence[str]) -> Coin | None:
        """The oldest cached coin of the best category; those that are of no use any more are thrown away."""
        while coin := await self.inventory.select_coin(contact, allowed[0], allowed[-1]):
            if coin.category in allowed:
                try:
                    # Again, as the contact may have another identity by now, or somebody changed the file.
                    self._verify(contact, coin)
                    return coin
                except ForgedCoinError:
                    logging.getLogger(__name__).warning(
                        "a cached coin is not signed by its contact, and was thrown away"
                    )
        return None

    async def _claim(self, contact: UUID, allowed: Sequence[str], accept_last_resort: bool, key: UUID | None) -> Coin:
        await self._check_clock()
        # Each alone, as a coin that is claimed and not used is gone; one that others have too is the last choice.
        choices = (False, True) if accept_last_resort else (False,)
        for accept, category in [(accept, category) for accept in choices for category in allowed]:
            wish = Wish(contact, category, accept_last_resort=accept)
            for number in range(MOST_SKIPPED):
                request = _derived(key, wish, number)
                outcome = await self._claim_one(wish, request)
                coin = outcome.coins[0] if outcome.coins else outcome.last_resort
                if coin is None:
                    break
                is_last_resort = coin is outcome.last_resort
                self._verify(contact, coin, is_last_resort)
                if not self._is_too_old(coin) and (
                    is_last_resort or await self.inventory.note_used(contact, coin, request if key else None)
                ):
                    return coin
                if is_last_resort:
                    break
        raise NoCoinError("contact: has no coin here or on the server that may be used")

    async def _claim_one(self, wish: Wish, key: UUID) -> Outcome:
        try:
            (outcome,) = await self.courier.claim_many([wish], idempotency_key=key)
        except TooManyRequests as error:
            raise CoinsRationedError("contact: a quota gives no coin now", error.retry_after) from error
        if not outcome.coins and not outcome.last_resort and outcome.retry_after is not None:
            raise CoinsRationedError("contact: a quota gives no coin now", outcome.retry_after)
        return outcome

    async def _check_clock(self) -> None:
        await self.inventory.clock.for_asking(self.courier.server_time)

    def _is_too_old(self, coin: Coin) -> bool:
        minted = minted_at(coin.key_id)
        return minted is not None and milliseconds(minted + TOO_OLD) < self.inventory.clock.now()

    def _keys_of(self, contact: UUID) -> VerifyKeys:
        if contact not in self.verify_keys:
            raise InvalidArgumentError("contact: the keys that verify its coins are not known")
        return self.verify_keys[contact]

    def _verify(self, contact: UUID, coin: Coin, is_last_resort: bool = False) -> None:
        verify(contact, coin, self._keys_of(contact), is_last_resort=is_last_resort)


def _derived(key: UUID | None, *parts: object) -> UUID:
    """A request's own Idempotency-Key: the server refuses one key for two different requests."""
    return uuid4() if key is None else uuid5(key, repr(parts))
