"""Where deliveries may go, and how they are signed and named there. Pure.

Webhooks go to the public internet only, so that nobody reaches inside through us; signatures are those of the
Standard Webhooks specification (symmetric, v1). A relay writes to the NATS subjects and stream of its book.
"""

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from secrets import token_bytes
from typing import Final

from yarl import URL

LONGEST_ADDRESS: Final = 2_000

_PRIVATE: Final = (
    "the address is of this machine, of a private network, or otherwise not of the public internet: give a "
    "public one (COVERLEDGER_WEBHOOKS_ALLOW_PRIVATE=yes allows it, for development)"
)

_UNICAST: Final = IPv6Network("2000::/3")
_NOT_ROUTED: Final = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # special purposes, Teredo among them, which leads to an IPv4 address of its choice
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which leads to an IPv4 address of its choice
        "3fff::/20",  # documentation
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")


class AddressRefused(Exception):
    """A webhook may not go there. The message is one line without the address itself."""


def webhook_url(text: str, *, allow_private: bool = False) -> URL:
    """Read a webhook's address, and refuse one that no webhook may have. Raises AddressRefused.

    `allow_private`: for development; then plain http and addresses of the machine's network are good too.
    A name is not resolved here: what it leads to is judged at each connection.
    """
    try:
        if len(text) > LONGEST_ADDRESS:
            message = f"the address is longer than {LONGEST_ADDRESS} characters"
            raise AddressRefused(message)
        url = URL(text)
        host, port = url.host, url.port
    except ValueError as error:
        message = "the address is no URL; write it like https://erp.example/claims"
        raise AddressRefused(message) from error
    schemes = {"https", "http"} if allow_private else {"https"}
    if url.scheme not in schemes or not host or not port:
        message = "the address must begin with https:// and name a host, like https://erp.example/claims"
        raise AddressRefused(message)
    if url.raw_user is not None or url.raw_password is not None:
        message = "the address holds a user or a password: leave them out, deliveries are signed"
        raise AddressRefused(message)
    if url.raw_fragment:
        message = "the address holds a fragment (#…): leave it out, it is never sent"
        raise AddressRefused(message)
    if not allow_private:
        _refuse_written_private(host)
    return url


def refuse_private(resolved: str) -> None:
    """Refuse an IP address that is not of the public internet. Raises AddressRefused."""
    if not is_public(ip_address(resolved.partition("%")[0])):
        raise AddressRefused(_PRIVATE)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address belongs to the public internet, whatever other address it may stand for."""
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast and not address.is_reserved
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
    return address in _UNICAST and not any(address in network for network in _NOT_ROUTED)


def _refuse_written_private(host: str) -> None:
    """Refuse what is private as it is written, before anything is stored or resolved."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith((".localhost", ".local", ".internal")):
        raise AddressRefused(_PRIVATE)
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError as error:
        if ":" in host or name.replace(".", "").isdigit():
            message = "the address names its host by a number that is no IP address as it is usually written"
            raise AddressRefused(message) from error
        return
    if not is_public(address):
        raise AddressRefused(_PRIVATE)


KEY_PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
FEWEST_BYTES: Final = 24
MOST_BYTES: Final = 64
"""As the specification has it."""


def new_secret() -> str:
    """Make a secret as it is given to the receiver: `whsec_` and base64 of 32 random bytes."""
    return KEY_PREFIX + b64encode(token_bytes(SECRET_BYTES)).decode()


def checked_secret(text: str) -> str:
    """Ensure that a secret is one. Raises ValueError."""
    try:
        key = b64decode(text.removeprefix(KEY_PREFIX), validate=True)
    except ValueError:
        key = b""
    if not text.startswith(KEY_PREFIX) or not FEWEST_BYTES <= len(key) <= MOST_BYTES:
        message = f"it is no secret: {KEY_PREFIX} and base64 of {FEWEST_BYTES} to {MOST_BYTES} bytes"
        raise ValueError(message)
    return text


def signed_headers(secrets: Sequence[str], message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """Return the three headers of one delivery, signed with each secret.

    `message_id`: the event's id, the same at each try. `now`: the instant of this try, to the second.
    """
    timestamp = str(int(now.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = b64decode(secret.removeprefix(KEY_PREFIX), validate=True)
    return "v1," + b64encode(hmac.digest(key, signed, "sha256")).decode()


_NOT_IN_A_TOKEN: Final = re.compile(rb"[^A-Za-z0-9_-]")


def subject_of(book: str, kind: str, number: str) -> str:
    """Return an event's subject: `claims.cyber-care.claim.K-1`; what a token may not hold stands as %XX."""
    return f"claims.{_token(book)}.{kind}.{_token(number)}"


def subjects_of(book: str) -> str:
    """Return all subjects of a book, as a stream takes them."""
    return f"claims.{_token(book)}.>"


def stream_of(book: str) -> str:
    """Return the stream that a book's relay writes unless told otherwise: `claims-cyber-care`."""
    return f"claims-{_token(book)}"


def is_stream_name(name: str) -> bool:
    """Return whether NATS takes it as a stream's name."""
    return bool(re.fullmatch(r"[^\s.*>/\\]{1,255}", name))


def _token(text: str) -> str:
    return _NOT_IN_A_TOKEN.sub(lambda found: b"%%%02X" % found[0][0], text.encode()).decode()
