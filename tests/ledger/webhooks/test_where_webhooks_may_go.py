"""Webhooks go to the public internet only, however an address is written and whatever a name leads to."""

import socket
from asyncio.selector_events import BaseSelectorEventLoop
from ipaddress import ip_address

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from fixtures.receiver import Receiver
from fixtures.subscribed import Desk, eventually
from ledger.webhooks.dispatcher import DispatchSettings
from ledger.webhooks.endpoints import AddressRefused, is_public, webhook_url

WRITTEN = {
    "loopback": "https://127.0.0.1/hook",
    "another loopback": "https://127.8.8.8/hook",
    "private, 10": "https://10.0.0.7/hook",
    "private, 172.16": "https://172.31.255.1/hook",
    "private, 192.168": "https://192.168.1.1/hook",
    "link-local: metadata of clouds": "https://169.254.169.254/latest/meta-data",
    "this machine": "https://0.0.0.0/hook",
    "shared by carriers": "https://100.64.0.1/hook",
    "multicast": "https://224.0.0.1/hook",
    "broadcast": "https://255.255.255.255/hook",
    "IPv6 loopback": "https://[::1]/hook",
    "IPv6 unspecified": "https://[::]/hook",
    "IPv6 private": "https://[fd00::1]/hook",
    "IPv6 link-local": "https://[fe80::1]/hook",
    "IPv4 within IPv6": "https://[::ffff:127.0.0.1]/hook",
    "IPv4 within IPv6, in hexadecimal": "https://[::ffff:7f00:1]/hook",
    "IPv4 compatible": "https://[::127.0.0.1]/hook",
    "6to4": "https://[2002:7f00:1::]/hook",
    "Teredo": "https://[2001:0:7f00:1::]/hook",
    "NAT64": "https://[64:ff9b::7f00:1]/hook",
    "one number": "https://2130706433/hook",
    "two numbers": "https://127.1/hook",
    "octal": "https://0177.0.0.1/hook",
    "digits in circles": "https://①②⑦.⓪.⓪.①/hook",  # as an attacker writes them
    "its own name": "https://localhost/hook",
    "its own name, rooted": "https://LOCALHOST./hook",
    "a name under its own": "https://erp.localhost/hook",
}
"""Refused as they are written."""

RESOLVED = {
    "hexadecimal": "0x7f000001",
    "octal and hexadecimal": "0x7f.1",
    "a public name that leads inside": "erp.example",
}
"""Refused by what they lead to."""


class Names(AbstractResolver):
    """Resolves as it is told, one answer after the other; the last one stays."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: int = socket.AF_INET,  # noqa: ARG002 # the base class's own
    ) -> list[ResolveResult]:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [
            ResolveResult(hostname=host, host=one, port=port, family=socket.AF_INET, proto=0, flags=0)
            for one in answer
        ]

    async def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("url", WRITTEN.values(), ids=WRITTEN.keys())
def test_a_private_address_is_refused_as_it_is_written(url: str) -> None:
    with pytest.raises(AddressRefused):
        webhook_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://erp.example/hook",
        "ftp://erp.example/hook",
        "https:///hook",
        "https://erp.example:0/hook",
        "https://erp.example:99999/hook",
        "https://ada:secret@erp.example/hook",
        "https://erp.example/hook#part",
        "erp.example/hook",
        "",
        "https://" + "x" * 2_000,
    ],
)
def test_what_is_no_address_for_a_webhook_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        webhook_url(url)
    assert "secret" not in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_public_addresses_are_good_and_for_development_private_ones_too() -> None:
    for url in (
        "https://erp.example/hook?a=1",
        "https://93.184.216.34:8443/",
        "https://[2606:2800:220::1]/x",
    ):
        assert str(webhook_url(url)) == url
    for url in ("http://localhost:8000/hook", "https://10.0.0.7/hook", "http://[::1]/hook"):
        assert str(webhook_url(url, allow_private=True)) == url
    assert is_public(ip_address("64:ff9b::5db8:d822")), (
        "a public IPv4 address, as networks of IPv6 alone see it"
    )


@pytest.mark.parametrize("host", RESOLVED.values(), ids=RESOLVED.keys())
def test_a_name_that_leads_inside_is_never_connected_to(desk: Desk, receiver: Receiver, host: str) -> None:
    port = receiver.url.split(":")[2].split("/")[0]
    desk.subscriptions.add_webhook("erp", f"https://{host}:{port}/hook", after=-1)
    resolver = Names(["127.0.0.1"]) if host == "erp.example" else None
    desk.record(1)
    with desk.delivering(DispatchSettings(resolver=resolver)):
        eventually(lambda: desk.subscriptions.one("erp").backlog.waiting == 1)
    assert "public internet" in str(desk.subscriptions.kept("erp")[0].told)
    assert receiver.came == []


def test_one_private_address_among_public_ones_is_enough_to_refuse(desk: Desk) -> None:
    desk.subscriptions.add_webhook("erp", "https://erp.example/hook")
    desk.record(1)
    with desk.delivering(DispatchSettings(resolver=Names(["93.184.216.34", "10.0.0.7"]))):
        eventually(lambda: desk.subscriptions.one("erp").backlog.waiting == 1)
    assert "public internet" in str(desk.subscriptions.kept("erp")[0].told)


def test_a_name_cannot_lead_elsewhere_between_the_look_and_the_connection(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: list[str] = []

    async def sock_connect(_loop: object, _socket: socket.socket, address: tuple[str, int]) -> None:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(BaseSelectorEventLoop, "sock_connect", sock_connect)
    names = Names(["93.184.216.34"], ["127.0.0.1"])
    desk.subscriptions.add_webhook("erp", "https://erp.example/hook")
    desk.record(1)
    with desk.delivering(DispatchSettings(resolver=names)):
        eventually(lambda: desk.subscriptions.one("erp").backlog.waiting == 1)
    assert connected == ["93.184.216.34"]
    assert names.asked == 1, "what was looked at is what is connected to"


def test_an_address_that_is_allowed_no_more_disables_its_webhook_and_says_why(
    desk: Desk, receiver: Receiver
) -> None:
    desk.subscriptions.add_webhook("erp", receiver.url)
    desk.record(1)
    with desk.delivering(DispatchSettings(allow_private=False)):
        eventually(lambda: desk.subscriptions.one("erp").subscription.state == "disabled")
    assert receiver.came == []
    assert "https" in str(desk.subscriptions.one("erp").subscription.because)
