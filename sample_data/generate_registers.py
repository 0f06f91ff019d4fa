"""Write the made-up registers of the invented force: messy filler, planted truths, near misses."""

# Called by generate.py, which makes the payments first. Names are spelt by hand in registers.toml:
# nothing here shares code with cardwatch's matching. No clock is read; the seed is fixed.

from __future__ import annotations

import csv
import tomllib
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xlsxwriter

if TYPE_CHECKING:
    from collections.abc import Sequence

SEED = 20261101
NEWEST = "2026-10"
Row = list[str]


class Registers:
    """The registers on their way: the plan, the payments, and the chance behind the filler."""

    def __init__(self, force: Any) -> None:  # noqa: ANN401  generate.py's Force, which is a script's
        """Read the plan."""
        text = (Path(__file__).parent / "registers.toml").read_text(encoding="utf-8")
        self.plan: dict[str, Any] = tomllib.loads(text)
        self.force, self.rng = force, np.random.default_rng(SEED)
        self.filler: dict[str, list[str]] = self.plan["filler"]
        self.truths: list[dict[str, Any]] = []

    def pick(self, items: Sequence[Any]) -> Any:  # noqa: ANN401  whatever is picked from
        """One item by chance."""
        return items[int(self.rng.integers(len(items)))]

    def planted(self, name: str) -> list[Row]:
        """The planted rows of a register; those with a rule are truths."""
        entries: list[dict[str, Any]] = self.plan[name]
        self.truths += [entry for entry in entries if entry.get("rule")]
        return [entry["row"] for entry in entries]

    def someone(self) -> Any:  # noqa: ANN401  one of generate.py's holders
        """A card holder by chance."""
        return self.pick(list(self.force.holders.values()))

    def some_day(self, first: date = date(2025, 9, 1), days: int = 380) -> date:
        """A day by chance."""
        return first + timedelta(int(self.rng.integers(days)))


def british(day: date) -> str:
    """A day as a British clerk writes it."""
    return f"{day:%d/%m/%Y}"


def gifts(made: Registers) -> list[Row]:
    """Gifts and hospitality: two date orders, free text, missing values, nil returns."""
    rows = made.planted("gifts")
    planted = made.plan["gifts"]
    silent = next(e["row"][1] for e in planted if e.get("rule") == "register-silent-unit")
    for _ in range(70):
        person, day = made.someone(), made.some_day()
        while person.centre == silent:  # nobody of that unit has recorded anything since
            person = made.someone()
        donor, offer = made.pick(made.filler["donors"]), made.pick(made.filler["offers"])
        in_words = made.rng.random() < 0.3
        details = f"{offer.lower()} from {donor}" if in_words else offer
        offered = day.isoformat() if made.rng.random() < 0.4 else british(day)
        decision, value = made.pick(made.filler["decisions"]), made.pick(made.filler["values"])
        recorded = (day + timedelta(int(made.rng.integers(40)))).isoformat()
        donor = "" if in_words else made.pick((donor, donor.upper()))
        rows.append([person.id, person.centre, offered, donor, details, decision, value, recorded])
    return shuffled(made, rows)


def interests(made: Registers) -> list[Row]:
    """Business interests and second jobs, in every state of decision."""
    rows = made.planted("interests")
    for _ in range(24):
        person, day = made.someone(), made.some_day(date(2024, 1, 1), 900)
        status, business = made.pick(made.filler["statuses"]), made.pick(made.filler["businesses"])
        decided = "" if status == "Pending" else british(day + timedelta(20))
        review = british(day + timedelta(385)) if made.rng.random() < 0.7 else ""
        rows.append([person.id, person.centre, business, "", "Own business", british(day), status,
                     decided, review, "", british(day + timedelta(21))])  # fmt: skip
    return shuffled(made, rows)


def contracts(made: Registers) -> list[Row]:
    """Contracts of other suppliers, some without an end or value."""
    rows = made.planted("contracts")
    made.truths.append(made.plan["without_contract"])
    for n, supplier in enumerate(made.filler["suppliers"]):
        start = made.some_day(date(2023, 1, 1), 700)
        end = british(start + timedelta(1460)) if n % 3 else ""
        value = made.pick(("£120,000", "45000", "", "£1.2m"))
        rows.append([f"{supplier} Ltd", "", f"SV/2{n % 4 + 2}/1{n:02d}", "Services", british(start),
                     end, value, "", "Procurement", "01/10/2026"])  # fmt: skip
    return shuffled(made, rows)


def people(made: Registers) -> list[Row]:
    """Everybody with a card and every approver: posts, units and managers, no names."""
    left: dict[str, str] = made.plan["left"]
    made.truths.append(made.plan["left_rule"])
    rows = []
    for number, holder in sorted(made.force.holders.items()):
        manager = made.force.plan["approvers"][holder.centre]
        start = british(date(2010, 1, 4) + timedelta(int(number[2:]) * 7 % 5000))
        post = holder.role["post"].capitalize()
        rows.append([number, post, holder.centre, manager, start, left.get(number, ""), ""])
    for centre, approver in sorted(made.force.plan["approvers"].items()):
        rows.append([approver, "Head of unit", centre, "SV0900", "01/04/2015", "", ""])
    return rows + made.planted("people")


def absences(made: Registers) -> list[Row]:
    """Absences on which nothing was paid, with a reason column that no reader may take."""
    paid: dict[str, set[date]] = {}
    for row in made.force.ledger.rows:
        paid.setdefault(row.holder.id, set()).add(row.when)
    rows = made.planted("absence")
    for _ in range(150):
        person, first = made.someone(), made.some_day(date(2026, 1, 5), 290)
        days = [first + timedelta(n) for n in range(int(made.rng.integers(2, 8)))]
        if not paid.get(person.id, set()) & set(days):
            reason = made.pick(made.filler["reasons"])
            rows.append([person.id, british(days[0]), british(days[-1]), reason])
    return shuffled(made, rows)


def approvals(made: Registers) -> list[Row]:
    """Who approved each payment of the newest month, and when, with what is planted in it."""
    plan = made.plan["approvals"]
    month = [r for r in made.force.ledger.rows if f"{r.when:%Y-%m}" == NEWEST]
    month.sort(key=lambda row: row.reference)
    approver = dict(made.force.plan["approvers"])
    clocks = {centre: datetime(2026, 11, 2, 9) for centre in approver}  # noqa: DTZ001  no clock
    rushed = [r for r in month if r.holder.centre == plan["rushed"]["centre"]]
    hurried = {id(row) for row in rushed[: plan["rushed"]["count"]]}
    first = rushed[0]
    made.truths.append({**plan["rushed"], "holder": first.holder.id, "day": str(first.when)})
    special = {id(row): who for row, who in swapped(made, month)}
    absent = plan["while_absent"]
    rows = []
    for row in month:
        who, when = approver[row.holder.centre], clocks[row.holder.centre]
        clocks[row.holder.centre] += timedelta(seconds=int(made.rng.integers(25, 90)))
        who = special.get(id(row), who)
        if id(row) in hurried:
            when = datetime(2026, 10, 31, 17, 58, 4)  # noqa: DTZ001  no clock
        if is_payment(row, absent):
            when = datetime(2026, 11, 4, 10, 15)  # noqa: DTZ001  no clock
        rows.append([row.reference, who, f"{when:%d/%m/%Y %H:%M:%S}"])
    return rows


def swapped(made: Registers, month: list[Any]) -> list[tuple[Any, str]]:
    """The payments that somebody else than the unit's approver approved."""
    plan = made.plan["approvals"]
    one, other = plan["each_other"]
    made.truths += [plan["self"], one]
    found = [(row, row.holder.id) for row in month if is_payment(row, plan["self"])]
    found += [(row, other["holder"]) for row in month if is_payment(row, one)]
    return found + [(row, one["holder"]) for row in month if is_payment(row, other)]


def is_payment(row: Any, entry: dict[str, str]) -> bool:  # noqa: ANN401  one of generate.py's payments
    """Whether a payment is that of a planted entry."""
    return bool(row.holder.id == entry["holder"] and str(row.when) == entry["day"])


def shuffled(made: Registers, rows: list[Row]) -> list[Row]:
    """Rows in another order, as a register is filled by many hands."""
    return [rows[n] for n in made.rng.permutation(len(rows))]


def write_csv(path: Path, columns: Row, rows: list[Row], title: str = "") -> None:
    """One register as CSV, perhaps with a title above its headings."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file, lineterminator="\r\n")
        out.writerows([[title]] if title else [])
        out.writerows([columns, *rows])


def write_workbook(path: Path, columns: Row, rows: list[Row]) -> None:
    """One register as a workbook, every cell as text."""
    with xlsxwriter.Workbook(str(path), {"in_memory": True}) as book:
        book.set_properties({"created": datetime(2026, 1, 1)})  # noqa: DTZ001  no clock
        sheet = book.add_worksheet("Register")
        for n, row in enumerate([columns, *rows]):
            sheet.write_row(n, 0, row)


def write_registers(out: Path, force: Any) -> None:  # noqa: ANN401  generate.py's Force
    """Make every register of a force and write them, with the truth of what is planted."""
    made, folder = Registers(force), out / "registers"
    folder.mkdir(parents=True, exist_ok=True)
    plan = made.plan
    title = "Saltmarsh Vale Police (invented) - gifts and hospitality"
    write_csv(folder / "gifts.csv", plan["gift_columns"], gifts(made), title)
    write_workbook(folder / "interests.xlsx", plan["interest_columns"], interests(made))
    write_csv(folder / "contracts.csv", plan["contract_columns"], contracts(made))
    write_csv(folder / "people.csv", plan["people_columns"], people(made))
    write_csv(folder / "absence.csv", plan["absence_columns"], absences(made))
    write_csv(folder / "approvals.csv", plan["approval_columns"], approvals(made))
    whole = {
        "associations": "association_columns",
        "tenders": "tender_columns",
        "companies": "company_columns",
        "matches": "match_columns",
    }
    for name, columns in whole.items():  # planted rows alone, no filler
        write_csv(folder / f"{name}.csv", plan[columns], made.planted(name))
    write_truth(out / "registers_truth.csv", made)


def write_truth(path: Path, made: Registers) -> None:
    """The planted truths with the references of the payments that a rule has to name."""
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["rule", "month", "holder_id", "references"])
        for truth in made.truths:
            rows = [row for row in made.force.ledger.rows if is_payment(row, truth)]
            if not rows:
                raise SystemExit(f"No payment of {truth['holder']} is planted for {truth['rule']}.")
            references = " ".join(sorted(row.reference for row in rows))
            out.writerow([truth["rule"], NEWEST, truth["holder"], references])
