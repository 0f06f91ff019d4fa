"""Hostile uploads end in a refusal with a code, and leave service and casebook as they were."""

from __future__ import annotations

import collections
import gc
import logging
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import hostile
import numpy as np
import pytest
from books import month
from hostile import GOOD, MIB, OLE, damaged
from processes import children, in_memory
from services import OCTOBER, Running, serving, text

from api.state import BODY_BYTES, PACK_BYTES, ROWS_BYTES, UPLOAD_BYTES
from cardwatch.casebook.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEPT, SCORED = "/v1/statements", "/v1/scores/file"
HEADINGS = "Date,Employee ID,Merchant,Amount,Reference,Description"
PAN = "4111 1111 1111 1111"


@dataclass(frozen=True)
class Upload:
    """One hostile upload.

    Attributes:
        expected: status, and code if it is refused.
        build: gives what is sent.
        path: where to; what is harmless when it is read is sent to be scored, and is not kept.
    """

    expected: str
    build: Callable[[], dict[str, Any]]
    path: str = KEPT


def file(code: str, build: Callable[[], bytes | str], name: str = "statement.csv") -> Upload:
    """Return a file that is refused for what is in it."""
    return Upload(f"422 {code}", lambda: {"files": {"file": (name, build())}})


def known(name: str) -> Upload:
    """Return a file that the tests of the reader know by name."""
    codes, build = hostile.BOMBS[name]
    return file(codes, build, "statement.xls")


def harmless(build: Callable[[], bytes | str], name: str = "statement.csv") -> Upload:
    """Return a file that is read, as what is hostile in it does nothing."""
    options = {"history": "false", "policy": "none", "model": "none"}
    return Upload("200", lambda: {"files": {"file": (name, build())}, "data": options}, SCORED)


def row(**changed: str) -> str:
    """Return a statement whose second row has these fields."""
    fields = {"date": "2026-10-11", "holder": "E1", "merchant": "SHOP", "amount": "9.00",
              "number": "X1", "text": ""}  # fmt: skip
    return f"{HEADINGS}\n2026-10-01,E2,SHOP,5.00,X0,\n" + ",".join((fields | changed).values())


def raw(expected: str, content: bytes, kind: str = "multipart/form-data; boundary=b") -> Upload:
    """Return a body that is no proper form."""
    return Upload(expected, lambda: {"content": content, "headers": {"Content-Type": kind}})


def part(content: bytes, head: bytes = b'form-data; name="file"; filename="a.csv"') -> bytes:
    return b"--b\r\nContent-Disposition: " + head + b"\r\n\r\n" + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--b--\r\n"


def sheet(cells: str, prolog: str = "") -> Callable[[], bytes]:
    change = {"xl/worksheets/sheet1.xml": hostile.sheet_xml(cells, prolog)}
    return lambda: hostile.repacked(change)


def workbook(**changed: bytes | str) -> Callable[[], bytes]:
    return lambda: hostile.repacked({name.replace("__", "/"): c for name, c in changed.items()})


def texts(*cells: str) -> str:
    """Return one row of a sheet."""
    of = "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in cells)
    return f"<row>{of}</row>"


def broken_chain(sector: int, after: int) -> bytes:
    """Return an old workbook in which some other sector follows one of its sectors."""
    data = bytearray(hostile.old_workbook(ROWS))
    data[512 + 4 * sector : 516 + 4 * sector] = after.to_bytes(4, "little")
    return bytes(data)


ROWS = [["Date", "Employee ID", "Merchant", "Amount"], ["2026-10-11", "E1", "SHOP", "9.00"]] * 2
EXTERNAL = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
UPLOADS: dict[str, dict[str, Upload]] = {
    "empty": {
        "nothing": known("nothing"),
        "white space": known("white space"),
        "only a byte-order mark": known("only a byte-order mark"),
        "headings alone": file("no_transactions", lambda: HEADINGS),
    },
    "name and content": {
        "PDF": known("PDF"),
        "web page": known("web page named xls"),
        "program": file("zero_bytes", lambda: b"MZ\x90\0\3\0\0\0" * 99, "statement.xlsx"),
        "picture": file("zero_bytes", lambda: b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "statement.ods"),
        "gzip": known("gzip"),
        "name of a program": file("unknown_ending", lambda: GOOD, "statement.csv.exe"),
        "name of a workbook with macros": file("unknown_ending", hostile.xlsx, "statement.xlsm"),
        "name that climbs": file("unknown_ending", lambda: GOOD, "../../../etc/passwd"),
        "name with a zero byte": file("unknown_ending", lambda: GOOD, "statement.exe\0"),
        "endless name": Upload(
            "400 refused", lambda: {"files": {"file": ("x" * 8_000 + ".csv", GOOD)}}
        ),
    },
    "cut archive": {
        "cut workbook": known("cut workbook"),
        "first bytes alone": file("damaged", lambda: hostile.xlsx()[:4]),
        "without its directory": file("damaged", lambda: hostile.xlsx()[:-60]),
        "without its sheet": known("workbook without its sheet"),
    },
    "high ratio": {
        "zeroes": known("zip that swells"),
        "one repeated cell": file(
            "unpacks_too_large", sheet(texts("x" * 2_000) * 20_000), "statement.xlsx"
        ),
    },
    "many entries": {
        "201 files": known("zip of many files"),
        "20,000 files": file("unpacks_too_large", lambda: hostile.zipped({"x": ""}, copies=20_000)),
    },
    "nested archive": {
        "zip": known("zip"),
        "zip in a zip": known("zip in a zip"),
        "workbook in a workbook": harmless(
            workbook(xl__embeddings__a=hostile.xlsx()), "statement.xlsx"
        ),
    },
    "names in an archive": {
        "names that climb": known("names that climb"),
        "climbing beside a sheet": harmless(workbook(**{"../../climbed.txt": "x"}), "a.xlsx"),
    },
    "sizes that lie": {"understated": known("sizes that lie")},
    "entities": {
        "in XML": known("entities in XML"),
        "in a workbook": file("damaged empty", hostile.laughing_workbook),
        "external": file("damaged empty", sheet("<row><c><v>&e;</v></c></row>", EXTERNAL)),
    },
    "far cells": {
        "far cell": known("far cell"),
        "beyond the grid": file("too_wide", sheet('<row><c r="XFE1"><v>1</v></c></row>')),
        "false dimension": file(
            "too_costly empty", sheet('</sheetData><dimension ref="A1:XFD1048576"/><sheetData>')
        ),
        "rows repeated": file("too_long", lambda: hostile.repeating_ods(4_000_000_000, 4)),
        "columns repeated": known("columns repeated"),
        "rows and columns repeated": known("rows and columns repeated"),
    },
    "shared strings": {
        "giant": file("unpacks_too_large", workbook(**{"xl/sharedStrings.xml": "x" * 30 * MIB})),
        "a false count": harmless(
            workbook(**{"xl/sharedStrings.xml": '<sst count="4000000000"/>'}), "a.xlsx"
        ),
    },
    "text": {
        "one endless line": Upload("413 too_large", known("one endless line").build),
        "one long line": file("cell_too_long", lambda: b"x" * 20_000_000),
        "one long line of cells": file("too_wide", lambda: b"1," * 10_000_000),
        "quotation never closed": known("quotation never closed"),
        "two million columns": known("two million columns"),
        "ten million empty rows": file("too_long", lambda: HEADINGS.encode() + b"\n" * 10_000_000),
        "zero bytes": known("zero bytes"),
        "UTF-16 without a mark": file("zero_bytes", lambda: OCTOBER.encode("utf-16-le")),
        "UTF-16 cut": file("encoding", lambda: OCTOBER.encode("utf-16")[:-1]),
        "two encodings": harmless(
            lambda: row(text="café").encode() + b"\n2026-10-12,E1,CAF\xc9,8.00,X2,\n"
        ),
        "lone carriage returns": harmless(lambda: OCTOBER.replace("\n", "\r")),
    },
    "numbers and days": {
        name: file("no_transactions", lambda odd=odd: row(**odd).replace("2026-10-01", "never"))
        for name, odd in {
            "NaN": {"amount": "NaN"},
            "infinity": {"amount": "inf"},
            "1e9999": {"amount": "1e9999"},
            "beyond 64 bits": {"amount": "9" * 25},
            "year 0": {"date": "0000-00-00"},
            "year 9999": {"date": "9999-12-31"},
            "serial of a day beyond all": {"date": "99999999999"},
        }.items()
    }
    | {"200,000 digits": file("cell_too_long", lambda: row(amount="9" * 200_000))},
    "hostile text": {
        "cell of 1 MB": file("cell_too_long", lambda: row(text="x" * MIB)),
        "formula": harmless(lambda: row(merchant="=cmd|'/c calc'!A0")),
        "HTML": harmless(lambda: row(merchant="<script>alert(1)</script>")),
        "turned around": harmless(lambda: row(merchant="SHOP\u202egnp.exe\u2066")),
        "of no width": harmless(lambda: row(merchant="S\u200bH\u200dO\ufeffP")),
        "card number": harmless(lambda: row(text=f"card {PAN} used")),
    },
    "disguise": {
        "encrypted package": known("encrypted package"),
        "encrypted entries": known("encrypted entries"),
        "PGP": known("PGP"),
        "macros": known("macros"),
        "old macros": known("old macros"),
        "document": known("document"),
        "old document": known("old document"),
        "cut old workbook": known("cut old workbook"),
        "binary workbook": file(
            "binary_workbook",
            lambda: hostile.zipped({"xl/workbook.bin": b"\x83\1"}),
            "statement.xls",
        ),
        "cells in a circle": harmless(lambda: broken_chain(4, 2), "statement.xls"),
        "folder in a circle": file("damaged too_costly too_slow", lambda: broken_chain(1, 1)),
        "chain into nothing": file("damaged", lambda: broken_chain(4, 0x7FFFFFFF)),
        "old workbook of noise": file("not_a_table", lambda: OLE + bytes(range(256)) * 40),
    },
    "form": {
        "no file": Upload("422 invalid_request", lambda: {"data": {"history": "true"}}),
        "no body": raw("422 invalid_request", b""),
        "1,001 files": raw("400 refused", form(*[part(b"x")] * 1_001)),
        "1,001 fields": raw("400 refused", form(*[part(b"x", b'form-data; name="x"')] * 1_001)),
        "no boundary": raw("400 refused", form(part(GOOD)), "multipart/form-data"),
        "another boundary": raw(
            "400 refused", form(part(GOOD)), "multipart/form-data; boundary=other"
        ),
        "never ended": raw("422 invalid_request", part(GOOD)[:-30]),
        "endless header": raw("400 refused", form(part(GOOD, b"x" * 100_000))),
        "10,000 headers": raw("400 refused", form(part(GOOD, b"x\r\na: b" * 10_000))),
        "no name": raw("400 refused", form(part(GOOD, b"form-data"))),
        "file as text": raw("422 invalid_request", form(part(GOOD, b'form-data; name="file"'))),
        "two files": raw("422 empty", form(part(GOOD), part(b""))),
        "urlencoded": raw(
            "400 refused", b"file=" + b"x" * 2 * MIB, "application/x-www-form-urlencoded"
        ),
        "JSON": raw("422 invalid_request", b'{"file": "x"}', "application/json"),
        "a field over 1 MiB": raw(
            "400 refused", form(part(b"x" * 2 * MIB, b'form-data; name="columns"'))
        ),
        "truth of chance": raw(
            "422 invalid_request", form(part(GOOD), part(b"perhaps", b'form-data; name="history"'))
        ),
        "pattern that never ends": Upload(
            "422 faulty",
            lambda: {"files": {"file": ("a.csv", GOOD)},
                     "data": {"columns": 'holder_strip = "(a+)+$"\n[columns]\ndate = ["Date"]'}},
        ),
        "profile that nests": Upload(
            "422 faulty",
            lambda: {"files": {"file": ("a.csv", GOOD)}, "data": {"columns": "a=" + "[" * 15_000}},
        ),
        "correction of nothing": Upload(
            "404 not_found",
            lambda: {"files": {"file": ("a.csv", text(*month(9)))}, "data": {"corrects": "0" * 12}},
        ),
    },
}  # fmt: skip
NAMED = {f"{family}: {name}": one for family, ones in UPLOADS.items() for name, one in ones.items()}


CUT_SHORT = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""Starlette closes the file of a form that is cut short only when it is collected."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give a service that holds one statement; when it ends, so have the processes it began."""
    before = children(os.getpid()).keys()
    home = tmp_path_factory.mktemp("hostile")
    with serving(home, f"sqlite:///{home / 'casebook.db'}") as running:
        assert running.send(OCTOBER).status_code == 201
        yield running
    assert children(os.getpid()).keys() == before


def held(running: Running) -> dict[str, int]:
    """Return how many rows each table has; of events and finished jobs there may be more."""
    with running.book.snapshot() as connection:
        return {
            name: connection.exec_driver_sql(f"SELECT COUNT(*) FROM {name}").scalar_one()  # noqa: S608
            for name in metadata.tables
            if name not in {"audit_events", "jobs"}
        }


@CUT_SHORT
@pytest.mark.parametrize("name", NAMED)
def test_a_hostile_upload_has_its_code_and_changes_nothing(service: Running, name: str) -> None:
    upload = NAMED[name]
    before = held(service)
    answer = service.ask("POST", upload.path, **upload.build())
    told = answer.json()
    status, *codes = upload.expected.split()
    assert answer.status_code == int(status), told
    if codes:
        assert answer.headers["content-type"] == "application/problem+json"
        assert told["code"] in codes, told
        assert len(told["detail"]) < 1_000
    assert PAN not in answer.text
    assert "root:" not in answer.text
    assert held(service) == before
    assert service.client.get("/health/ready").status_code == 200


def test_a_hidden_zero_byte_is_no_part_of_what_is_kept(running: Running) -> None:
    rows = [["Date", "Employee ID", "Merchant", "Amount"]]
    rows += [[f"2026-10-0{day}", "E1", "SH_x0000_OP", "9.00"] for day in range(1, 8)]
    files = {"file": ("statement.xlsx", hostile.xlsx(rows))}
    sent = running.ask("POST", KEPT, files=files, data={"history": "true"})
    assert (sent.status_code, sent.json()["transactions"]) == (201, 7)


LARGEST = {"/v1/scores": ROWS_BYTES, SCORED: UPLOAD_BYTES, KEPT: UPLOAD_BYTES,
           "/v1/statements/preview": UPLOAD_BYTES, "/v1/proposals/cards": UPLOAD_BYTES,
           "/v1/registers": UPLOAD_BYTES, "/v1/benchmarks": UPLOAD_BYTES,
           "/v1/pack/preview": PACK_BYTES, "/v1/back-tests": PACK_BYTES,
           "/v1/cases/{case_id}/attachments": UPLOAD_BYTES}  # fmt: skip


def test_a_body_over_the_limit_is_refused_wherever_it_is_sent(service: Running) -> None:
    document = service.ask("GET", "/v1/openapi.json").json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            size = LARGEST.get(path if method == "post" else "", BODY_BYTES) + 1
            whole = part(b"x" * size)
            kinds = operation.get("requestBody", {"content": {"text/plain": {}}})["content"]
            head = {"Content-Type": next(iter(kinds)) + "; boundary=b"}
            bodies: list[Any] = [whole]
            if "requestBody" in operation:  # what is not asked for is not read either
                bodies.append(iter([whole[:100], whole[100:]]))  # without its length being said
            for body in bodies:
                answer = service.ask(method, path, content=body, headers=head)
                assert answer.status_code == 413, (method, path, answer.text)
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.headers["x-content-type-options"] == "nosniff"
                assert answer.json()["code"] == "too_large"


BASES = (text(*month(10)).encode(), hostile.xlsx(ROWS), hostile.ods_of(ROWS),
         hostile.old_workbook(ROWS))  # fmt: skip
ODD = ("NaN", "-inf", "1e9999", "9" * 5_000, "0000-00-00", "9999-99-99", "31/02/2026", "1.2.3.4",
       "=1+1", "@SUM(A1)", "<b>", "\u202e", "\u200b", "\ufffe", '"', '""', "'", ",", ";", "\t",
       "\r", "\n", "\r\n", "\x1a", "\x00", "£", "é" * 300, PAN, "x" * 40_000)  # fmt: skip
HEADS = (b"form-data", b'form-data; name="file"', b'form-data; name=file; filename="a.csv"',
         b'form-data; name="file"; filename="a.csv"', b'form-data; name="history"',
         b'form-data; name="corrects"', b'form-data; name="columns"', b"attachment", b"",
         b'form-data; name="date_order"', b'form-data; name="' + b"x" * 9_000 + b'"',
         b"form-data; name=\"file\"; filename*=UTF-8''%00.csv", b"\xff\xfe\r\n\r\n")  # fmt: skip
KINDS = ("multipart/form-data; boundary=b", "multipart/form-data", "multipart/form-data; boundary=",
         "multipart/form-data; boundary=" + "b" * 300, "application/x-www-form-urlencoded",
         "application/json", "text/csv", "multipart/mixed; boundary=b", "", "\xff")  # fmt: skip
Chance = np.random.Generator


def one_of(chance: Chance, choices: Any) -> Any:
    return choices[int(chance.integers(len(choices)))]


def odd_rows(chance: Chance) -> str:
    """Return a statement some of whose cells are odd."""
    lines = [line.split(",") for line in month(int(chance.integers(1, 12)), count=8)]
    for _ in range(int(chance.integers(1, 12))):
        one_of(chance, lines)[int(chance.integers(5))] = one_of(chance, ODD)
    return text(*map(",".join, lines))


def odd_text(chance: Chance) -> bytes:
    """Return a statement whose marks, line ends or encoding are others."""
    written = odd_rows(chance).replace(",", one_of(chance, ",;\t|"))
    written = written.replace("\n", one_of(chance, ("\n", "\r", "\r\n", "\n\n", "\r\r\n")))
    encoding = one_of(chance, ("utf-8", "utf-16", "utf-16-le", "cp1252", "utf-32", "utf-7"))
    return written.encode(encoding, "replace") + bytes(chance.integers(0, 256, 2, dtype="uint8"))


def odd_sheet(chance: Chance) -> bytes:
    """Return a workbook whose cells lie, repeat, or refer to what is not there."""
    far = f"{one_of(chance, ('A', 'XFD', 'XFE', 'ZZZZ', ''))}{int(chance.integers(0, 2**21))}"
    kind = one_of(chance, ("s", "n", "b", "e", "str", "d", "x"))
    value = one_of(chance, ("0", "-1", "4294967295", "1e400", "", "x", "&e;", "true"))
    cells = texts(*ROWS[0]) + f'<row><c r="{far}" t="{kind}"><v>{value}</v></c></row>'
    prolog = one_of(chance, ("", EXTERNAL, hostile.LAUGHS))
    return sheet(cells, prolog)()


def odd_archive(chance: Chance) -> bytes:
    """Return an archive whose members have odd names and contents."""
    names = ("xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "content.xml",
             "mimetype", "../up", "/etc/down", "[Content_Types].xml", "a.zip", "xl/vbaProject.bin",
             "x" * 500, "é\\..\\")  # fmt: skip
    chosen = {one_of(chance, names): one_of(chance, (*BASES, b"", b"<x>", b"\0" * 9_999))
              for _ in range(int(chance.integers(1, 8)))}  # fmt: skip
    made = hostile.repacked(chosen) if chance.integers(2) else hostile.zipped(chosen)
    return made if chance.integers(2) else damaged(made, chance)


def lying(chance: Chance) -> bytes:
    """Return a workbook whose directory says something else of a member."""
    data = bytearray(BASES[1])
    at = data.find(b"PK\1\2", int(chance.integers(0, len(data) - 400)))
    data[at + int(chance.integers(4, 46))] = int(chance.integers(256))
    return bytes(data)


def abuse(chance: Chance) -> dict[str, Any]:
    """Return a form with odd parts, and perhaps without what ends it."""
    count = int(one_of(chance, (1, 2, 5, 40, 1_001)))
    body = form(
        *(part(odd_rows(chance).encode()[:200], one_of(chance, HEADS)) for _ in range(count))
    )
    if chance.integers(3) == 0:
        body = damaged(body, chance)
    return {"content": body, "headers": {"Content-Type": one_of(chance, KINDS).encode("latin-1")}}


def fields(chance: Chance) -> dict[str, Any]:
    """Return a proper form whose fields are odd."""
    names = ("history", "corrects", "columns", "date_order", "policy", "file", "x")
    data = {one_of(chance, names): one_of(chance, ODD) for _ in range(3)}
    return {"files": {"file": ("a.csv", odd_rows(chance))}, "data": data}


def sent_as(build: Callable[[Chance], bytes | str]) -> Callable[[Chance], dict[str, Any]]:
    """Return what sends a file under a name of chance."""
    names = (
        "a.csv",
        "a.xlsx",
        "a.xls",
        "a.ods",
        "a.txt",
        "a.exe",
        "",
        "..",
        "\u202ea.csv",
        "é.csv",
    )

    def send(chance: Chance) -> dict[str, Any]:
        name = one_of(chance, names) if chance.integers(4) == 0 else "statement.csv"
        options = {"history": "true"}  # to be scored takes seconds
        return {"files": {"file": (name, build(chance))}, "data": options}

    return send


FAMILIES: dict[str, Callable[[Chance], dict[str, Any]]] = {
    "blank": sent_as(lambda chance: one_of(chance, (b"", b" ", b"\n", b"\xff\xfe")) * 99),
    "noise": sent_as(lambda chance: chance.bytes(int(chance.integers(1, 3_000)))),
    "another's bytes": sent_as(lambda chance: one_of(chance, (OLE, b"PK\3\4", b"%PDF", b"\x89PNG"))
                               + one_of(chance, BASES)),
    "cut archive": sent_as(lambda chance: BASES[1][: int(chance.integers(4, len(BASES[1])))]),
    "damaged text": sent_as(lambda chance: damaged(BASES[0], chance)),
    "damaged XLSX": sent_as(lambda chance: damaged(BASES[1], chance)),
    "damaged ODS": sent_as(lambda chance: damaged(BASES[2], chance)),
    "damaged XLS": sent_as(lambda chance: damaged(BASES[3], chance)),
    "chains": sent_as(lambda chance: broken_chain(*map(int, chance.integers(0, 20, 2)))),
    "archives": sent_as(odd_archive),
    "sizes that lie": sent_as(lying),
    "sheets": sent_as(odd_sheet),
    "repeats": sent_as(lambda chance: hostile.repeating_ods(
        one_of(chance, (1, 2, 40, 999)), one_of(chance, (1, 2, 200, 300, 2**33)))),
    "numbers and days": sent_as(odd_rows),
    "text": sent_as(odd_text),
    "fields": fields,
    "forms": abuse,
}  # fmt: skip
FINE = {200, 201, 202}
GROWTH = 64 * MIB


def flood(running: Running, count: int, seed: int) -> collections.Counter[str]:
    """Send uploads of chance from several threads; return how often each answer came."""

    def send(number: int) -> str:
        chance = np.random.default_rng([seed, number])
        family = list(FAMILIES)[number % len(FAMILIES)]
        sent = FAMILIES[family](chance)
        role = "finance" if chance.integers(8) == 0 else "auditor"  # who may not bring any
        answer = running.ask("POST", KEPT, role, **sent)
        where = (seed, number, family)
        if answer.status_code in FINE:
            return f"{answer.status_code} kept"
        assert 400 <= answer.status_code < 500, (where, answer.text)
        assert answer.headers["content-type"] == "application/problem+json", where
        told = answer.json()
        assert told["status"] == answer.status_code, where
        assert told["type"].endswith(told["code"]), where
        return f"{answer.status_code} {told['code']}"

    with ThreadPoolExecutor(4) as threads:
        return collections.Counter(threads.map(send, range(count)))


def grown(running: Running, count: int, seed: int) -> tuple[int, collections.Counter[str]]:
    """Return by how much this process has grown over uploads of chance, and their answers."""
    logging.disable(logging.INFO)  # pytest holds every line of the log in memory
    flood(running, 5 * len(FAMILIES), seed + 1)  # what is loaded once is no growth
    gc.collect()
    before = in_memory(os.getpid())
    answers = flood(running, count, seed)
    gc.collect()
    logging.disable(logging.NOTSET)
    return in_memory(os.getpid()) - before, answers


@CUT_SHORT
def test_two_hundred_uploads_of_chance_are_refused_or_kept(service: Running) -> None:
    growth, answers = grown(service, 200, seed=20261124)
    assert sum(answers.values()) == 200
    assert len(answers) >= 15, answers
    assert growth <= GROWTH
    assert service.client.get("/health/ready").status_code == 200
    assert service.ask("POST", KEPT, files={"file": ("a.csv", OCTOBER)}).status_code == 200
    (chain,) = service.ask("GET", "/v1/audit/verification", "auditor").json()
    assert chain["fault"] == ""


@pytest.mark.prove
@CUT_SHORT
def test_ten_thousand_uploads_of_chance(service: Running) -> None:
    start = time.monotonic()
    growth, answers = grown(service, 10_000, seed=20261125)
    print(f"\n10,000 hostile uploads of {len(FAMILIES)} families in "  # noqa: T201
          f"{time.monotonic() - start:.0f} s, memory grown by {growth / MIB:.0f} MiB: "
          f"{dict(answers.most_common())}")  # fmt: skip
    assert growth <= GROWTH
    assert service.client.get("/health/ready").status_code == 200
