"""Writes a small casebook of this version's tables as SQL, for later versions to be tried on.

Run once when a migration is released: `python tests/casebook/released/write.py`.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from books import EQUAL, HEADINGS, NOW, SPLIT, month  # noqa: E402

from cardwatch import desk  # noqa: E402
from cardwatch.casebook import Actor, Casebook, Event, documents  # noqa: E402
from cardwatch.casebook.alerts import Said  # noqa: E402
from cardwatch.casebook.work import canonical  # noqa: E402
from cardwatch.rules import rule_texts  # noqa: E402
from cardwatch.statements import ReadingChoices, read_each, shipped_profiles  # noqa: E402

RULES = ("split-same-day.toml", "equal-amounts-across-holders.toml")
"""Two rules are enough, and keep the file small."""


def main() -> None:
    """Make a casebook with both lanes, decisions and holds, and write it down."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        book = Casebook(f"sqlite:///{folder / 'book.db'}")
        owner = desk.add_organisation(book, "Force", NOW)
        finance = desk.Desk(book, Actor(owner, "finance", "finance"), NOW)
        psd = desk.Desk(book, Actor(owner, "psd", "psd"), NOW)
        content = canonical({name: rule_texts()[name] for name in RULES}).encode()
        with finance.work(Event("alteration", "rules"), ()) as work:
            documents.put_in_force(work, "rules", content, "2020-01-01")
        choices = ReadingChoices(shipped_profiles(), b"a key for tests, 32 bytes long..")
        for number, more in ((9, []), (10, [*SPLIT, *EQUAL])):
            path = folder / f"2026-{number:02}.csv"
            path.write_text("\n".join([HEADINGS, *month(number), *more]) + "\n", encoding="utf-8")
            read = read_each([path], choices)[0]
            assert isinstance(read, tuple)
            desk.receive(finance, read)
        asked = desk.list_alerts(finance)[0]["alert_id"]
        desk.decide(finance, asked, Said("two orders seen", "explained"))
        desk.hold(psd, desk.list_alerts(psd, lane="psd")[0]["alert_id"], reason="case 12")
        book.close()
        with sqlite3.connect(folder / "book.db") as connection:
            version = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
            text = "\n".join(connection.iterdump())
        (HERE / f"{version}.sql").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
