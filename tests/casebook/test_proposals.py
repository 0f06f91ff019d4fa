"""What one proposes, another agrees to: a key is no other than whoever made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from books import NOW, approved

from cardwatch import services
from cardwatch.errors import NotAllowed
from cardwatch.services import ServiceContext

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.casebook import Casebook


def test_nobody_agrees_to_their_own_by_a_key_they_made(
    casebook: Casebook, at: Callable[..., ServiceContext]
) -> None:
    def by_key(giver: ServiceContext) -> ServiceContext:
        key = services.create_key(giver, name="k", role="psd", days=9, can_decide=True)
        return ServiceContext(casebook, services.actor_of_key(casebook, key, NOW), NOW)

    person = at("psd")
    first, second = by_key(person), by_key(person)
    third = by_key(first)
    policy = services.pack_policy("alerts_per_1000 = 10\n", "policy.toml")
    for number, (one, other) in enumerate(
        [(person, first), (first, person), (first, second), (third, person), (second, third)]
    ):
        made = services.propose(one, "policy", policy, effective_from="", reason=str(number))
        with pytest.raises(NotAllowed):
            services.decide_proposal(other, made["proposal_id"], agrees=True)
    new = {"name": "two", "email": "two@x.example", "role": "psd", "holds_no_card": True}
    approved(person, lambda giver: services.add_person(giver, **new))
    actor = services.actor_of_person(casebook, person.actor.organisation_id, "two@x.example", NOW)
    agreed = services.decide_proposal(
        by_key(ServiceContext(casebook, actor, NOW)), made["proposal_id"], agrees=True
    )
    assert agreed["state"] == "agreed"
