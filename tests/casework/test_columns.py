"""Files that wait for their columns: for their sender alone, for an hour, within a bound."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from books import SEAL
from cryptography.fernet import Fernet, MultiFernet

from cardwatch import services
from cardwatch.casebook import Casebook, uploads
from cardwatch.errors import CardwatchError, FileRefused, NotAllowed, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT = b"Wann,Wer\n2026-10-01,4929123456781234\n"


def _keep(context: services.ServiceContext, content: bytes = CONTENT) -> str:
    return services.keep_upload(context, "own.csv", content, {"history": "true"}, SEAL)


def test_a_waiting_file_is_sealed_and_survives_a_restart(
    at: Callable[..., services.ServiceContext], database_url: str
) -> None:
    context = at("finance")
    name = _keep(context)
    other_process = Casebook(database_url)
    try:
        elsewhere = replace(context, casebook=other_process)
        upload = services.open_upload(elsewhere, name, SEAL)
        assert (upload.file, upload.content, upload.options) == (
            "own.csv", CONTENT, {"history": "true"}
        )  # fmt: skip
        with other_process.unaudited(context.actor, context.now, reads=True) as uow:
            (sealed,) = [row["content"] for row in uow.fetch_all(
                sa.select(uploads.uploads).where(uow.scope(uploads.uploads))
            )]  # fmt: skip
        assert b"4929123456781234" not in bytes(sealed)
        services.discard_upload(elsewhere, name)
    finally:
        other_process.close()
    with pytest.raises(NotFound):
        services.open_upload(context, name, SEAL)


def test_nobody_else_sees_a_waiting_file(at: Callable[..., services.ServiceContext]) -> None:
    context = at("finance")
    name = _keep(context)
    others = (
        replace(context, actor=replace(context.actor, actor_id="another")),
        at("psd"),
        at("finance", "Another Force"),
    )
    for other in others:
        assert services.list_uploads(other) == []
        services.discard_upload(other, name)
        with pytest.raises(NotFound):
            services.open_upload(other, name, SEAL)
    for role in ("auditor", "admin"):
        with pytest.raises(NotAllowed):
            services.open_upload(at(role), name, SEAL)
        with pytest.raises(NotAllowed):
            _keep(at(role))
    assert [row["upload_id"] for row in services.list_uploads(context)] == [name]


def test_a_file_that_waited_an_hour_is_erased(
    at: Callable[..., services.ServiceContext], casebook: Casebook
) -> None:
    context = at("finance")
    name = _keep(context)
    almost = replace(context, now=context.now + dt.timedelta(minutes=59))
    assert services.open_upload(almost, name, SEAL).content == CONTENT
    assert services.erase_expired_uploads(casebook, lambda: almost.now) == 0
    later = replace(context, now=context.now + dt.timedelta(minutes=60))
    with pytest.raises(NotFound):
        services.open_upload(later, name, SEAL)
    assert services.erase_expired_uploads(casebook, lambda: later.now) == 1
    assert services.erase_expired_uploads(casebook, lambda: later.now) == 0


def test_too_much_does_not_wait(
    at: Callable[..., services.ServiceContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "WAITING_BYTES", 3 * len(CONTENT) - 1)
    context = at("finance")
    names = [_keep(context) for _ in range(2)]
    with pytest.raises(CardwatchError, match="too many files are waiting"):
        _keep(context)
    assert len(services.list_uploads(context)) == 2
    services.discard_upload(context, names[0])
    _keep(context)
    _keep(replace(context, actor=replace(context.actor, actor_id="another")))


@pytest.mark.parametrize("what", ["content", "options", "made_by", "file"])
def test_a_waiting_file_that_was_changed_by_hand_is_not_opened(
    at: Callable[..., services.ServiceContext], what: str
) -> None:
    """Somebody with an account and the database could seal a file, and move it to another's."""
    context = at("finance")
    other = replace(context, actor=replace(context.actor, actor_id="another"))
    mine, theirs = _keep(other, b"Wann,Wer\n2026-10-01,nobody\n"), _keep(context)
    table = uploads.uploads
    with context.casebook.unaudited(context.actor, context.now) as uow:
        question = sa.select(table).where(uow.scope(table), table.c.upload_id == mine)
        planted = uow.fetch_one(question)
        assert planted is not None
        values = {"options": '{"corrects":"0000"}', "file": "x.csv", "content": planted["content"]}
        if what == "made_by":  # a file of somebody else's in their name
            uow.update(table, table.c.upload_id == mine, {"made_by": context.actor.actor_id})
        else:
            uow.update(table, table.c.upload_id == theirs, {what: values[what]})
    with pytest.raises(FileRefused, match="changed in the database"):
        services.open_upload(context, mine if what == "made_by" else theirs, SEAL)


def test_a_waiting_file_is_not_opened_with_another_key(
    at: Callable[..., services.ServiceContext],
) -> None:
    context = at("finance")
    with pytest.raises(FileRefused, match="sealed with another key"):
        services.open_upload(context, _keep(context), MultiFernet([Fernet(Fernet.generate_key())]))
