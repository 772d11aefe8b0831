"""What can go wrong on a device. Messages name the field and what to do; none quotes a key, a passphrase, a token, a record, a URL
or the server's own words."""

from __future__ import annotations


class DeviceError(Exception):
    """Base of all errors of this package."""


class InvalidArgumentError(DeviceError, ValueError):
    """An argument is of no use, whatever the store holds."""


class VaultError(DeviceError):
    """SecureVault refused."""


class DuplicateKeyError(VaultError):
    """The name is taken: by a key, or by one that was burned."""


class InventoryError(DeviceError):
    """SmartInventory refused."""


class DuplicateCoinError(InventoryError):
    """The contact's coin is cached already, or was taken before."""


class OverBudgetError(InventoryError):
    """The contact's budget of that category is used up."""


class UnknownPriorityError(InventoryError):
    """There is no budget for that priority."""


class StaleCoinError(InventoryError):
    """The coin is too old, or nobody can say how old: its private key may be gone before a message arrives."""


class StoreError(DeviceError):
    """The place where records are kept failed."""


class BackendUnavailableError(StoreError):
    """The backend can't be reached, or is no place for private keys. Whether the operation was done is not known."""


class WrongPassphraseError(StoreError):
    """The passphrase, or the key given instead of one, does not open this store."""


class DamagedStoreError(StoreError):
    """A file or a record was changed by something else than this package."""


class NewerStoreError(StoreError):
    """The store was written by a newer version of this package."""


class ClockError(StoreError):
    """The device's clock is wrong, or the store can't know that it is right: nothing was stored or removed."""


class MessageError(DeviceError):
    """A message can't be made or read."""


class BadMessageError(MessageError):
    """These bytes are no message to this device, or were changed on their way."""


class NoKeyError(MessageError):
    """The private key of a message is not here: burned, expired, or another device's."""


class NoCoinError(MessageError):
    """The contact has no coin left of the levels that are allowed: it will mint again when it comes online."""


class CoinsRationedError(MessageError):
    """The contact has coins, but a quota gives none now. retry_after: seconds until it gives one."""

    def __init__(self, what: str, retry_after: int) -> None:
        super().__init__(what)
        self.retry_after = retry_after


class ForgedCoinError(MessageError):
    """A coin does not carry the signature of whom it is said to be, or what its owner has signed is no key."""


class BadCardError(MessageError):
    """These bytes are no contact card, or no identity, of a version that is known here; or the card is another than the known one."""


class CourierError(DeviceError):
    """The server refused a call, or could not be reached.

    status: HTTP status, 0 for no answer. code: SQLSTATE. field: JSON path of what is at fault. request_id: finds the call
    in the server's log. The last three are empty where the server said none. retry_after: seconds to wait, 0 where the server
    did not say.
    """

    retry_after: int = 0

    def __init__(self, what: str, status: int = 0, code: str = "", field: str = "", request_id: str = "") -> None:
        super().__init__(what)
        self.status = status
        self.code = code
        self.field = field
        self.request_id = request_id

    def __str__(self) -> str:
        told = {"status": self.status, "code": self.code, "field": self.field, "request id": self.request_id}
        return ", ".join([super().__str__(), *(f"{name} {value}" for name, value in told.items() if value)])


class InvalidRequest(CourierError):
    """The server can't take what was sent; `field` names it. Sending it again is of no use."""


class Unauthorized(CourierError):
    """The token is good no more, and could not be renewed: log in anew."""


class Forbidden(CourierError):
    """The token is good, but not for this."""


class Conflict(CourierError):
    """Against what is stored: too many unclaimed coins, a key that was used, too many devices. Nothing was changed."""


class EpochChanged(Conflict):
    """The server's inventory began anew after a restore: nothing of the named epoch is there any more.

    What to do: burn the private keys of the coins that were refused, ask status() for the epoch, mint, upload.
    """


class Gone(CourierError):
    """The claim of this Idempotency-Key was answered before, and its coins are deleted since. Claim with a new key."""


class TooManyRequests(CourierError):
    """A quota or a limit is used up until `retry_after` seconds have passed."""


class ServerUnavailable(CourierError):
    """The server failed, or gave no answer within the deadline; then `__cause__` says what was in the way of the last try.

    Whether the call happened is not known: repeat it, a claim with the same Idempotency-Key.
    """


class CourierClosed(CourierError):
    """The client is used outside of its `async with`: it has no connections, and nothing was sent."""


class BadAnswer(CourierError):
    """The server said what it must not: it is broken, it is not ours, or it is hostile."""
