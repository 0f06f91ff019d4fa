"""What one proposes, another agrees to: a key is no other than whoever made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from books import NOW

from cardwatch import desk
from cardwatch.desk import Desk
from cardwatch.errors import NotAllowed

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.casebook import Casebook


def test_nobody_agrees_to_their_own_by_a_key_they_made(
    casebook: Casebook, at: Callable[..., Desk]
) -> None:
    def by_key(giver: Desk) -> Desk:
        key = desk.make_key(giver, name="k", role="psd", days=9, can_decide=True)
        return Desk(casebook, desk.actor_of_key(casebook, key, NOW), NOW)

    person = at("psd")
    first, second = by_key(person), by_key(person)
    third = by_key(first)
    policy = desk.pack_policy("alerts_per_1000 = 10\n", "policy.toml")
    for number, (one, other) in enumerate(
        [(person, first), (first, person), (first, second), (third, person), (second, third)]
    ):
        made = desk.propose(one, "policy", policy, holds_from="", reason=str(number))
        with pytest.raises(NotAllowed):
            desk.decide_proposal(other, made["proposal_id"], agrees=True)
    desk.add_person(person, name="two", email="two@x.example", role="psd", holds_no_card=True)
    actor = desk.actor_of_person(casebook, person.actor.organisation_id, "two@x.example", NOW)
    agreed = desk.decide_proposal(
        by_key(Desk(casebook, actor, NOW)), made["proposal_id"], agrees=True
    )
    assert agreed["state"] == "agreed"
