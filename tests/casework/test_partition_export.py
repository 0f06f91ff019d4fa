"""A casebook's payments as a partition: every payment that counts, by finance, written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from books import NOW, month

from cardwatch import services
from cardwatch.errors import CardwatchError, NotAllowed, NothingToScore
from cardwatch.executors import this_process
from cardwatch.national import score_many
from cardwatch.partitions import list_partitions, read_partition

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]

POLICY = "[[single_purchase]]\nfrom = 2020-01-01\npounds = 750\n"
GIVEN = {"purpose": "finance-assurance", "recipient": "Inspectorate"}


def test_every_payment_that_counts_is_exported(at: Context, read: Read, tmp_path: Path) -> None:
    services.receive(at(), read(*month(9)), is_history=True)
    services.receive(at(), read(*month(9)[:4], *month(10)))
    services.receive(at(organisation="Other Force"), read(*month(8)))
    content = services.pack_policy(POLICY, "policy.toml")
    services.activate_document(at(), "policy", content, str(NOW.date()))
    written = services.export_partition(at(), str(tmp_path), **GIVEN)
    assert (written.organisation, written.payments, written.files) == ("Saltmarsh Vale", 24, 2)
    (partition,) = list_partitions(str(tmp_path))
    exported = read_partition(partition)
    lines = [line.split(",") for line in (*month(9), *month(10))]
    pence = sorted(round(float(line[3]) * 100) for line in lines)
    assert sorted(exported.transactions["amount_pence"]) == pence
    assert exported.transactions["holder_id"].nunique() == len({line[1] for line in lines})
    assert exported.policy is not None
    assert exported.policy.single_purchase[0].pence == 75_000
    (outcome,) = score_many([partition], str(tmp_path / "results"), engine=this_process())
    assert outcome.outcome == "scored"


def test_an_export_is_written_down(at: Context, read: Read, tmp_path: Path) -> None:
    services.receive(at(), read(*month(9)))
    services.export_partition(at(), str(tmp_path), **GIVEN)
    (row,) = services.list_exports(at())
    assert (row["recipient"], row["purpose"]) == ("Inspectorate", "finance-assurance")
    events = services.audit_events(at("auditor"), lane="finance", last=5)
    assert any("disclosure" in str(event) and "payments" in str(event) for event in events)


@pytest.mark.parametrize("role", ["auditor", "psd", "admin"])
def test_other_roles_export_no_payments(at: Context, read: Read, tmp_path: Path, role: str) -> None:
    services.receive(at(), read(*month(9)))
    with pytest.raises(NotAllowed):
        services.export_partition(at(role), str(tmp_path), **GIVEN)
    assert not list(tmp_path.glob("organisation=*"))


def test_an_export_needs_a_purpose_and_payments(at: Context, tmp_path: Path) -> None:
    with pytest.raises(CardwatchError, match="purpose"):
        services.export_partition(at(), str(tmp_path), purpose="", recipient="X")
    with pytest.raises(NothingToScore):
        services.export_partition(at(), str(tmp_path), **GIVEN)
