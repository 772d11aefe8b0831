"""Whose address a request comes from."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address, ip_network

from aiohttp import web

WITH_PORT = re.compile(r"^(?:\[([^\]]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)$")
"""An address with a port, as some proxies write it: 192.0.2.1:5555, [2001:db8::1]:5555."""


def client_address(request: web.BaseRequest, proxies: int) -> str | None:
    """The network address of the client, None where there is none.

    proxies: how many of our own proxies stand before us: each adds whom it serves to X-Forwarded-For, and what is left of
    theirs is the client's own invention.
    """
    address = request.remote
    if proxies:
        forwarded = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
        told = _plain_address(forwarded[-proxies].strip()) if len(forwarded) >= proxies else None
        if told:
            return told
    return _plain_address(address) if address else None


@lru_cache(10_000)
def network_of(address: str | None) -> str | None:
    """Whom an address stands for: of IPv6 the 64 bits before what everybody chooses at will, as auth.address_block()."""
    return str(ip_network(f"{address}/64", strict=False)) if address and ":" in address else address


@lru_cache(10_000)
def _plain_address(text: str) -> str | None:
    """An address without its zone and port; None for what is none. One of IPv4 inside of IPv6 is one of IPv4."""
    text = WITH_PORT.sub(r"\1\2", text).partition("%")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return str(getattr(found, "ipv4_mapped", None) or found)
