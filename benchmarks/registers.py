"""Measures registers: a month received with and without them, a million names beside merchants.

`--month` and `--names` measure one alone; `--profile` says where a month's time goes.
`--chance STATEMENTS [NAMES.csv]` says how many entries of invented registers tie to real payments
by chance: their people are cardholders at random.
"""

from __future__ import annotations

import cProfile
import csv
import datetime as dt
import pstats
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from casebook import MONTH_ROWS, NOW, TIMES, begin, months_of

from cardwatch import services
from cardwatch.casebook import PSD, Actor, Casebook
from cardwatch.casebook.register_content import forget_versions
from cardwatch.features import Ledger
from cardwatch.features.chance_pairs import chance_pairs
from cardwatch.policy import load_policy
from cardwatch.registers import OrganisationMatcher, read_register
from cardwatch.statements import ReadingChoices, read_statements, shipped_profiles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardwatch.records import Register

REGISTER_ROWS = {
    "gifts": 10_000, "interests": 8_000, "contracts": 4_000, "tenders": 2_000, "people": 10_000,
    "absence": 30_000, "approvals": 20_000, "associations": 1_000, "companies": 15_000,
}  # fmt: skip
"""Rows of each register; 100,000 together."""
HEADINGS = {
    "gifts": "Employee No,Name,Unit,Date offered,Donor,Decision,Value,Date recorded",
    "interests": "Employee No,Name,Unit,Business name,Date applied,Decision,Review date",
    "contracts": "Supplier,Reference,Start date,End date,Value,Merchant category codes",
    "tenders": "Reference,Bidder,Opens,Closes,Panel",
    "people": "Employee No,Name,Unit,Manager No,Started,Left",
    "absence": "Employee No,First day,Last day",
    "approvals": "Payment reference,Approver No,Approved at",
    "associations": "Employee No,Name,Unit,Organisation,Date declared",
    "companies": "Company Number,Company Name,Status,Dissolved",
}
PAID_SHARE = 0.1
"""Share of names in registers that are a merchant's."""
NAMES, MERCHANTS = 1_000_000, 20_000
ONE_IN = 100
"""Of so many of a million names one is a merchant's."""
SPREAD = 2_654_435_761
"""A large prime, by which numbers in a row become unlike words."""
CHANCE_ROWS, CHANCE_SEED = 1_000, 56
PROFILE_LINES = 70
KIB_IN_GIB = 2**20


def register_lines(kind: str, rows: int, merchants: list[str], holders: list[str]) -> Iterator[str]:
    """Return the lines of one invented register; one name in ten is a merchant's.

    Entries are of all employees, of whom few hold a card; every third gives a name and no number.
    """
    rng = np.random.default_rng(rows)
    firms = [
        f"{merchants[rng.integers(len(merchants))]} LTD"
        if is_paid
        else f"{invented_word(row)} Services Limited"
        for row, is_paid in enumerate(rng.random(rows) < PAID_SHARE)
    ]
    employees = [*holders, *(f"X{n}" for n in range(REGISTER_ROWS["people"] - len(holders)))]
    yield HEADINGS[kind]
    for row, firm in enumerate(firms):
        day = dt.date(2026, 1, 1) + dt.timedelta(int(rng.integers(330)))
        later = day + dt.timedelta(int(rng.integers(1, 30)))
        ends = day + dt.timedelta(1_000)
        number, other = (int(n) for n in rng.integers(len(employees), size=2))
        name, unit = f"Ann {invented_word(number)}", f"C{number % 40}"
        person = f"{employees[number] if row % 3 else ''},{name},{unit}"
        approver, clock = employees[len(holders) + number % 40], f"{9 + number % 8}:{row % 60:02}"
        category = 5000 + row // 50 % 10 if row % 50 == 0 else ""
        yield {
            "gifts": f"{person},{day},{firm},{'accepted' if row % 2 else 'declined'},£9,{later}",
            "interests": f"{person},{firm},{day},approved,{later}",
            "contracts": f"{firm},K{row},{day},{ends},{row},{category}",
            "tenders": f"T{row // 4},{firm},{day},{later},{employees[number]}",
            "people": f"{employees[row % len(employees)]},Ann {invented_word(row)},C{row % 40},"
            f"{employees[other]},2020-01-01,",
            "absence": f"{employees[other]},{day},{day + dt.timedelta(row % 4)}",
            "approvals": f"P{row},{approver},{later} {clock}",
            "associations": f"{person},{firm},{day}",
            "companies": f"{10_000_000 + row},{firm},{'active' if row % 50 else 'dissolved'},",
        }[kind]


def invented_word(number: int) -> str:
    """Return a word of seven letters that names nothing, another for each number below 26^7."""
    spread = number * SPREAD % 26**7
    return "".join(chr(65 + spread // 26**place % 26) for place in range(7)).title()


def read_all(folder: Path, merchants: list[str], holders: list[str]) -> list[Register]:
    """Return all nine registers, read from files as a force would upload them."""
    registers = []
    for kind, rows in REGISTER_ROWS.items():
        path = folder / f"{kind}.csv"
        path.write_text("\n".join(register_lines(kind, rows, merchants, holders)), "utf-8")
        registers.append(read_register(path, ReadingChoices((), b"key"), kind=kind))
    return registers


class Months:
    """The same month after a year of history in a casebook without registers and in one with all.

    Attributes:
        entries: how many entries the registers have together.
    """

    def __init__(self, folder: Path) -> None:
        """Keep the history in both casebooks, and the registers in one."""
        self.folder = folder
        *before, self.last = (
            (
                frame.assign(transaction_id=[f"P{number * MONTH_ROWS + n}" for n in frame.index]),
                report,
            )
            for number, (frame, report) in enumerate(months_of("force", 13, MONTH_ROWS))
        )
        columns = ("merchant", "key_employee_id")
        names = [sorted({name for frame, _ in before for name in frame[c]}) for c in columns]
        registers = read_all(folder, *names)
        self.entries = sum(len(register.entries) for register in registers)
        book = Casebook(f"sqlite:///{self.path('without')}")
        self.finance = begin(book, "Force").actor
        for month in before:
            services.receive(
                services.ServiceContext(book, self.finance, NOW), month, is_history=True
            )
        book.close()
        shutil.copy(self.path("without"), self.path("with"))
        book = Casebook(f"sqlite:///{self.path('with')}")
        psd = Actor(self.finance.organisation_id, PSD, PSD)
        for register in registers:
            services.import_register(services.ServiceContext(book, psd, NOW), register)
        book.close()

    def path(self, name: str) -> Path:
        """Return the place of one casebook."""
        return self.folder / f"{name}.db"

    def receive(self, name: str) -> float:
        """Return the processor seconds in which a copy of a casebook receives the month."""
        copy = Path(shutil.copy(self.path(name), self.path("copy")))
        book = Casebook(f"sqlite:///{copy}")
        start = time.process_time()
        services.receive(services.ServiceContext(book, self.finance, NOW), self.last)
        seconds = time.process_time() - start
        book.close()
        copy.unlink()
        return seconds


def bench_month(folder: Path, *, profile: bool) -> None:
    """Receive the same month without registers and with all of them.

    `first` is the first month after a start, when the registers are read from the casebook.
    """
    months = Months(folder)
    months.receive("without")  # what is loaded once, is loaded
    least: dict[str, float] = {}
    for name in ("without", "first", "with") * TIMES:
        if name == "first":
            forget_versions()
        seconds = months.receive("without" if name == "without" else "with")
        least[name] = min(seconds, least.get(name, seconds))
    print(f"{MONTH_ROWS:,} rows received and scored, {months.entries:,} entries, processor s")
    for name, seconds in least.items():
        print(f"  {name:8} {seconds:6.2f}   ratio {seconds / least['without']:.2f}", flush=True)
    if profile:
        profiler = cProfile.Profile(time.process_time)
        profiler.runcall(months.receive, "with")
        pstats.Stats(profiler).sort_stats("cumulative").print_stats(PROFILE_LINES)


def bench_names() -> None:
    """Hold a million names of a register against 20,000 merchants, on one core."""
    merchants = [f"{invented_word(NAMES + n)} TRADING" for n in range(MERCHANTS)]
    names = [
        f"{invented_word(n)} Services Limited"
        if n % ONE_IN
        else f"{merchants[n // ONE_IN % MERCHANTS]} Ltd"
        for n in range(NAMES)
    ]
    start = time.process_time()
    matcher = OrganisationMatcher(merchants)
    count = sum(len(matcher.match(name)) for name in names)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_IN_GIB
    print(
        f"{NAMES:,} names beside {MERCHANTS:,} merchants: {seconds:.1f} s, {count:,} matches, "
        f"{peak:.2f} GiB at most"
    )


def invented_entries(
    kind: str, organisations: list[str], holders: list[str], days: tuple[dt.date, dt.date]
) -> Register:
    """Return a register with an entry for each organisation, of cardholders and days at random."""
    rng = np.random.default_rng(CHANCE_SEED)
    lines = ["Employee No,Date offered,Donor,Decision" if kind == "gifts" else
             "Employee No,Date applied,Business name,Decision"]  # fmt: skip
    decision = "accepted" if kind == "gifts" else "approved"
    for organisation in organisations:
        day = days[0] + dt.timedelta(int(rng.integers((days[1] - days[0]).days)))
        name = organisation.replace('"', "'")
        lines.append(f'"{holders[rng.integers(len(holders))]}",{day},"{name}",{decision}')
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / f"{kind}.csv"
        path.write_text("\n".join(lines), "utf-8")
        return read_register(path, ReadingChoices((), b"key"), kind=kind)


def bench_chance(statements: Path, names: list[Path]) -> None:
    """Print the chance pairs of invented registers beside real payments.

    Of 1,000 rows a tenth name a merchant that is paid, as of real registers beside a city's cards
    (one merchant as likely as another, or by how many cardholders use it, which is the worst case);
    the others name nobody. `names` gives CSV files whose first column holds real donors.
    """
    folder = statements / "statements"  # of an invented force, beside its registers
    statements = folder if folder.is_dir() else statements
    files = read_statements([statements], ReadingChoices(shipped_profiles(), b"key"))
    if files.transactions.empty:
        sys.exit(f"No payments were read in {statements}. Give a folder of statements.")
    payments, policy = files.transactions, load_policy()
    plain = Ledger(payments, policy)
    frame = plain.frame[plain.is_purchase]
    days = frame["date"].min().date(), frame["date"].max().date()
    holders = sorted(set(frame["holder_id"]) - {""})
    users = frame.groupby("merchant_id")["holder_id"].nunique()
    rng = np.random.default_rng(CHANCE_SEED)
    paid_count = round(CHANCE_ROWS * PAID_SHARE)
    others = [f"{invented_word(n)} {invented_word(n + 1)}" for n in range(CHANCE_ROWS - paid_count)]
    lists = {
        "a tenth merchants, any": [*rng.choice(users.index, paid_count).tolist(), *others],
        "a tenth merchants, by users": [
            *rng.choice(users.index, paid_count, p=users / users.sum()).tolist(), *others
        ],
    }  # fmt: skip
    for path in names:
        with path.open(encoding="utf-8-sig", newline="") as file:
            donors = {row[0] for row in csv.reader(file) if row}
        lists[path.stem] = sorted(donors)
    print(f"{len(frame):,} purchases, {len(holders):,} cardholders, {len(users):,} merchants")
    for title, organisations in lists.items():
        for kind in ("gifts", "interests"):
            register = invented_entries(kind, organisations, holders, days)
            ledger = Ledger(payments, policy, {kind: register})
            strong = chance_pairs(ledger, kind, is_bounded=False)
            found = chance_pairs(ledger, kind)
            print(f"  {title}, {kind}: {found.entries} entries, by chance for each 100: strong "
                  f"matches {strong.per_hundred:.3f}, those that lead {found.per_hundred:.3f}",
                  flush=True)  # fmt: skip


def main() -> None:
    """Run both, or the part that is named."""
    if "--chance" in sys.argv:
        statements, *names = map(Path, sys.argv[sys.argv.index("--chance") + 1 :])
        bench_chance(statements, names)
        return
    with tempfile.TemporaryDirectory() as place:
        if "--names" not in sys.argv:
            bench_month(Path(place), profile="--profile" in sys.argv)
    if "--month" not in sys.argv and "--profile" not in sys.argv:
        bench_names()


if __name__ == "__main__":
    main()
