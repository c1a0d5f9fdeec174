"""Nothing typed into an address or a form makes a page fail."""

import pytest
from pages_of_the_site import READ

from fixtures.visited import Visited
from projections.web.renderer import in_address

NASTY = (
    "\0",
    "%",
    "_",
    "'",
    '"><script>',
    "~ZZ",
    "~FF~FE",
    "../..",
    "9" * 30,
    "-1",
    "0001-01",
    "9999-12",
    "9999-12-31",
    "0001-01-01",
    "2026-03-01T00:00:00+01:00",
    "é" * 300,
    "\N{GRINNING FACE}",
    "None",
)


ASKED = ("search", "status", "guarantee", "before", "from", "kind", "as_of", "on", "below", "after", "month")


MORE_ASKED = ("since", "type", "step", "done", "language", "state", "contract", "claim", "code", "sent")


@pytest.mark.test_all
@pytest.mark.parametrize("path", [*READ, "/feed", "/cancel/confirm", "/feed.json", "/claims/new"])
def test_nothing_typed_into_an_address_makes_a_page_fail(admin: Visited, path: str) -> None:
    times = ("as_of", "on", "before", "from", "month")
    for nasty in NASTY:
        asked = {name: nasty for name in (*ASKED, *MORE_ASKED) if name not in times}
        assert admin.get(path, params=asked).status_code in {200, 400, 404, 422}, (path, nasty)
    for name in times:
        for nasty in ("9999-12", "9999-12-31", "0001-01-01", "9" * 30, "\0"):
            assert admin.get(path, params={name: nasty}).status_code in {200, 400, 404, 422}, (path, nasty)


@pytest.mark.test_all
def test_nothing_typed_as_a_number_or_into_a_form_makes_a_page_fail(admin: Visited) -> None:
    csrf = admin.form("/claims/K-2", "GiveAdvice")["csrf"]
    for nasty in NASTY:
        step = in_address(nasty)
        for raw in (step, nasty.replace("/", "").replace("\0", "%00").replace("%", "%25", 1)):
            for section in ("contracts", "claims", "complaints"):
                for end in ("", ".json", "/replay"):
                    assert admin.get(f"/{section}/{raw}{end}").status_code in {200, 400, 404, 422}
        forms = {
            "/commands/OpenClaim": dict.fromkeys(
                ("claim", "contract", "guarantee", "occurred_at", "channel", "victim.person"), nasty
            ),
            "/commands/AcceptClaim": {"claim": nasty, "loss_cents": nasty, "seen_version": nasty},
            "/commands/GiveAdvice": {"claim": "K-2", "topics": nasty, "command_id": nasty},
            "/persons": {"name": nasty, "reason": nasty},
            "/contracts/CC-1/names": {"reason": nasty},
            "/feed/subscriptions/none/resend": {"first": nasty, "last": nasty},
            "/cancel/confirm": {"code": nasty},
            f"/cancellations/{step}/confirm": {},
        }
        for path, fields in forms.items():
            status = admin.post(path, {"csrf": csrf} | fields).status_code
            assert status in {200, 303, 400, 404, 409, 412, 422, 429}, (path, nasty, status)
