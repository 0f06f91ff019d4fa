"""The names by which payments and registers know one person, who is linked by one of them.

Somebody is linked by their number, and the next statement may say the cardholder's name alone, or
an entry of a register one of their former names. What is about that name is about them as far as
anybody knows, and is hidden from them too.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from cardwatch.casebook.card_approvers import holders_by_approver
from cardwatch.casebook.people_register import PeopleRegister, people_register
from cardwatch.casebook.tables import (
    HOLDER_KEYS,
    PSD,
    ROLES,
    holder_names,
    organisations,
    people,
    transactions,
)
from cardwatch.casebook.unit_of_work import canonical, short_id
from cardwatch.registers import (
    PERSON_KEYS,
    is_written_like,
    key_letters,
    name_forms,
    names_of,
    number_spellings,
    person_key,
    spellings,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from cardwatch.casebook.unit_of_work import UnitOfWork

SHARED = "key_account"
"""Column of what many cardholders may have in common: nobody is known by it beside a name."""
PSD_ONLY = "visible_to_psd_only"
"""Column of names that no payment has any more which others than professional standards see."""
NUMBERS = ("key_holder_id", "key_employee_id")
"""Keys that belong to one person; a name may belong to several."""
MOST_SPELLED = 1_500
"""Keys of which numbers count without zeros too: SQLite takes 32,766 values in one question."""
NOBODY: Mapping[str, Collection[str]] = {}


def actor_keys(uow: UnitOfWork) -> frozenset[str]:
    """Return the keys by which payments name the actor; none for somebody who holds no card."""
    return own_keys(uow, uow.actor.holder_id)


def own_keys(uow: UnitOfWork, *persons: str, lane: str = PSD) -> frozenset[str]:
    """Return the keys that name some people, each of one number or name; none for nobody.

    A name that several people have counts: what is about it may be about this one. A number counts
    without its leading zeros, and a name surname first; see `spellings`. The people
    register says more names, where the actor is of professional standards; of somebody who is
    named by an initial and a surname, the numbers and names of all who have both.

    Args:
        uow: the work it is done in.
        persons: the number or name of each.
        lane: finance where what follows is kept for finance too, whoever the actor is.
    """
    linked_keys = set[str]().union(*map(spellings, persons)) - {""}
    if not linked_keys:
        return frozenset()
    knows_all = uow.actor.role == PSD and lane == PSD
    register = people_register(uow) if knows_all else PeopleRegister()
    keys = linked_keys.union(*(n.values() for n in _with(uow, linked_keys, knows_all=knows_all)))
    forms = {person_key(form) for person in persons for form in name_forms(person)}
    keys |= {key for name in keys | forms for key in register.by_name.get(name, ())}
    keys |= {key for name in linked_keys | forms for key in register.by_initial.get(name, ())}
    keys |= {name for key in keys for name in register.names.get(key, ())}
    ways = _with(uow, keys, knows_all=knows_all)
    unnumbered = [names for names in ways if not names.keys() & set(NUMBERS)]
    keys = keys.union(*(names.values() for names in unnumbered))
    spelled = map(number_spellings, keys) if len(keys) <= MOST_SPELLED else ()
    return frozenset(keys.union(*spelled))


def keys_of_readers(uow: UnitOfWork, lane: str) -> frozenset[str]:
    """Return the keys that name the actor or anybody else who is shown a lane's alerts.

    Those count too whose cards they approve by the card register in force. For finance's lane those
    who read it from professional standards are left out: what finance sees must not tell who they
    are.
    """
    roles = [
        role for role, lanes in ROLES.items() if lane in lanes and (role != PSD or lane == PSD)
    ]
    question = sa.select(people.c.holder_id).where(
        uow.scope(people), people.c.ended_at.is_(None), people.c.role.in_(roles)
    )
    persons = {str(row["holder_id"] or "") for row in uow.fetch_all(question)}
    return _with_approved(uow, own_keys(uow, uow.actor.holder_id, *persons), {})


def keys_of_own_name(uow: UnitOfWork) -> frozenset[str]:
    """Return the keys of the name by which cardwatch knows the actor, and of whoever has it.

    Somebody who holds no card is in no statement, and may be in a register.
    """
    same = uow.scope(people) & (people.c.person_id == uow.actor.responsible_id)
    person = uow.fetch_one(sa.select(people.c.name).where(same))
    name = str(person["name"]) if person else ""
    forms = {
        *name_forms(name),
        *(f"{whole[0]} {whole.split()[-1]}" for whole in names_of(name, "")),
    }
    return own_keys(uow, name) | {person_key(form) for form in forms}


def hidden_keys(
    uow: UnitOfWork, scored_with: Mapping[str, Collection[str]] = NOBODY
) -> frozenset[str]:
    """Return the keys of those of whom the actor is shown nothing: themselves, whom they approve.

    Whose cards they approve says the card register in force, and each of these people counts by
    all of their names, as the actor does.

    Args:
        uow: the work it is done in.
        scored_with: each cardholder with whoever approves a card of theirs by another card
            register, with which something was scored that is to be shown.
    """
    keys = actor_keys(uow)
    return _with_approved(uow, keys, scored_with) if keys else keys


def _with_approved(
    uow: UnitOfWork, keys: frozenset[str], scored_with: Mapping[str, Collection[str]]
) -> frozenset[str]:
    """Return keys of people with those of whoever's card they approve."""
    holders = _approved(uow, keys) | {
        holder
        for holder, approvers in scored_with.items()
        if not keys.isdisjoint(map(person_key, approvers))
    }
    return keys | own_keys(uow, *holders)


def _approved(uow: UnitOfWork, keys: Collection[str]) -> set[str]:
    """Return the cardholders whose card people of some keys approve, by the register in force."""
    by_approver = holders_by_approver(uow) if keys else {}
    return {holder for key in keys for holder in by_approver.get(key, ())}


def approved_by_actor(uow: UnitOfWork) -> set[str]:
    """Return the cardholders whose card the actor approves, as the card register names them."""
    return _approved(uow, actor_keys(uow))


def approvers_of(
    uow: UnitOfWork, approvers: Mapping[str, Sequence[str]], person: str, lane: str
) -> Sequence[str]:
    """Return who approves what a person pays, by whichever of their names a lane may know."""
    if person in approvers or not approvers:
        return approvers.get(person, ())
    keys = own_keys(uow, person, lane=lane)
    by_key = ((person_key(holder), names) for holder, names in approvers.items())
    return sorted({name for key, names in by_key if key in keys for name in names})


def _with(uow: UnitOfWork, keys: set[str], *, knows_all: bool) -> list[dict[str, str]]:
    """Return the ways to name a cardholder that have one of some keys, by field; none is shared."""
    names = uow.scope(holder_names) & (holder_names.c.field != SHARED)
    if not knows_all:
        names &= holder_names.c.visible_to_psd_only == 0
    with_them = sa.select(holder_names.c.names_id).where(names, holder_names.c.subject_id.in_(keys))
    ids = {row["names_id"] for row in uow.fetch_all(with_them)}
    by_id: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for row in uow.fetch_all(
        sa.select(holder_names).where(names, holder_names.c.names_id.in_(ids))
    ):
        by_id[row["names_id"]][row["field"]] = row["subject_id"]
    return list(by_id.values())


def named_like_cardholders(
    uow: UnitOfWork, names: Mapping[str, Iterable[str]], registered: Iterable[str]
) -> set[str]:
    """Return those of whom a name is written as that of a cardholder may be, initials too.

    It is looser than what hides an alert: people share names, so that a person looks.

    Args:
        names: each person's names, by their id.
        registered: keys of the people whom the card register names.
    """
    visible = uow.scope(holder_names) & (holder_names.c.field != SHARED)
    if uow.actor.role != PSD:
        visible &= holder_names.c.visible_to_psd_only == 0
    question = sa.select(holder_names.c.subject_id).where(visible).distinct()
    keys = {*registered, *(row["subject_id"] for row in uow.fetch_all(question))}
    cardholders = {key_letters(key) for key in keys}
    return {
        person_id
        for person_id, texts in names.items()
        if any(is_written_like(cardholders, text) for text in texts)
    }


def keep_names(uow: UnitOfWork, payments: Iterable[Mapping[Any, object]]) -> None:
    """Keep the ways in which payments that are received name cardholders."""
    rows = _as_rows({names_of_payment(payment) for payment in payments}, visible_to_psd_only=False)
    question = sa.select(holder_names.c.names_id, holder_names.c.visible_to_psd_only).where(
        uow.scope(holder_names)
    )
    stored = {row["names_id"]: row["visible_to_psd_only"] for row in uow.fetch_all(question)}
    uow.insert(holder_names, [row for row in rows if row["names_id"] not in stored])
    for names_id in sorted({str(row["names_id"]) for row in rows if stored.get(row["names_id"])}):
        these = holder_names.c.names_id == names_id
        uow.update(holder_names, these, {"visible_to_psd_only": False})


def keep_names_anew(uow: UnitOfWork) -> None:
    """Keep the ways in which payments name cardholders that are left once some were erased."""
    uow.delete(holder_names, sa.true())
    uow.insert(holder_names, _rows_of_payments(uow))


def are_keys_current(uow: UnitOfWork) -> bool:
    """Whether this version of `person_key` made the keys that are stored of people."""
    question = sa.select(organisations.c.person_keys).where(uow.scope(organisations))
    row = uow.fetch_one(question)
    return row is not None and row["person_keys"] == PERSON_KEYS


def _rows_of_payments(uow: UnitOfWork) -> list[dict[str, Any]]:
    """Return the rows of the ways in which the payments that are stored name cardholders."""
    columns = [transactions.c[name] for name in HOLDER_KEYS]
    rows: list[dict[str, Any]] = []
    stored_names: set[tuple[tuple[str, str], ...]] = set()
    for visible_to_psd_only in (False, True):
        payments = uow.fetch_all(
            sa.select(*columns)
            .where(
                uow.scope(transactions), transactions.c.visible_to_psd_only == visible_to_psd_only
            )
            .distinct()
        )
        names = {names_of_payment(payment) for payment in payments} - stored_names
        rows += _as_rows(names, visible_to_psd_only=visible_to_psd_only)
        stored_names |= names
    return rows


def are_names_of_payments(uow: UnitOfWork, lane: str) -> bool:
    """Whether the names by which cardholders are known are those that payments have.

    A name more would hide alerts from whoever has it. Keys of another version are not compared.

    Args:
        lane: psd for all names; finance for those that everybody may know of.
    """
    if not are_keys_current(uow):
        return True
    columns = ("names_id", "field", "subject_id", "visible_to_psd_only")
    question = sa.select(*(holder_names.c[name] for name in columns)).where(uow.scope(holder_names))
    stored, expected = (
        {tuple(row[name] for name in columns) for row in rows if lane == PSD or not row[PSD_ONLY]}
        for rows in (uow.fetch_all(question), _rows_of_payments(uow))
    )
    return stored == expected


def names_of_payment(payment: Mapping[Any, object]) -> tuple[tuple[str, str], ...]:
    """Return the fields by which a payment names its cardholder, with their keys."""
    texts = ((name, payment.get(name)) for name in HOLDER_KEYS)
    return tuple((name, person_key(text)) for name, text in texts if isinstance(text, str) and text)


def _as_rows(
    names: set[tuple[tuple[str, str], ...]], *, visible_to_psd_only: bool
) -> list[dict[str, Any]]:
    """Return the rows of some ways to name a cardholder."""
    return [
        {
            "names_id": short_id(canonical(fields)),
            "field": field,
            "subject_id": key,
            "visible_to_psd_only": visible_to_psd_only,
        }
        for fields in sorted(names)
        for field, key in fields
    ]
