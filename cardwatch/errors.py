"""Exceptions with a message for people: what is wrong and what to do."""

from __future__ import annotations

import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

from cardwatch.quantities import quantity


class CardwatchError(Exception):
    """Something a person must put right; `str()` is the whole sentence. No personal data in it.

    Attributes:
        field: the field of a form or request that the sentence is about, under the name that the
            API gives it; empty if it is about no single field.
    """

    code = "refused"

    def __init__(self, sentence: str, *, field: str = "") -> None:
        """Take the whole sentence, and the field it is about."""
        self.field = field
        super().__init__(sentence)


class FileRefused(CardwatchError):
    """A file that is rejected as a whole: nothing of it is stored."""

    def __init__(self, file: str, code: str, reason: str) -> None:
        """Say which file, a stable code, and what is wrong and to be done, as one clause."""
        self.file, self.code, self.what = file, code, reason
        super().__init__(f"{file}: {reason}", field="file")


class ColumnsUnknown(FileRefused):
    """A table without the columns a statement or register needs."""

    advice = (
        "Write a column profile with 'cardwatch columns FILE > profile.toml', "
        "edit it, and give it with '--columns profile.toml'."
    )

    def __init__(
        self,
        file: str,
        headings: Sequence[str],
        missing: Sequence[str],
        nearest: Sequence[str],
    ) -> None:
        """Take the headings seen, the fields not found, and the nearest candidates as text."""
        self.headings, self.missing, self.nearest = headings, missing, nearest
        listed = ", ".join(headings) or "none"
        hint = f" Nearest: {'; '.join(nearest)}." if nearest else ""
        reason = f"no column for {', '.join(missing)}. Headings seen: {listed}.{hint} {self.advice}"
        super().__init__(file, "columns_unknown", reason)


class RegisterUnknown(ColumnsUnknown):
    """A table without the columns a register needs.

    Attributes:
        kind: the register for whose headings a column profile can be written; empty for none.
    """

    advice = (
        "Rename the headings: the page of a register gives an empty one with the headings to use, "
        "and docs/register-layouts.md lists them. Or state the columns: the page asks for them, "
        "and 'cardwatch registers columns FILE' writes a profile to edit."
    )

    def __init__(
        self,
        file: str,
        headings: Sequence[str],
        missing: Sequence[str],
        nearest: Sequence[str],
        kind: str = "",
    ) -> None:
        """Take what `ColumnsUnknown` takes, and the register."""
        self.kind = kind
        super().__init__(file, headings, missing, nearest)


class CardsUnknown(RegisterUnknown):
    """A table without the columns that a card register needs."""

    advice = "Rename the headings to those that docs/cards.md lists."


class FileFaulty(CardwatchError):
    """A settings file (policy, rule, column profile, model) with faults, all listed at once."""

    code = "faulty"

    def __init__(self, file: str, faults: Sequence[str], *, field: str = "") -> None:
        """Take every fault found, each naming its place in the file, and the field it came in."""
        self.file, self.faults = file, tuple(faults)
        count = quantity(len(self.faults), "fault")
        sentence = f"{file}: {count}\n" + "\n".join(f"  - {f}" for f in self.faults)
        super().__init__(sentence, field=field)


class ModelRefused(CardwatchError):
    """A model failed its checks: its files, versions or trees do not match its manifest."""

    code = "model_refused"

    def __init__(self, name: str, why: str) -> None:
        """Name the model and the reason."""
        super().__init__(f"Model '{name}' was not loaded: {why}")


class QuotaReached(CardwatchError):
    """The actor has used up what one person may use in a day (HTTP 429)."""

    code = "too_many"

    def __init__(self, limit: str, retry_after: int) -> None:
        """Take the limit in words, and the seconds until the next day begins."""
        self.retry_after = retry_after
        super().__init__(
            f"You have reached your limit of {limit} a day. Try again after midnight (UTC), or ask "
            "the people who run cardwatch to raise it."
        )


class NothingToScore(CardwatchError):
    """There are no transactions to score, though the files were read."""

    code = "nothing_to_score"


class NotAllowed(CardwatchError):
    """The actor's role does not allow the request."""

    code = "not_allowed"


class StepUpNeeded(NotAllowed):
    """The operation needs a code of the last minutes from the person, whose session has none."""

    code = "step_up"


class SecondPersonNeeded(NotAllowed):
    """The act needs the approval of another person, who has not given it yet (HTTP 409)."""

    code = "second_person"

    def __init__(self, approval_id: str, until: str, request: Mapping[str, object] | None) -> None:
        """Name the request and the day it expires; take it as it is to be kept, if it is new."""
        self.approval_id, self.request = approval_id, request
        super().__init__(
            f"Another person with your role must approve this first: request {approval_id}. Once "
            f"it is approved, do the same again by {until}."
        )


class NotFound(CardwatchError):
    """There is no such object, or the actor may not see it: the message is the same for both."""

    code = "not_found"


class Changed(CardwatchError):
    """Somebody else changed the object since the actor read it."""

    code = "changed"


class CasebookFailed(CardwatchError):
    """The database cannot be opened, or failed on the way; nothing of the work is kept."""

    code = "casebook_failed"


class CasebookBusy(CasebookFailed):
    """The database is locked or the connection was lost: the same work may succeed later."""


class Conflict(CardwatchError):
    """The request conflicts with what is stored (HTTP 409)."""

    code = "conflict"


def stack_of(error: BaseException) -> str:
    """Return the type of an unforeseen error and its whole stack, without values: they hold data.

    Each frame is a file, a line and a function; the errors that led to this one follow it.
    """
    parts: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        frames = traceback.extract_tb(cause.__traceback__)
        places = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
        parts.append(" > ".join([*places, type(cause).__name__]))
        cause = cause.__cause__ or cause.__context__
    return "; caused by ".join(parts)


@contextmanager
def about_field(field: str) -> Iterator[None]:
    """Let refusals raised inside be about a field, unless they name one themselves.

    For checks that do not know what their value was called, such as those of a policy.

    Raises:
        CardwatchError: the refusal, with its field.
    """
    try:
        yield
    except CardwatchError as refusal:
        refusal.field = refusal.field or field
        raise


def place_of(error: BaseException) -> str:
    """Return what an unforeseen error is and where it arose, without its words, which hold data."""
    last = traceback.extract_tb(error.__traceback__)[-3:]
    return f"{type(error).__name__} in " + " < ".join(
        f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(last)
    )
