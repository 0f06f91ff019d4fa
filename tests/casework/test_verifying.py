"""Proof: past alerts are made again byte for byte, and whatever was changed is named."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from books import NOW, SPLIT, assert_whole, export_alerts, month

from cardwatch import services
from cardwatch.casebook import LANES, Actor, Casebook
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.errors import CardwatchError
from cardwatch.registers import read_cards
from cardwatch.statements import read_each

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.statements import ReadingChoices

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]

SAMPLE = Path(__file__).parents[2] / "sample_data"


def _psd(book: Casebook) -> services.ServiceContext:
    return services.ServiceContext(book, Actor("saltmarsh-vale-police", "psd", "psd"), NOW)


def _raised(at: services.ServiceContext) -> list[tuple[object, ...]]:
    """Return every alert as it was raised, and every list, as the database keeps them."""
    with at.casebook.snapshot() as connection:
        at.casebook.set_tenant(connection, at.actor.organisation_id, LANES)
        return [
            tuple(row)
            for table in ("alert_snapshots", "alert_lists")
            for row in connection.exec_driver_sql(
                f"SELECT * FROM {table} ORDER BY lane, statement_id, 4"  # noqa: S608
            )
        ]


@pytest.mark.parametrize("scored", [2, pytest.param(14, marks=pytest.mark.prove)])
def test_every_alert_of_the_sample_force_is_made_again_whatever_came_since(
    tmp_path: Path, choices: ReadingChoices, database_url: str, scored: int
) -> None:
    book = Casebook(f"sqlite:///{tmp_path / 'book.db'}")
    services.add_organisation(book, "Saltmarsh Vale Police", NOW)
    at = services.ServiceContext(book, Actor("saltmarsh-vale-police", "finance", "finance"), NOW)
    policy = (SAMPLE / "policy.toml").read_text(encoding="utf-8")
    services.activate_document(
        at, "policy", services.pack_policy(policy, "policy.toml"), "2025-01-01"
    )
    cards = services.pack_cards(read_cards(SAMPLE / "cards.csv", choices))
    services.activate_document(at, "cards", cards, "2025-01-01")
    found = [one for one in read_each([SAMPLE / "statements"], choices) if isinstance(one, tuple)]
    found.sort(key=lambda one: one[1].first_on)
    for number, one in enumerate(found):
        services.receive(at, one, is_history=number < len(found) - scored)
    before = _raised(_psd(book))
    count = sum(row[0] is not None for row in before) - 2 * scored
    assert count > 15
    changed = policy.replace("alerts_per_holder_month", "# alerts_per_holder_month")
    changed = "unusual_one_in = 50\nhabit_windows = 1\n" + changed
    services.activate_document(
        at, "policy", services.pack_policy(changed, "policy.toml"), "2025-01-01"
    )
    services.retrain_model(at)
    services.back_up(book, tmp_path / "backup.db", NOW)
    book.close()
    restored = Casebook(database_url)
    services.restore(tmp_path / "backup.db", restored, NOW)
    checks = list(services.verify(_psd(restored)))
    assert [check.fault for check in checks] == [""] * len(found)
    assert sum(check.alerts for check in checks) == count
    assert _raised(_psd(restored)) == before
    assert_whole(services.ServiceContext(restored, at.actor, NOW))
    restored.close()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE transactions SET amount_pence = amount_pence + 1 WHERE row = 5", "total"),
        (
            "UPDATE transactions SET merchant = 'ELSEWHERE' WHERE row = 5",
            "has changed since it was received",
        ),
        ("DELETE FROM transactions WHERE row = 5", "were received"),
        ("UPDATE alert_snapshots SET content = replace(content, 'E1', 'E7')", "has changed"),
        ("DELETE FROM documents WHERE kind = 'rules'", "cannot be read"),
        ("UPDATE statements SET made_with = '{}'", "cannot be read"),
        ("UPDATE alert_lists SET content = replace(content, '14', '15')", "list has changed"),
        ("UPDATE statements SET pence = pence + 1", "total received"),
    ],
)
def test_whatever_is_changed_behind_the_desk_is_named(
    tmp_path: Path, read: Read, change: str, told: str
) -> None:
    book = Casebook(f"sqlite:///{tmp_path / 'book.db'}")
    services.add_organisation(book, "Saltmarsh Vale Police", NOW)
    at = services.ServiceContext(book, Actor("saltmarsh-vale-police", "finance", "finance"), NOW)
    services.receive(at, read(*month(10), *SPLIT))
    assert [check.fault for check in services.verify(at)] == [""]
    with book.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER alert_snapshots_no_update")
        connection.exec_driver_sql(change)
    assert told in next(iter(services.verify(at))).fault
    book.close()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE decisions SET reason = 'another'",
        "UPDATE decisions SET state = 'confirmed'",
        "UPDATE decisions SET decided_by = 'another'",
        "DELETE FROM decisions",
        "UPDATE alert_snapshots SET content = replace(content, 'E1', 'E7')",
        "DELETE FROM alert_snapshots",
        "UPDATE alert_lists SET content = '{}'",
        "UPDATE statements SET pence = 1, transactions = 1",
        "UPDATE statements SET rows_sha256 = '0'",
        "UPDATE statements SET received_by = 'another'",
        "UPDATE exports SET recipient = 'nobody'",
        "DELETE FROM exports",
    ],
)
def test_what_was_written_is_sealed_in_the_chain(tmp_path: Path, read: Read, change: str) -> None:
    book = Casebook(f"sqlite:///{tmp_path / 'book.db'}")
    services.add_organisation(book, "Saltmarsh Vale Police", NOW)
    at = services.ServiceContext(book, Actor("saltmarsh-vale-police", "finance", "finance"), NOW)
    receipt = services.receive(at, read(*month(10), *SPLIT))
    services.decide(
        at, services.list_alerts(at)[0]["alert_id"], DecisionInput("two orders", "explained")
    )
    export_alerts(at, receipt.statement_id)
    assert [one["recipient"] for one in services.list_exports(at)] == ["CFO"]
    assert [one.fault for one in services.verify_audit(at)] == [""]
    with book.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER alert_snapshots_no_update")
        connection.exec_driver_sql(change)
    fault = services.verify_audit(at)[0].fault
    assert "not as it was written" in fault or "missing" in fault
    book.close()


def test_alerts_of_another_version_are_left_to_that_version(at: Context, read: Read) -> None:
    finance = at()
    services.receive(finance, read(*month(10), *SPLIT))
    with finance.casebook.engine.begin() as connection:
        finance.casebook.set_tenant(connection, finance.actor.organisation_id, LANES)
        known, other = '"cardwatch":"', '"cardwatch":"9'
        change = f"made_with = replace(made_with, '{known}', '{other}')"
        connection.exec_driver_sql(f"UPDATE statements SET {change}")  # noqa: S608
    check = next(iter(services.verify(finance)))
    assert (check.fault, check.alerts) == ("", 0)
    assert "use that version" in check.note


def test_finance_verifies_its_own_lane_and_admin_rows_alone(at: Context, read: Read) -> None:
    services.receive(at(), read(*month(10), *SPLIT))
    assert [check.alerts for check in services.verify(at())] == [1]
    assert [check.alerts for check in services.verify(at("admin"))] == [0]
    assert [check.alerts for check in services.verify(at(), again=False)] == [0]


def test_a_backup_overwrites_nothing_and_a_restore_fills_only_an_empty_casebook(
    at: Context, read: Read, tmp_path: Path
) -> None:
    services.receive(at(), read(*month(10), *SPLIT))
    path = tmp_path / "backup.db"
    rows = services.back_up(at().casebook, path, NOW)
    with pytest.raises(CardwatchError, match="never overwrites"):
        services.back_up(at().casebook, path, NOW)
    with pytest.raises(CardwatchError, match="not empty"):
        services.restore(path, at().casebook, NOW)
    with pytest.raises(CardwatchError, match="no backup"):
        services.restore(tmp_path / "elsewhere.db", at().casebook, NOW)
    again = Casebook(f"sqlite:///{tmp_path / 'again.db'}")
    assert services.restore(path, again, NOW) == rows
    assert [
        one.fault for one in services.verify(services.ServiceContext(again, at().actor, NOW))
    ] == [""]
    again.close()


def test_a_copy_that_breaks_half_way_leaves_the_new_casebook_empty(
    at: Context, read: Read, tmp_path: Path
) -> None:
    services.receive(at(), read(*month(10), *SPLIT))
    services.back_up(at().casebook, tmp_path / "backup.db", NOW)
    target = Casebook(f"sqlite:///{tmp_path / 'target.db'}")

    def fail(*given: Any) -> None:
        if "INTO transactions" in given[2]:
            raise OSError(28, "No space left on device")

    sa.event.listen(target.engine, "before_cursor_execute", fail)
    with pytest.raises(OSError, match="No space"):
        services.restore(tmp_path / "backup.db", target, NOW)
    assert target.organisations() == []
    target.close()


def test_a_casebook_written_by_a_later_version_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'book.db'}"
    book = Casebook(url)
    with book.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    book.close()
    with pytest.raises(CardwatchError, match="newer version"):
        Casebook(url)


def test_a_file_that_is_no_casebook_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_text("Dear sir or madam, this is a letter and no database." * 30, encoding="utf-8")
    kept = shutil.copy(path, tmp_path / "kept")
    with pytest.raises(CardwatchError, match="cannot be opened"):
        Casebook(f"sqlite:///{path}")
    assert path.read_bytes() == Path(kept).read_bytes()
