"""Settings of the service: wrong ones are named before it begins, and each is documented."""

from __future__ import annotations

import pytest
from conftest import ROOT

from api.settings import Settings, read_settings
from cardwatch.errors import CardwatchError

OIDC = {"CARDWATCH_OIDC_ISSUER": "https://login.example", "CARDWATCH_OIDC_CLIENT": "c",
        "CARDWATCH_OIDC_SECRET": "s", "CARDWATCH_OIDC_ORGANISATION": "o",
        "CARDWATCH_OIDC_ACR": "mfa"}  # fmt: skip


def test_nothing_has_to_be_set() -> None:
    assert read_settings({}) == Settings()
    assert read_settings({"CARDWATCH_RATE": "60"}).rate == 60


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"CARDWATCH_RATE": "many"}, "CARDWATCH_RATE"),
        ({"CARDWATCH_RATE": "0"}, "CARDWATCH_RATE"),
        ({"CARDWATCH_REMIND_QUERIES": "-1"}, "CARDWATCH_REMIND_QUERIES"),
        ({"CARDWATCH_OIDC_ISSUER": "https://login.example"}, "CARDWATCH_OIDC_CLIENT"),
        (OIDC | {"CARDWATCH_OIDC_ISSUER": "http://login.example"}, "https://"),
        (OIDC | {"CARDWATCH_OIDC_ACR": ""}, "CARDWATCH_OIDC_ACR is needed"),
        ({"CARDWATCH_SMTP": "mail.example:25"}, "smtp://"),
        ({"CARDWATCH_SMTP": "smtp://mail.example"}, "CARDWATCH_MAIL_FROM"),
        ({"CARDWATCH_MAIL_REFUSED": "nobody"}, "CARDWATCH_MAIL_REFUSED"),
        ({"CARDWATCH_MAIL_REFUSED": "x@force.example"}, "CARDWATCH_SMTP"),
        ({"CARDWATCH_REMIND": "monday 8"}, "CARDWATCH_REMIND"),
        ({"CARDWATCH_REMIND": "mon 25:00"}, "CARDWATCH_REMIND"),
        ({"CARDWATCH_REMIND": "mon"}, "CARDWATCH_REMIND"),
        ({"CARDWATCH_ERASE": "daily"}, "CARDWATCH_ERASE"),
        ({"CARDWATCH_ERASE": "24:00"}, "CARDWATCH_ERASE"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_named(given: dict[str, str], told: str) -> None:
    with pytest.raises(CardwatchError, match=told):
        read_settings(given)


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(CardwatchError) as refused:
        read_settings({
            "CARDWATCH_RATE": "many", "CARDWATCH_OIDC_ISSUER": "http://login.example",
            "CARDWATCH_SMTP": "canary", "CARDWATCH_ERASE": "daily",
        })  # fmt: skip
    names = ("RATE", "OIDC_ISSUER", "OIDC_CLIENT", "OIDC_SECRET", "OIDC_ORGANISATION", "OIDC_ACR",
             "SMTP", "MAIL_FROM", "ERASE")  # fmt: skip
    assert all(f"CARDWATCH_{name}" in str(refused.value) for name in names)
    assert "canary" not in str(refused.value)


def test_no_secret_is_printed_with_the_settings() -> None:
    read = read_settings(
        OIDC | {"CARDWATCH_OIDC_SECRET": "canary", "CARDWATCH_METRICS_KEY": "canary"}
    )
    assert "canary" not in repr(read)


def test_every_setting_is_documented() -> None:
    docs = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    for name in Settings.model_fields:
        assert f"`CARDWATCH_{name.upper()}`" in docs, name
