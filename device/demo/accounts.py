"""Who the demo's devices are to the server: accounts where it checks tokens, else just two numbers."""

from __future__ import annotations

import secrets
from uuid import UUID, uuid4

from yarl import URL

from ..courier import CourierClient
from ..credentials import AccountSession, Credentials, SavedSession, sign_up
from ..errors import Unauthorized


class Accounts:
    """Signs people up at a server and logs their devices in. ids: of the accounts that were made, to be erased."""

    def __init__(self, server: URL) -> None:
        self.server = server
        self.ids: list[UUID] = []

    async def device(self, name: str) -> Credentials:
        """A new person's device."""
        if not await self._wants_tokens():
            return Credentials(uuid4())
        email, password = f"{name}.{secrets.token_hex(6)}@example.org", secrets.token_urlsafe()
        self.ids.append(await sign_up(self.server, email, password))
        return await AccountSession.login(self.server, email, password, "demo", _keep)

    async def _wants_tokens(self) -> bool:
        async with CourierClient(self.server, Credentials(UUID(int=0))) as nobody:
            try:
                await nobody.count()
            except Unauthorized:
                return True
            return False


async def _keep(_saved: SavedSession) -> None:
    """An app keeps its refresh token here; the demo ends before its first access token does."""
