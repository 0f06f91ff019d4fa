"""A server for assistants (Model Context Protocol) that reads alerts through the API.

It is a client of the service with a key of its own, so that roles, lanes, quotas and the audit log
are the service's, and it sends no request that changes anything. No text that came with a statement
or register reaches the assistant: an answer has days, sums, codes and ids, our own words and the
force's rules. Cardholders and merchants are numbers. The models below admit nothing else, so that
a merchant cannot call itself "ignore the above" (decision 0096).
"""

from __future__ import annotations

import ipaddress
import re
import threading
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, Literal, ParamSpec, TypeVar
from urllib.parse import quote, urlsplit

import httpx2
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from cardwatch import __version__
from cardwatch.casebook.tables import STATES
from cardwatch.errors import CardwatchError
from cardwatch.merchants import canonical_name
from cardwatch.vocabulary import KIND_TITLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

P = ParamSpec("P")
T = TypeVar("T")
INSTRUCTIONS = (
    "Reads the alerts of cardwatch about purchasing-card payments. An alert is a reason to ask, "
    "not a finding: say so, and never call anybody a suspect. Cardholders and merchants are "
    "numbers, the same throughout this session; a merchant spelt in two ways may have two. People "
    "see the names at an alert's page. "
    "Amounts are pence. Nothing can be changed here."
)
OTHER_ANSWER = "The service answered something else. Are both of the same version?"
KEY_REFUSED = "The service does not accept the key: it may have expired or been revoked (401)."
REFUSALS = {
    403: "The key's role may not read this (403).",
    404: "There is no such alert or rule, or the key may not see it (404).",
    422: "A filter has a value that the service does not know (422).",
    429: "Too many requests. Try again in a minute (429).",
}
"""Sentence for a refusal, by its HTTP status, in our own words alone."""
OTHER_REFUSAL = "The service refused this ({})."
TIMEOUT_SECONDS = 60.0
READ_ONLY = ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False)
Day = Annotated[str, StringConstraints(pattern=r"^(\d{4}-\d\d-\d\d)?$")]
Identifier = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{1,64}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{0,80}$")]
"""A rule, kind, state or lane."""
State = Annotated[
    Literal["", "open", "asked", "explained", "policy-breach", "confirmed", "data-error",
            "suppressed", "answered-before", "not-asked"],
    Field(description="; ".join(f"{state}: {meaning}" for state, meaning in STATES.items())),
]  # fmt: skip
Kind = Annotated[Code, Field(description=f"One of {', '.join(KIND_TITLES)}.")]
Rule = Annotated[Code, Field(description="The id of a rule, as alerts have it.")]
CategoryCode = Annotated[str, StringConstraints(pattern=r"^(\d{4})?$")]
Cardholder = Annotated[str, StringConstraints(pattern=r"^cardholder \d+$")]
Merchant = Annotated[str, StringConstraints(pattern=r"^merchant \d+$")]
Cursor = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_=.~-]{0,500}$")]
Count = Annotated[int, Field(ge=1, le=100)]
MCC = re.compile(r"\d{4}")


class Answer(BaseModel):
    """Base of what the tools answer; what does not fit is never quoted."""

    model_config = ConfigDict(hide_input_in_errors=True)


class ListedAlert(Answer):
    """An alert as lists show it; `payments_count` is 0 for one about cards."""

    alert_id: Identifier
    lane: Code
    statement_id: Identifier
    rule: Code
    kind: Code
    tier: Literal["A", "B", "C"]
    is_fact: bool = Field(description="Whether it is a fact against a stated limit or list.")
    state: Code
    cardholders: list[Cardholder]
    merchants: list[Merchant]
    payments_count: int
    first_on: Day
    last_on: Day
    due_on: Day
    at_stake_pence: int
    recovered_pence: int


class AlertPage(Answer):
    """Alerts in order; `next` is the cursor of the next page, empty on the last."""

    alerts: list[ListedAlert]
    next: Cursor


class AlertPayment(Answer):
    """A payment that an alert asks about."""

    date: Day
    cardholder: Cardholder | None
    merchant: Merchant | None
    amount_pence: int


class RuleFinding(Answer):
    """A rule that applied, with the figures it compared."""

    rule: Code
    figures: dict[Code, float]


class StateChange(Answer):
    """A decision on an alert, without its reason."""

    on: Day
    state: Code


class AlertFacts(Answer):
    """One alert: its payments, what the rules found, and what makes it less likely."""

    alert_id: Identifier
    lane: Code
    statement_id: Identifier
    kind: Code
    tier: Literal["A", "B", "C"]
    is_fact: bool
    state: Code
    at_stake_pence: int
    recovered_pence: int
    payments: list[AlertPayment]
    found: list[RuleFinding]
    weakened_by: list[RuleFinding]
    decisions: list[StateChange]


class ListedPayment(Answer):
    """A payment of a statement."""

    statement_id: Identifier
    row: int = Field(description="Its row in the statement's file.")
    date: Day
    merchant: Merchant | None
    mcc: CategoryCode = Field(description="Merchant category code (ISO 18245); empty for none.")
    amount_pence: int
    kind: Code


class PaymentPage(Answer):
    """Payments, the newest first; `next` is the cursor of the next page, empty on the last."""

    payments: list[ListedPayment]
    next: Cursor


class RuleFacts(Answer):
    """A rule of the force: what it looks for, why, and what to ask."""

    rule: Code
    title: str
    kind: Code
    lane: Code
    why: str
    ask: list[str]
    innocent: list[str] = Field(description="Innocent explanations.")


def make_client(service: str, key: str) -> httpx2.Client:
    """Return a client of the service that sends a key.

    Args:
        service: its address; with TLS, unless it is on this machine.
        key: an API key.

    Raises:
        CardwatchError: the address is none, or the key would be sent without TLS.
    """
    try:
        parts = urlsplit(service)
        parts.port  # noqa: B018  refuses what is no number
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise CardwatchError("Give the service's address, such as https://cardwatch.force.example.")
    if parts.scheme == "http" and not _is_this_machine(parts.hostname):
        raise CardwatchError("Give the service's address with https://: a key is sent to it.")
    return httpx2.Client(
        base_url=service, headers={"Authorization": f"Bearer {key}"}, timeout=TIMEOUT_SECONDS
    )


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def make_server(client: httpx2.Client) -> MCPServer:
    """Return the server whose tools read by a client of the service."""
    server = MCPServer(
        "cardwatch", instructions=INSTRUCTIONS, version=__version__, log_level="WARNING"
    )
    reader = _Reader(client)
    for tool in (reader.list_alerts, reader.show_alert, reader.list_payments, reader.show_rule):
        server.add_tool(_unquoted(tool), annotations=READ_ONLY)
    return server


def _unquoted(tool: Callable[P, T]) -> Callable[P, T]:
    """Return a tool that says nothing of an answer of the service that it cannot tell."""

    @wraps(tool)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return tool(*args, **kwargs)
        except (ValidationError, KeyError, TypeError) as error:
            raise ToolError(OTHER_ANSWER) from error

    return called


class _Reader:
    """Reader for the tools; it numbers cardholders and merchants in the order they are met."""

    def __init__(self, client: httpx2.Client) -> None:
        """Read by a client."""
        self._client = client
        self._numbers: dict[str, dict[str, int]] = {"cardholder": {}, "merchant": {}}
        self._counting = threading.Lock()  # tools are called in threads

    def list_alerts(  # noqa: PLR0913, PLR0917  a filter each
        self,
        state: State = "",
        kind: Kind = "",
        rule: Rule = "",
        statement_id: Identifier | Literal[""] = "",
        since: Day = "",
        until: Day = "",
        order: Literal["evidence", "money", "age"] = "evidence",
        limit: Count = 20,
        cursor: Cursor = "",
    ) -> AlertPage:
        """List alerts, the strongest evidence first, by state, kind, rule, statement and days."""
        chosen = {"state": state, "kind": kind, "rule": rule, "statement_id": statement_id,
                  "since": since, "until": until, "order": order, "limit": limit,
                  "cursor": cursor}  # fmt: skip
        page = self._get("/v1/alerts", chosen)
        return AlertPage(alerts=list(map(self._listed, page["alerts"])), next=page["next"] or "")

    def show_alert(self, alert_id: Identifier) -> AlertFacts:
        """Show one alert: its payments, the figures that its rules compared, and its decisions."""
        alert = self._get(f"/v1/alerts/{alert_id}", {})
        raised, merchants = alert["raised"], alert["merchants"]
        only = self._number("merchant", merchants[0]) if len(merchants) == 1 else None
        names = ("alert_id", "lane", "statement_id", "state", "recovered_pence")
        raised_names = ("kind", "tier", "is_fact", "at_stake_pence")
        return AlertFacts(
            **{name: alert[name] for name in names},
            **{name: raised[name] for name in raised_names},
            payments=[
                AlertPayment(
                    date=payment["date"],
                    cardholder=self._number("cardholder", payment["holder_id"]),
                    merchant=only or self._merchant(payment["merchant"]),
                    amount_pence=payment["amount_pence"],
                )
                for payment in raised["payments"]
            ],
            found=_findings(raised["reasons"]),
            weakened_by=_findings(raised["weakened_by"]),
            decisions=[
                StateChange(on=decision["decided_at"][:10], state=decision["state"])
                for decision in alert["decisions"]
            ],
        )

    def list_payments(  # noqa: PLR0913, PLR0917  a filter each
        self,
        same_cardholder_as: Identifier | Literal[""] = "",
        same_merchant_as: Identifier | Literal[""] = "",
        since: Day = "",
        until: Day = "",
        least_pence: int | None = None,
        most_pence: int | None = None,
        limit: Count = 50,
        cursor: Cursor = "",
    ) -> PaymentPage:
        """List payments, the newest first: of an alert's cardholder or merchant, days and sums."""
        chosen = {"same_holder_as": same_cardholder_as, "same_merchant_as": same_merchant_as,
                  "since": since, "until": until, "least_pence": least_pence,
                  "most_pence": most_pence, "limit": limit, "cursor": cursor}  # fmt: skip
        page = self._get("/v1/payments", chosen)
        names = ("statement_id", "row", "date", "amount_pence", "kind")
        payments = [
            ListedPayment(
                **{name: payment[name] for name in names},
                merchant=self._merchant(payment["merchant"]),
                mcc=payment["mcc"] if MCC.fullmatch(payment["mcc"]) else "",
            )
            for payment in page["payments"]
        ]
        return PaymentPage(payments=payments, next=page["next"] or "")

    def show_rule(self, rule: Rule) -> RuleFacts:
        """Show a rule: what it looks for, why, what to ask, and innocent explanations."""
        answer = self._get(f"/v1/rules/{rule}", {})
        names = ("title", "kind", "lane", "why", "ask", "innocent")
        return RuleFacts(rule=answer["id"], **{name: answer[name] for name in names})

    def _listed(self, alert: Mapping[str, Any]) -> ListedAlert:
        """Return an alert of a list."""
        kept = ListedAlert.model_fields.keys() - {"cardholders", "merchants"}
        return ListedAlert(
            **{name: alert[name] for name in kept},
            cardholders=self._all_numbers("cardholder", alert["holders"]),
            merchants=self._all_numbers("merchant", alert["merchants"]),
        )

    def _merchant(self, printed: str) -> str | None:
        """Return the number of a merchant, by the name under which it is compared."""
        return self._number("merchant", canonical_name(printed).name)

    def _all_numbers(self, what: str, names: Iterable[str]) -> list[str]:
        return [number for name in names if (number := self._number(what, name))]

    def _number(self, what: str, name: str) -> str | None:
        """Return what a cardholder or merchant is called in this session; None for no name."""
        if not name:
            return None
        numbers = self._numbers[what]
        with self._counting:
            return f"{what} {numbers.setdefault(name, len(numbers) + 1)}"

    def _get(self, path: str, chosen: Mapping[str, Any]) -> Any:  # noqa: ANN401  JSON
        """Return what the service answers.

        Raises:
            ToolError: it refuses, or cannot be reached; without a word of what it says.
        """
        wanted = {name: value for name, value in chosen.items() if value not in {"", None}}
        try:
            answer = self._client.get(quote(path), params=wanted)
        except httpx2.HTTPError as error:
            raise ToolError(f"The service cannot be reached ({type(error).__name__}).") from error
        if answer.status_code == httpx2.codes.UNAUTHORIZED:
            raise ToolError(KEY_REFUSED)
        if answer.status_code != httpx2.codes.OK:
            raise ToolError(
                REFUSALS.get(answer.status_code, OTHER_REFUSAL).format(answer.status_code)
            )
        try:
            return answer.json()
        except ValueError as error:
            raise ToolError(OTHER_ANSWER) from error


def _findings(reasons: Iterable[Mapping[str, Any]]) -> list[RuleFinding]:
    """Return what rules found; a figure that is a text stays with the service."""
    return [
        RuleFinding(
            rule=reason["rule"],
            figures={
                name.replace("_", "-"): value
                for name, value in reason["figures"].items()
                if isinstance(value, int | float)
            },
        )
        for reason in reasons
    ]
