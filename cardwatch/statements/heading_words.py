"""Makes headings from the words that exporters put together, beside those that a layout lists."""

from __future__ import annotations

from functools import cache
from itertools import permutations

from cardwatch.statements.words import word_set
from cardwatch.tabular import normalise_heading

DATE_HEADINGS = ("{} date", "date {}", "date of {}", "{} dt", "{} day", "day of {}", "{} on",
                 "{} at", "date of the {}", "{} timestamp", "{} date utc", "{} utc",
                 "{} date time")  # fmt: skip
OTHER_DATES = ("timestamp", "stamp", "date utc", "created", "when", "day", "transaction time",
               "transaction time utc", "purchase time", "time of transaction", "time of purchase",
               "date and time",
               "transaction date and time", "effective date")  # fmt: skip
HOLDER_FORMS = ("{}", "{} name", "{} nm", "{} full name", "{} display name", "name of {}",
                "name of the {}", "{} s name", "{}s name", "{}s", "{} last name", "{} surname",
                "{} family name", "{} t")  # fmt: skip
FIRST_NAME_FORMS = ("{} first name", "{} forename", "{} given name", "{} initials", "{} initial")
MERCHANT_FORMS = ("{}", "{} name", "{} nm", "{} trading name", "{} text", "{} details", "{} dba",
                  "{} description", "{} desc", "{} narrative", "{} s name", "name of {}",
                  "name of the {}", "{} t")  # fmt: skip
OTHER_HOLDERS = ("submitter", "submitter name", "submitted by", "report owner", "initiated by")
"""Who hands a claim in may do so for others: taken where nobody else is named."""
PLAIN_HEADINGS = {
    "cardholder": ("who", "resource", "resource t"),
    "merchant": ("where", "where bought", "where spent", "paid to", "dba name"),
    "amount": ("how much", "£"),
}
"""Headings of lists that people keep by hand, and of accounting systems."""
BEFORE = {"date": "Date", "cardholder": "Name", "merchant": "Text"}
"""Listed headings before which the made ones come, since they say more."""


def _made(group: str, *forms: str) -> tuple[str, ...]:
    """Return the headings that the words of a group make."""
    words = sorted(word_set("heading_words", group))
    return tuple(form.format(word) for form in forms for word in words)


def _either(group: str) -> tuple[str, ...]:
    """Return the headings of two words of a group: `Shop / Supplier`, `Payee or Vendor`."""
    pairs = list(permutations(sorted(word_set("heading_words", group)), 2))
    return tuple(f"{one}{mark}{other}" for mark in (" ", " or ") for one, other in pairs)


@cache
def made_headings() -> dict[str, tuple[str, ...]]:
    """Return further headings of fields, normalised; those of `other_date` are of days too."""
    return {
        "date": _made("date", *DATE_HEADINGS),
        "other_date": (*_made("other_date", *DATE_HEADINGS), *OTHER_DATES),
        "posting_date": _made("posting", *DATE_HEADINGS),
        "cardholder": (
            *_made("holder", *HOLDER_FORMS),
            *_made("holder_by", "{} by"),
            *PLAIN_HEADINGS["cardholder"],
        ),
        "cardholder_first": _made("holder", *FIRST_NAME_FORMS),
        "merchant": (
            *_made("merchant", *MERCHANT_FORMS),
            *_either("merchant"),
            *_made("merchant_from", "{} from", "{} at", "{} with"),
            *PLAIN_HEADINGS["merchant"],
        ),
        "amount": PLAIN_HEADINGS["amount"],
    }


def with_made_headings(columns: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return the columns of a general layout with the headings that words make.

    They come before listed ones that may be of something else, such as `Name`; other days than
    those of a purchase, and who handed a claim in, come last.
    """
    made, changed = made_headings(), dict(columns)
    for name, listed in columns.items():
        known = set(map(normalise_heading, listed))
        further = [heading for heading in made.get(name, ()) if heading not in known]
        place = listed.index(BEFORE[name]) if BEFORE.get(name) in listed else len(listed)
        changed[name] = (*listed[:place], *further, *listed[place:])
    changed["date"] = (*changed.get("date", ()), *made["other_date"])
    changed["cardholder"] = (*changed.get("cardholder", ()), *OTHER_HOLDERS)
    return changed
