"""Exports an organisation's payments as a partition, for a scoring of many organisations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardwatch.casebook import FINANCE, people
from cardwatch.casebook.statements import as_read, last_seq, read_window
from cardwatch.errors import NothingToScore
from cardwatch.partitions import write_partition
from cardwatch.services.exports import whole_export
from cardwatch.services.scoring_inputs import active_inputs, load_inputs, read_content
from cardwatch.statements import name_holders

if TYPE_CHECKING:
    from cardwatch.services.context import ServiceContext

ALL_DAYS = ("0001-01-01", "9999-12-31")


@dataclass(frozen=True)
class PartitionExport:
    """Result of an export: the organisation's name, payments and files."""

    organisation: str
    payments: int
    files: int


def export_partition(
    context: ServiceContext, root: str, *, purpose: str, recipient: str
) -> PartitionExport:
    """Write all payments that count, the active policy and the card register as a partition.

    Args:
        context: who exports; finance alone, since professional standards see no names here.
        root: folder or address above all organisations.
        purpose: one of `PURPOSES`.
        recipient: to whom the files are given.

    Raises:
        NotAllowed: the role is another.
        NothingToScore: the casebook has no payment that counts.
        CardwatchError: there is no such purpose or no recipient, or a file cannot be written.
    """
    with whole_export(context, "payments", purpose=purpose, recipient=recipient) as uow:
        context.allow((FINANCE,), "export all payments")
        table = read_window(uow, last_seq(uow), *ALL_DAYS)
        if table.empty:
            raise NothingToScore("The casebook has no payments to export.")
        recipe = active_inputs(uow, uow.today)
        cards = load_inputs(uow, recipe).cards if recipe.cards else None
        policy_text = read_content(uow, recipe, "policy").decode() if recipe.policy else ""
        organisation = people.organisation_name(uow)
        transactions, _ = name_holders(as_read(table))
        uow.event.counts = {"payments": len(transactions)}
    count = write_partition(root, organisation, transactions, policy_text=policy_text, cards=cards)
    return PartitionExport(organisation, len(transactions), count)
