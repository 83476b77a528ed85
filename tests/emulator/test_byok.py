"""The customer's own provider keys."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.emulator.conftest import NOBODY

if TYPE_CHECKING:
    from analytics.emulator import World
    from analytics.emulator.records import Run

    from .conftest import Api

SECRET = "made-up-key-of-a-customer-1234"


def billed(api: Api, run: Run) -> Decimal:
    """Return Levain's bill for a dollar at the provider."""
    api.world.meter(run, model="m", provider="acme", tokens_in=1, tokens_out=1, cost_usd=Decimal(1))
    return api.workspace.ledger.of_run(run.id)[-1].billed_usd


def launched(api: Api) -> Run:
    run = api.world.start_run(api.workspace)
    api.world.launch_run(run)
    return run


def test_a_key_is_listed_without_its_secret(api: Api) -> None:
    """A key shows its provider, its date and its last four characters, and nothing more."""
    assert api.get("/byok") == []

    key = api.post("/byok/anthropic", {"api_key": SECRET})

    assert api.get("/byok") == [key]
    assert key == {
        "key_id": key["key_id"],
        "provider": "anthropic",
        "created_at": "2026-11-24T15:30:00+00:00",
        "last_four": "1234",
    }
    assert SECRET[:-4] not in repr(list(api.workspace.keys))


def test_routing_decides_who_is_billed(api: Api) -> None:
    """A run keeps the account with which it started, even if a key changes meanwhile."""
    before = launched(api)
    key = api.post("/byok/acme", {"api_key": SECRET})
    during = launched(api)
    gone = api.send("DELETE", f"/byok/{key['key_id']}")
    after = launched(api)

    assert gone.json() == {"key_id": key["key_id"], "provider": "acme", "status": "revoked"}
    assert [billed(api, run) for run in (before, during, after)] == [
        Decimal("1.1"),
        Decimal("0.02"),
        Decimal("1.1"),
    ]


def test_a_second_key_takes_the_place_of_the_first(api: Api) -> None:
    """A provider has one key: the newest."""
    first, second = (api.post("/byok/acme", {"api_key": SECRET + end}) for end in ("A", "B"))

    assert api.get("/byok") == [second]
    assert api.send("DELETE", f"/byok/{first['key_id']}").status_code == 404


def test_a_revoked_key_is_gone_at_once(api: Api) -> None:
    """A revoked key is neither listed nor found."""
    key = api.post("/byok/acme", {"api_key": SECRET})
    api.send("DELETE", f"/byok/{key['key_id']}")

    assert api.get("/byok") == []
    assert api.send("DELETE", f"/byok/{key['key_id']}").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/byok/acme", {}, 422),
        ("POST", "/byok/acme", {"api_key": ""}, 422),
        ("POST", "/byok/acme", {"api_key": 12345678}, 422),
        ("POST", "/byok/<script>", {"api_key": SECRET}, 422),
        ("DELETE", "/byok/not-a-uuid", None, 422),
        ("DELETE", f"/byok/{NOBODY}", None, 404),
    ],
)
def test_what_cannot_be_a_key_is_refused(
    api: Api, method: str, path: str, body: object, status: int
) -> None:
    """A missing, empty or malformed key and an unknown id give the documented errors."""
    assert api.send(method, path, body).status_code == status
    assert api.get("/byok") == []


def test_the_studio_of_the_demo_pays_anthropic_itself(demo: World) -> None:
    """The second workspace has a key for the provider that Levain does not bill, the first none."""
    assert [[key.provider for key in w.keys] for w in demo.workspaces] == [[], ["anthropic"]]
