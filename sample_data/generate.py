"""Write the made-up statements, register, policy and planted truth of an invented police force."""

# python sample_data/generate.py [OUT_DIR]: the force itself (posts, merchants, planted matters) is
# described in force.toml beside this script; no clock is read, so every run writes the same bytes.

from __future__ import annotations

import csv
import sys
import tomllib
from calendar import monthrange
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import xlsxwriter
from feeds import FORMS, FeedRow
from generate_aggregates import write_aggregates
from generate_registers import write_registers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SEED = 20260731
FEED_MONTH = "2026-10"
FORCE = "Saltmarsh Vale Police (an invented force)"
MONTHS = [f"{2025 + n // 12}-{n % 12 + 1:02d}" for n in range(8, 22)]
CENTRAL_BUYERS = ["SV1003", "SV1004"]
# Ceilings no ordinary payment may break, in pence: one payment, a holder's or a cost centre's
# payments to one merchant within a week either side, a holder's month, a holder at a merchant.
MOST_ONE, MOST_NEAR, MOST_MONTH, MOST_EVER = 880_00, 900_00, 4_400_00, 4_400_00
TOWNS = ("SALTMARSH", "EASTQUAY", "WICKHOLM", "NETHERVALE", "UPPER STAITHE")
ABROAD = {"EUR": ("ROTTERDAM", 0.86), "USD": ("BOSTON", 0.75)}  # town and pounds to one unit
MARKETPLACE = ("AMBERMART MKTPLACE {}", "AMBERMART.EXAMPLE*{}", "Ambermart UK {}", "AMBERMART*{}")
PARKING_FEES = (50, 80, 1_50, 2_40, 3_60, 5_20, 7_50)
LAYOUT_1 = [
    "FIN.TRANSACTION DATE",
    "FIN.POSTING DATE",
    "FIN.TRANSACTION REFERENCE NUMBER",
    "ACC.ACCOUNT NUMBER",
    "ACC.EMPLOYEE ID",
    "MCH.MERCHANT NAME",
    "MCH.MERCHANT CATEGORY CODE (MCC)",
    "MCH.MCC DESCRIPTION",
    "MCH.CITY NAME",
    "FIN.ACCOUNTING CODE 01 VALUE",
    "FIN.TRANSACTION AMOUNT",
    "FIN.ORIGINAL CURRENCY AMOUNT",
    "FIN.ORIGINAL ISO CURRENCY CODE SYMBOL",
]
LAYOUT_2 = [
    "Transaction Date",
    "Posted Date",
    "Reference Number",
    "Card Number",
    "Employee ID",
    "Merchant Name",
    "Merchant Category Code",
    "Merchant Category",
    "Cost Centre",
    "Amount",
    "Currency",
    "Original Amount",
    "Original Currency",
]
LAYOUT_3 = [
    "TRANS DATE",
    "TRANS POST DATE",
    "TRANS ACCOUNT KEY",
    "TRANS VAT DESC",
    "ORIGINAL GROSS AMT",
    "ORIGINAL CUR",
    "BILLING GROSS AMT",
    "BILLING CUR CODE",
    "MERCHANT NAME",
    "MCC CODE",
    "CARD NUMBER",
    "EMPLOYEE ID",
    "TRANS CAC CODE 2",
    "TRANS CAC DESC 2",
    "Directorate",
]
REGISTER = [
    "Card Number",
    "Employee No",
    "Unit",
    "Approver No",
    "Single Limit (£)",
    "Monthly Limit (£)",
    "Opened",
    "Closed",
    "Status",
    "Effective From",
]
SMALL_MONTH = 1_300_00  # holders who never spend more in a month have the lower monthly limit
VAT = {"4112": "Zero rated", "9402": "Exempt", "8299": "Exempt", "5942": "Zero rated"}
Item = TypeVar("Item")


@dataclass(frozen=True)
class Merchant:
    """A merchant by its plain name; `usual` is its median payment in pounds."""

    name: str
    mcc: str
    usual: int
    currency: str = "GBP"
    town: str = TOWNS[0]


@dataclass(frozen=True, eq=False)
class Holder:
    """A card holder, known by employee id and post only."""

    id: str
    role: dict[str, Any]
    centre: str
    card: str
    scale: float
    habits: tuple[Merchant, ...]
    others: tuple[Merchant, ...]


@dataclass(eq=False)
class Payment:
    """One statement row; `pence` is billed sterling, negative for a refund."""

    when: date
    holder: Holder
    merchant: Merchant
    pence: int
    spelt: str
    posted: date
    planted: bool = False
    reference: str = ""

    @property
    def original(self) -> int:
        """The amount in hundredths of the merchant's own currency."""
        if self.merchant.currency == "GBP":
            return self.pence
        return round(self.pence / (ABROAD[self.merchant.currency][1] + self.when.month / 1000))


@dataclass
class Ledger:
    """The payments so far, and the ceilings that keep ordinary ones ordinary."""

    rows: list[Payment] = field(default_factory=list)
    pairs: dict[tuple[str, str], list[Payment]] = field(default_factory=lambda: defaultdict(list))
    months: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    counts: Counter[str] = field(default_factory=Counter)

    def post(self, row: Payment) -> None:
        """Add a row without asking."""
        self.rows.append(row)
        self.counts[f"{row.when:%Y-%m}"] += 1
        self.months[row.holder.id, f"{row.when:%Y-%m}"] += max(row.pence, 0)
        for key in (row.holder.id, row.holder.centre, "anybody"):
            self.pairs[key, row.merchant.name].append(row)

    def offer(self, row: Payment) -> bool:
        """Add an ordinary row unless it would look like a planted matter."""
        refused = self._too_much(row) or (
            not (row.merchant.mcc == "7523" and abs(row.pence) < 10_00) and self._repeated(row)
        )
        if not refused:
            self.post(row)
        return not refused

    def _too_much(self, row: Payment) -> bool:
        """Whether the row would break one of the ceilings."""
        spend, name = max(row.pence, 0), row.merchant.name
        own, centre = self.pairs[row.holder.id, name], self.pairs[row.holder.centre, name]
        # A central buyer's month may hold a planted purchase of several thousand pounds.
        month_most = MOST_MONTH * (4 if row.holder.id in CENTRAL_BUYERS else 1)
        near = [other for other in centre if abs((other.when - row.when).days) <= 7]
        return (
            spend > MOST_ONE
            or self.months[row.holder.id, f"{row.when:%Y-%m}"] + spend > month_most
            or sum(max(other.pence, 0) for other in own) + spend > MOST_EVER
            or sum(max(other.pence, 0) for other in near) + spend > MOST_NEAR
        )

    def _repeated(self, row: Payment) -> bool:
        """Whether the amount is the holder's within a week, or anybody's on the day."""
        return any(
            other.pence == row.pence
            and abs((other.when - row.when).days) <= (7 if other.holder is row.holder else 0)
            for other in self.pairs["anybody", row.merchant.name]
        )


class Force:
    """The invented force: its merchants, its holders, and the chance behind their payments."""

    def __init__(self, plan: dict[str, Any], rng: np.random.Generator) -> None:
        """Draw holders and merchants by the plan."""
        self.plan, self.rng, self.ledger = plan, rng, Ledger()
        self.merchants: dict[str, Merchant] = {}
        self.holders: dict[str, Holder] = {}
        self.free = {date.fromisoformat(day) for day in plan["bank_holidays"]}
        self.shared = self.read_merchants(plan["shared"])
        self.read_merchants(plan["apart"])
        cards = (rng.choice(9000, 60, replace=False) + 1000).tolist()
        for role in plan["roles"]:
            role["known"] = self.read_merchants(role["merchants"])
            for n in range(role["count"]):
                centre = role["cost_centres"][n % len(role["cost_centres"])]
                self.add_holder(role, centre, f"{'*' * 12}{cards[len(self.holders)]}")

    def read_merchants(self, entries: Iterable[str]) -> list[Merchant]:
        """Merchants from "name/MCC/pounds[/currency]" entries, each made once."""
        found = []
        for entry in entries:
            name, mcc, usual, currency = (entry + "/GBP").split("/")[:4]
            town = ABROAD.get(currency, (TOWNS[len(self.merchants) % len(TOWNS)],))[0]
            made = Merchant(name, mcc, int(usual), currency, town)
            found.append(self.merchants.setdefault(name, made))
        return found

    def add_holder(self, role: dict[str, Any], centre: str, card: str) -> None:
        """A holder who favours all the role's merchants but one and half of the shared ones."""
        spare = self.pick(role["known"]).name if role["count"] > 3 else ""
        liked = [m for m in role["known"] if m.name not in (spare, *self.plan["seldom"])]
        habits = (*liked, *(m for m in self.shared if self.rng.random() < 0.55))
        others = tuple(m for m in (*role["known"], *self.shared) if m not in habits)
        number, scale = f"SV{1001 + len(self.holders)}", float(self.rng.uniform(0.88, 1.12))
        self.holders[number] = Holder(number, role, centre, card, scale, habits, others)

    def pick(self, items: Sequence[Item]) -> Item:
        """One item by chance."""
        return items[int(self.rng.integers(len(items)))]

    def code(self, length: int, letters: str = "ABCDEFGHJKLMNPQRTVWXYZ2346789") -> str:
        """An order id by chance."""
        return "".join(self.pick(letters) for _ in range(length))

    def working_days(self, month: str, *, weekends: bool = False) -> list[date]:
        """The days of a month on which payments are made."""
        first = date.fromisoformat(f"{month}-01")
        days = [first + timedelta(n) for n in range(monthrange(first.year, first.month)[1])]
        return [d for d in days if weekends or (d.weekday() < 5 and d not in self.free)]

    def payment(self, when: date, holder: Holder, merchant: Merchant, pence: int) -> Payment:
        """A payment with its spelling and posting date."""
        posted = when + timedelta(int(self.rng.integers(1, 4)))
        return Payment(when, holder, merchant, pence, self.spell(holder, merchant, pence), posted)

    def spell(self, holder: Holder, merchant: Merchant, pence: int) -> str:  # noqa: PLR0911  one a spelling
        """The merchant's name as one statement row might have it."""
        chance, upper = self.rng.random(), merchant.name.upper()
        if upper.startswith("PAYPAL"):
            return upper
        if upper == "AMBERMART":
            return self.pick(MARKETPLACE).format(self.code(5))
        if chance < 0.22:
            return f"{upper} {self.pick((104, 217, 350)) + len(upper):04d}"
        if chance < 0.34:
            return f"{upper} LTD"
        if chance < 0.44:
            return merchant.name
        if chance < 0.46 and merchant.usual < 100:
            return f"SQ *{upper}"
        rarely = chance > 0.99 and holder.role.get("hidden_sellers") and abs(pence) < 60_00
        return f"PAYPAL *{upper}" if rarely else upper

    def amount(self, holder: Holder, merchant: Merchant) -> int:
        """A lognormal amount about the merchant's usual, some of them whole pounds or .99."""
        if merchant.mcc == "7523":
            return self.pick(PARKING_FEES)
        wobble = float(np.exp(0.4 * np.clip(self.rng.normal(), -2, 2)))
        pence = max(90, round(merchant.usual * 100 * holder.scale * wobble))
        return round(pence, -2) - self.pick((0, 1)) if self.rng.random() < 0.3 else pence

    def choose(self, holder: Holder, month: str) -> Merchant:
        """Mostly a habit, sometimes another's habit, rarely a seller new to the force."""
        chance = self.rng.random()
        if chance < 0.01:
            trade, mcc = self.pick(self.plan["new_trades"]).split("/")
            first, second = self.pick(self.plan["new_firsts"]), self.pick(self.plan["new_seconds"])
            name = f"{first}{second} {trade}"
            return self.merchants.setdefault(name, Merchant(name, mcc, 19, town=self.pick(TOWNS)))
        if chance < 0.02 and holder.role.get("hidden_sellers"):
            return Merchant(f"PAYPAL *{self.code(5)}", "5999", 20)
        if chance < 0.08 and holder.others:
            return self.pick(holder.others)
        habits = [m for m in holder.habits if m.currency == "GBP" or self.rng.random() < 0.3]
        own = [m for m in habits if m in holder.role["known"]]
        if month.endswith("-03") and self.rng.random() < 0.7:
            own = [m for m in own if m.usual >= 100]  # year-end equipment
        return self.pick(own if own and self.rng.random() < 0.66 else habits)


def plant(force: Force, matter: dict[str, Any]) -> list[Payment]:
    """Post one planted matter's payments, before any ordinary ones."""
    made = []
    holder_id = matter["parts"][0].split()[0]
    dearer = [m for m in force.holders[holder_id].role["known"] if m.usual >= 100]
    parts: list[str] = matter["parts"]
    if matter["rule"] == "recurring-spend":
        parts = monthly_parts(force, holder_id, matter["month"])
    elif matter["rule"] == "over-month-limit":
        parts = full_month_parts(force, holder_id, matter["month"])
    for n, part in enumerate(parts):
        number, day, pounds = part.split()
        when = date.fromisoformat(day if "-" in day else f"{matter['month']}-{int(day):02d}")
        star = matter["merchant"] == "*"
        merchant = dearer[n % len(dearer)] if star else force.merchants[matter["merchant"]]
        row = force.payment(when, force.holders[number], merchant, round(float(pounds) * 100))
        row.spelt, row.planted = merchant.name.upper(), True
        force.ledger.post(row)
        made.append(row)
    return made


def monthly_parts(force: Force, holder: str, month: str) -> list[str]:
    """Twelve monthly payments up to a month; only the twelfth takes them past £5,000."""
    last = MONTHS.index(month)
    days = [force.pick(force.working_days(m)[5:14]) for m in MONTHS[last - 11 : last + 1]]
    return [f"{holder} {day} {force.rng.uniform(432, 461):.2f}" for day in days]


def full_month_parts(force: Force, holder: str, month: str) -> list[str]:
    """Nineteen payments to the role's dearer merchants in turn, none large for its merchant."""
    dearer = [m.usual for m in force.holders[holder].role["known"] if m.usual >= 100]
    days = force.working_days(month)[:20]
    return [
        f"{holder} {days[n]} {dearer[n % len(dearer)] * force.rng.uniform(1.15, 1.45):.2f}"
        for n in range(19)
    ]


def scheduled(force: Force, month: str) -> None:
    """Subscriptions, weekly suppliers in turn, and the bookers' small bulk bookings."""
    ledger, days = force.ledger, force.working_days(month)
    for entry in force.plan["subscriptions"]:
        number, day, pence, name = entry.split(" ", 3)
        when = date.fromisoformat(f"{month}-{int(day):02d}")
        ledger.offer(force.payment(when, force.holders[number], force.merchants[name], int(pence)))
    weekly = (("Ladlewick Catering", 1023, 5, 1, 180), ("Moathall Rooms", 1043, 2, 3, 95))
    for name, first, takers, weekday, least in weekly:
        for when in (day for day in days if day.weekday() == weekday):
            holder = force.holders[f"SV{first + when.toordinal() // 7 % takers}"]
            pence = round(least * 100 * force.rng.uniform(1.0, 1.43))
            ledger.offer(force.payment(when, holder, force.merchants[name], pence))
    for holder in force.holders.values():
        places = [m for m in holder.habits if m.mcc in ("4112", "7011") and m.currency == "GBP"]
        if holder.role["post"] == "rail and hotel booker":
            for when in [force.pick(days) for _ in range(force.pick((1, 1, 2)))]:
                place = force.pick(places)
                for _ in range(int(force.rng.integers(3, 7 if place.mcc == "4112" else 5))):
                    pence = min(force.amount(holder, place), 125_00)
                    ledger.offer(force.payment(when, holder, place, pence))


def everyday(force: Force, month: str) -> None:
    """Fill the month with ordinary payments, then give a few earlier ones back."""
    march = month.endswith("-03")
    target = int(force.rng.integers(462, 500)) + (57 if march else 0)
    holders = list(force.holders.values())
    while force.ledger.counts[month] < target:
        holder = force.pick(holders)
        when = force.pick(force.working_days(month, weekends=bool(holder.role.get("weekends"))))
        if when.weekday() >= 5 and force.rng.random() < 0.5:
            continue
        merchant = force.choose(holder, month)
        force.ledger.offer(force.payment(when, holder, merchant, force.amount(holder, merchant)))
    refunds(force, month, round(target * 0.02))


def refunds(force: Force, month: str, count: int) -> None:
    """Give back in full a few ordinary charges of the three weeks before."""
    days, ledger = force.working_days(month), force.ledger
    for _ in range(count * 40):
        charge, when = force.pick(ledger.rows), force.pick(days)
        back = force.payment(when, charge.holder, charge.merchant, -charge.pence)
        fits = not charge.planted and charge.pence > 8_00 and charge.merchant.currency == "GBP"
        given = any(
            row.pence == -charge.pence
            for row in ledger.pairs[charge.holder.id, charge.merchant.name]
        )
        if fits and not given and 3 <= (when - charge.when).days <= 21:
            count -= ledger.offer(back)
        if not count:
            return


def statements(force: Force) -> dict[str, list[Payment]]:
    """The rows by statement month, a few posted late, each given its reference."""
    by_month: dict[str, list[Payment]] = {month: [] for month in MONTHS}
    for row in force.ledger.rows:
        month, posted = f"{row.when:%Y-%m}", f"{row.posted:%Y-%m}"
        late = not row.planted and posted in by_month and force.rng.random() < 0.25
        by_month[posted if late else month].append(row)
    for month, rows in by_month.items():
        rows.sort(key=lambda row: (row.posted, row.when, row.holder.id, row.spelt, row.pence))
        step = 7 + int(month[-2:])
        for n, row in enumerate(rows):
            row.reference = f"7{month[2:4]}{month[-2:]}{10007 + n * step:05d}"
    return by_month


def money(pence: int, *, bare: bool = False) -> str:
    """Pounds and pence with thousands commas; `bare` drops the nought of an amount below one."""
    text = f"{pence / 100:,.2f}"
    return text.replace("0.", ".", 1) if bare and abs(pence) < 1_00 else text


def write_first(path: Path, rows: list[Payment], mcc: dict[str, str]) -> None:
    """The first layout: comma-separated UTF-8 with a title line and an end mark."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file, lineterminator="\r\n")
        out.writerow(["Saltmarsh Vale Police (invented) - purchasing card statement"])
        out.writerow(LAYOUT_1)
        for row in rows:
            holder, merchant = row.holder, row.merchant
            out.writerow(
                [
                    f"{row.when:%d/%m/%Y}",
                    f"{row.posted:%d/%m/%Y}",
                    row.reference,
                    holder.card,
                    holder.id,
                    row.spelt,
                    merchant.mcc,
                    mcc[merchant.mcc],
                    merchant.town,
                    holder.centre,
                    money(row.pence, bare=True),
                    money(row.original, bare=True),
                    merchant.currency,
                ]
            )
        out.writerow(["##END##"])


def write_second(path: Path, rows: list[Payment], mcc: dict[str, str]) -> None:
    """The second layout: a workbook with a note sheet, real dates and numbers, and a total."""
    with xlsxwriter.Workbook(str(path), {"in_memory": True}) as book:
        book.set_properties({"title": FORCE, "created": datetime(2026, 1, 1)})  # noqa: DTZ001  no clock
        note, sheet = book.add_worksheet("Read me"), book.add_worksheet("Transactions")
        note.write_column(0, 0, [FORCE, "Purchasing card transactions: see the next sheet."])
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet.set_column(0, 1, 12, day)
        sheet.write_row(0, 0, LAYOUT_2)
        for n, row in enumerate(rows, start=1):
            sheet.write_datetime(n, 0, datetime.combine(row.when, datetime.min.time()), day)
            sheet.write_datetime(n, 1, datetime.combine(row.posted, datetime.min.time()), day)
            texts = [row.reference, row.holder.card, row.holder.id, row.spelt, row.merchant.mcc]
            texts += [mcc[row.merchant.mcc], row.holder.centre]
            for column, text in enumerate(texts, start=2):
                sheet.write_string(n, column, text)
            sheet.write_row(n, 9, [row.pence / 100, "GBP", row.original / 100])
            sheet.write_string(n, 12, row.merchant.currency)
        sheet.write_string(len(rows) + 1, 5, "Total")
        sheet.write_number(len(rows) + 1, 9, sum(row.pence for row in rows) / 100)


def write_third(path: Path, rows: list[Payment], centres: dict[str, list[str]]) -> None:
    """The third layout: semicolons, cp1252, short dates and cut lower-case merchants."""
    with path.open("w", encoding="cp1252", newline="") as file:
        out = csv.writer(file, delimiter=";", lineterminator="\r\n")
        out.writerow(LAYOUT_3)
        for row in rows:
            holder, merchant = row.holder, row.merchant
            out.writerow(
                [
                    f"{row.when:%d/%m/%y}",
                    f"{row.posted:%d/%m/%y}",
                    row.reference,
                    VAT.get(merchant.mcc, "Standard rate"),
                    money(row.original),
                    merchant.currency,
                    money(row.pence),
                    "GBP",
                    row.spelt.lower()[:25],
                    merchant.mcc,
                    holder.card,
                    holder.id,
                    holder.centre,
                    *centres[holder.centre],
                ]
            )


def feed_rows(rows: list[Payment], centres: dict[str, list[str]]) -> list[FeedRow]:
    """A month's rows as the third layout prints them, to be written as bank feeds."""
    return [
        FeedRow(
            when=row.when,
            posted=row.posted,
            reference=row.reference,
            card=row.holder.card,
            employee=row.holder.id,
            merchant=row.spelt.lower()[:25],
            mcc=row.merchant.mcc,
            pence=row.pence,
            original=row.original,
            currency=row.merchant.currency,
            centre=row.holder.centre,
            unit=centres[row.holder.centre][-1],
        )
        for row in rows
    ]


def register_row(force: Force, number: str) -> dict[str, str]:
    """What the register has always said of a holder's card, limits as in the policy."""
    holder, place = force.holders.get(number), int(number[2:])
    months = [spent for (who, _), spent in force.ledger.months.items() if who == number]
    month = "2000" if max(months, default=0) < SMALL_MONTH else "5000"
    centre = holder.centre if holder else "CC310"
    return {
        "Card Number": holder.card if holder else f"{'*' * 12}0{place - 1000:03d}",
        "Employee No": number,
        "Unit": centre,
        "Approver No": force.plan["approvers"][centre],
        "Single Limit (£)": "5000" if number in CENTRAL_BUYERS else "1000",
        "Monthly Limit (£)": "20000" if number in CENTRAL_BUYERS else month,
        "Opened": f"{place * 7 % 28 + 1:02d}/{place % 12 + 1:02d}/{2018 + place % 7}",
        "Status": "Open",
    }


def write_cards(path: Path, force: Force) -> None:
    """The card register, with what is planted in it; it draws nothing by chance."""
    planted: list[dict[str, Any]] = force.plan["registered"]
    numbers = sorted({*force.holders, *(matter["holder"] for matter in planted)})
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.DictWriter(file, REGISTER, restval="", lineterminator="\r\n")
        out.writeheader()
        for number in numbers:
            row = register_row(force, number)
            mine = [matter for matter in planted if matter["holder"] == number]
            for matter in mine:
                row |= matter.get("before", {})
            out.writerow(row)
            for matter in mine:
                if "after" in matter:
                    out.writerow(row | matter["after"])


def registered_rows(force: Force, matter: dict[str, Any]) -> list[Payment]:
    """The payments that a planted matter of the register is about; none for a card itself."""
    return [
        row
        for row in force.ledger.rows
        if row.holder.id == matter["holder"] and str(row.when) == matter.get("day")
    ]


def write_truth(path: Path, matters: list[dict[str, Any]]) -> None:
    """The planted matters with the references of their payments."""
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["matter", "rule", "month", "holder_id", "merchant", "references", "note"])
        for n, matter in enumerate(matters, start=1):
            rows: list[Payment] = matter["rows"]
            holders = " ".join(dict.fromkeys(row.holder.id for row in rows)) or matter["holder"]
            merchant = matter.get("merchant") or " ".join(row.merchant.name for row in rows)
            merchant = "several" if merchant == "*" else merchant
            references = " ".join(row.reference for row in rows)
            out.writerow(
                [
                    f"M{n:02d}",
                    matter["rule"],
                    matter["month"],
                    holders,
                    merchant,
                    references,
                    matter["note"],
                ]
            )


def draw(plan: dict[str, Any]) -> Force:
    """Draw the force and all its payments by the plan."""
    force = Force(plan, np.random.default_rng(SEED))
    for matter in plan["planted"]:
        matter["rows"] = plant(force, matter)
    for month in MONTHS:
        scheduled(force, month)
        everyday(force, month)
    return force


def read_plan() -> dict[str, Any]:
    """Read what the force is drawn from."""
    return tomllib.loads((Path(__file__).parent / "force.toml").read_text(encoding="utf-8"))


def october() -> list[FeedRow]:
    """The rows of the month that is written as feeds too."""
    plan = read_plan()
    return feed_rows(statements(draw(plan))[FEED_MONTH], plan["cost_centres"])


def main(out: Path) -> None:
    """Make the force's fourteen months and write them into a folder."""
    plan = read_plan()
    force = draw(plan)
    for folder in ("statements", "feeds"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for month, rows in statements(force).items():
        if month == FEED_MONTH:
            for ending, write in FORMS.values():
                feed = write(feed_rows(rows, plan["cost_centres"]))
                (out / "feeds" / f"{month}{ending}").write_bytes(feed)
        path = out / "statements" / month
        if month < "2026-02":
            write_first(path.with_suffix(".csv"), rows, plan["mcc"])
        elif month < "2026-07":
            write_second(path.with_suffix(".xlsx"), rows, plan["mcc"])
        else:
            write_third(path.with_suffix(".csv"), rows, plan["cost_centres"])
    (out / "policy.toml").write_text(plan["policy"], encoding="utf-8", newline="\n")
    write_cards(out / "cards.csv", force)
    for matter in plan["registered"]:
        matter["rows"] = registered_rows(force, matter)
    write_truth(out / "truth.csv", [*plan["planted"], *plan["registered"]])
    write_registers(out, force)
    write_aggregates(out / "aggregates")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
