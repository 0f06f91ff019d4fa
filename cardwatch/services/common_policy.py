"""Counts a quarter's alerts by a policy pack that several forces share, from its payments alone.

Own limits, cards, other registers and models of a force play no part, and the whole quarter is
scored at once however its statements came: what differs between two forces then lies in their
payments. Nothing is stored, and professional standards' rules are not read.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cardwatch.casebook import FINANCE, documents
from cardwatch.casebook import statements as kept
from cardwatch.casebook.tables import POLICY_PACK
from cardwatch.policy import parse_policy
from cardwatch.reports.aggregate import CommonPolicy
from cardwatch.services.back_tests import visible_alerts
from cardwatch.services.history_window import HISTORY_WINDOW_DAYS
from cardwatch.services.packs import pack_content, read_pack
from cardwatch.services.scoring_inputs import LoadedInputs, active_inputs, load_inputs, score_asked

if TYPE_CHECKING:
    import pandas as pd

    from cardwatch.casebook import UnitOfWork
    from cardwatch.reports.quarter import Span
    from cardwatch.services.context import ServiceContext


@dataclass(frozen=True)
class CommonInputs:
    """A pack, and the payments that it is applied to.

    Attributes:
        table: payments of the quarter and of the days before, as `read_window` gives them.
        settings: the force's own, by which alerts about the actor are known.
    """

    pack: bytes
    table: pd.DataFrame
    settings: LoadedInputs
    span: Span


def read_common_inputs(uow: UnitOfWork, span: Span, pack: bytes) -> CommonInputs | None:
    """Return a pack with the payments of a quarter; none without a pack.

    Args:
        span: the quarter.
        pack: the signed file of a pack; empty for the pack of the policy that was active on the
            quarter's last day.
    """
    settings = load_inputs(uow, replace(active_inputs(uow, span.last_on), model=""))
    if not pack and settings.policy.pack:
        pack = pack_content(uow, settings.policy)
    if not pack:
        return None
    since = dt.date.fromisoformat(span.first_on) - dt.timedelta(HISTORY_WINDOW_DAYS)
    table = kept.read_window(uow, kept.last_seq(uow), str(since), span.last_on)
    return CommonInputs(pack, table, settings, span)


def count_by_common_policy(
    context: ServiceContext, inputs: CommonInputs
) -> tuple[CommonPolicy, Counter[str]]:
    """Return a pack, and how many alerts of each kind a quarter's payments raise by it.

    Alerts are counted whose last payment lies in the quarter, as those of the own policy are; and
    like those without alerts about the actor.

    Raises:
        CardwatchError: it is no pack, was changed after it was signed, or has faults.
    """
    pack, rules = read_pack(inputs.pack)
    loaded = LoadedInputs(parse_policy(pack.policy, "policy.toml"), rules, None, None)
    span, table = inputs.span, inputs.table
    asked = table.loc[table["date"] >= span.first_on, "label"].unique().tolist()
    counts: Counter[str] = Counter()
    if asked:
        scoring = score_asked(kept.as_read(table), asked, loaded, (FINANCE,))
        alerts = visible_alerts(context, scoring.lists[FINANCE].alerts, inputs.settings)
        counts.update(a.kind for a in alerts if span.first_on <= a.last_on <= span.last_on)
    sha256 = documents.document_sha256(POLICY_PACK, inputs.pack)
    return CommonPolicy(pack.name, pack.owner, pack.version, sha256), counts
