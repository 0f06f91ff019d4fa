"""Bank feeds: each form is read, and what is cut off, doubled, altered or out of order refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cardwatch.errors import FileRefused
from cardwatch.statements import ReadingChoices, read_each, shipped_profiles
from cardwatch.tabular.feeds.layout import load_layout
from cardwatch.tabular.feeds.reader import FEEDS

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from cardwatch.records import ReadingReport
    from cardwatch.tabular import ReaderPool

    Read = Callable[[bytes], tuple[pd.DataFrame, ReadingReport] | FileRefused]

CHOICES = ReadingChoices(shipped_profiles(), b"a key for tests, of no other use")
FILES = Path(__file__).parent / "feeds"
NAMES = ("small.vcf", "small.cdf.xml", "small.gl1025", "small.kr1025", "small.camt053.xml",
         "small.sta", "small.ofx")  # fmt: skip
COUNTED = [name for name in NAMES if name != "small.ofx"]
"""Feeds that declare what they hold; OFX declares nothing."""


@pytest.fixture(scope="module")
def readers() -> object:
    from cardwatch.tabular import ReaderPool  # noqa: PLC0415  one for the module

    with ReaderPool() as running:
        yield running


@pytest.fixture
def read(tmp_path: Path, readers: ReaderPool) -> Read:
    def read(data: bytes) -> tuple[pd.DataFrame, ReadingReport] | FileRefused:
        path = tmp_path / "feed.dat"
        path.write_bytes(data)
        return read_each([path], CHOICES, readers=readers)[0]

    return read


def refusal(found: object) -> FileRefused:
    assert isinstance(found, FileRefused), "it is read"
    return found


def taken(found: object) -> tuple[pd.DataFrame, ReadingReport]:
    assert not isinstance(found, FileRefused), found
    return found  # type: ignore[return-value]


def feed(name: str) -> bytes:
    return (FILES / name).read_bytes()


def test_every_field_that_is_read_names_its_source() -> None:
    for form in FEEDS:
        for record, fields in load_layout(form).records.items():
            for name, place in fields.items():
                assert place.source, (form, record, name)


@pytest.mark.parametrize("name", NAMES)
def test_each_form_is_read_with_amounts_days_and_direction(name: str, read: Read) -> None:
    frame, report = taken(read(feed(name)))
    assert frame["amount_pence"].tolist() == [8998, 4550, -1500]
    assert frame["date"].astype(str).tolist() == ["2026-01-28", "2026-01-29", "2026-01-29"]
    assert set(frame["posting_date"].astype(str)) == {"2026-01-30"}
    assert frame["kind"].tolist() == ["purchase", "purchase", "refund"]
    assert frame["merchant"].tolist()[:2] == ["EXAMPLE STATIONERY LTD", "EXAMPLE HARDWARE LTD"]
    assert frame["transaction_id"].tolist() == ["TEST0001", "TEST0002", "TEST0003"]
    assert report.reconciles
    assert not report.problems
    shown = [check.name for check in report.checks if check.passed]
    assert ("control totals" in shown) == (name in COUNTED)
    undeclared = any("declares no counts" in note for note in report.notes)
    assert undeclared != (name in COUNTED)


@pytest.mark.parametrize("name", ["small.vcf", "small.cdf.xml", "small.gl1025", "small.kr1025"])
def test_card_feeds_name_the_holder_and_keep_no_card_number(name: str, read: Read) -> None:
    frame, _ = taken(read(feed(name)))
    assert set(frame["key_employee_id"]) == {"E1001"}
    assert set(frame["card_last4"]) == {"1111"}
    assert not frame.astype(str).apply(lambda column: column.str.contains("411111")).any().any()


@pytest.mark.parametrize("name", COUNTED)
@pytest.mark.parametrize("part", range(1, 8))
def test_a_feed_cut_off_anywhere_is_refused(name: str, part: int, read: Read) -> None:
    data = feed(name).rstrip()
    assert refusal(read(data[: len(data) * part // 8]))


def test_an_ofx_file_that_is_cut_off_is_refused(read: Read) -> None:
    data = feed("small.ofx").rstrip()
    for part in range(3, 8):
        assert refusal(read(data[: len(data) * part // 8])).code == "incomplete"


@pytest.mark.parametrize("name", NAMES)
def test_a_feed_in_a_file_twice_is_refused(name: str, read: Read) -> None:
    assert refusal(read(feed(name) + feed(name))).code in {"doubled", "damaged", "incomplete"}


@pytest.mark.parametrize("name", COUNTED)
def test_a_payment_left_out_is_refused_with_what_is_seen_and_expected(
    name: str, read: Read
) -> None:
    data = feed(name)
    cuts = {
        "small.vcf": rb"4\t[^\n]*TEST0002[^\n]*\n",
        "small.gl1025": rb"1[^\n]*TEST0002[^\n]*\n",
        "small.kr1025": rb"1[^\n]*TEST0002[^\n]*\n",
        "small.cdf.xml": rb'<(FinancialTransactionEntity) [^>]*"TEST0002">.*?</\1>',
        "small.camt053.xml": rb"<Ntry>(?:(?!</Ntry>).)*TEST0002.*?</Ntry>",
        "small.sta": rb":61:[^\n]*TEST0002\r?\n:86:[^\n]*\n",
    }
    shorter, count = re.subn(cuts[name], b"", data, flags=re.DOTALL)
    assert count == 1
    sentence = str(refusal(read(shorter)))
    assert re.search(r"declares [\d£]\S* .* and holds [\d£]|expected where", sentence), sentence


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (
            "small.vcf",
            b"7\t0000000001\t00007\t01312026\t00\t0000000011",
            b"7\t0000000001\t00007\t01312026\t00\t0000000012",
        ),
        ("small.vcf", b"0000000000012048\t4.4", b"0000000000012047\t4.4"),
        ("small.vcf", b"\t0000000000008998\t00826\t", b"\t0000000000008999\t00826\t"),
        ("small.cdf.xml", b"<RecordCount>00000009", b"<RecordCount>00000010"),
        ("small.cdf.xml", b"<SequenceNum>00000004", b"<SequenceNum>00000005"),
        ("small.cdf.xml", b"<NumOfDebits>0000000002", b"<NumOfDebits>0000000003"),
        ("small.cdf.xml", b"<TotalAmountOfDebits>00000000000001354800</TotalAmountOfDebits>", b""),
        ("small.gl1025", b"+000000000012048", b"+000000000012047"),
        ("small.kr1025", b"+000000000013548", b"+000000000013547"),
        ("small.camt053.xml", b"<NbOfNtries>3", b"<NbOfNtries>4"),
        ("small.camt053.xml", b">879.52<", b">879.53<"),
        ("small.sta", b":62F:C260131GBP879,52", b":62F:C260131GBP879,53"),
    ],
)
def test_a_declared_figure_that_is_wrong_is_refused(
    name: str, old: bytes, new: bytes, read: Read
) -> None:
    data = feed(name)
    assert old in data
    refused = refusal(read(data.replace(old, new, 1)))
    assert refused.code in {"incomplete", "out_of_sequence"}, refused


# Visa -------------------------------------------------------------------------------------------


def test_vcf_credits_may_be_added_in_every_total_or_in_none(read: Read) -> None:
    added = feed("small.vcf").replace(b"0000000000012048", b"0000000000015048")
    _, report = taken(read(added))
    assert any("with credits added" in check.sentence for check in report.checks)
    mixed = feed("small.vcf").replace(b"0000000000012048", b"0000000000015048", 1)
    assert refusal(read(mixed)).code == "incomplete"


def test_vcf_types_without_zeros_and_unfilled_set_totals_are_read(read: Read) -> None:
    plain = re.sub(rb"(?m)^([89](?:\t\d+){3})\t0(\d)\t", rb"\1\t\2\t", feed("small.vcf"))
    taken(read(plain))
    empty = feed("small.vcf").replace(
        b"\t0000000011\t0000000000012048", b"\t0000000000\t0000000000000000"
    )
    _, report = taken(read(empty))
    assert any("no totals for 1 of its sets" in note for note in report.notes)


def test_vcf_rows_of_unknown_type_or_length_are_problems_with_their_line(read: Read) -> None:
    unknown = feed("small.vcf").replace(b"\t5251\t10\t", b"\t5251\t99\t")
    frame, report = taken(read(unknown.replace(b"0000000000012048", b"0000000000015048")))
    assert len(frame) == 2
    (problem,) = report.problems
    assert (problem.code, "line 10" in problem.message) == ("type_unknown", True)
    long = re.sub(rb"(TEST0002[^\r\n]*)", rb"\1" + b"\t" * 70, feed("small.vcf"))
    _, report = taken(read(long))
    assert [problem.code for problem in report.problems] == ["long_record"]


def test_vcf_records_out_of_their_place_are_refused(read: Read) -> None:
    lines = feed("small.vcf").splitlines(keepends=True)
    assert refusal(read(b"".join([lines[0], lines[2], *lines[1:]]))).code == "out_of_sequence"
    assert refusal(read(b"".join(lines[1:]))).code == "bank_feed"
    second = b"".join(lines).replace(b"\t00007\t", b"\t00009\t").replace(b"TEST", b"NEXT")
    gap = refusal(read(b"".join(lines) + second))
    assert (gap.code, "set 8 is expected where 9 stands" in str(gap)) == ("out_of_sequence", True)


# Mastercard -------------------------------------------------------------------------------------


def test_a_cdf_count_may_leave_the_trailer_out(read: Read) -> None:
    taken(read(feed("small.cdf.xml").replace(b"<RecordCount>00000009", b"<RecordCount>00000008")))


def test_a_cdf_test_file_and_one_with_a_document_type_are_refused(read: Read) -> None:
    data = feed("small.cdf.xml")
    test = data.replace(b"<RunModeIndicator>P", b"<RunModeIndicator>V")
    assert refusal(read(test)).code == "test_file"
    typed = data.replace(
        b"<CDFTransmissionFile", b'<!DOCTYPE x [<!ENTITY a "b">]>\n<CDFTransmissionFile'
    )
    assert refusal(read(typed)).code == "xml"


def test_a_cdf_correction_replaces_its_payment_and_a_sign_is_compared(read: Read) -> None:
    data = feed("small.cdf.xml")
    same = re.sub(
        rb'"TEST0002"|(<ProcessorTransactionId>)TEST0002', lambda m: m[0].replace(b"2", b"1"), data
    )
    head, _, tail = same.rpartition(b"TEST0001</ProcessorTransactionId>")
    before, _, after = head.rpartition(b"<MaintenanceCode>A")
    frame, report = taken(
        read(before + b"<MaintenanceCode>U" + after + b"TEST0001</ProcessorTransactionId>" + tail)
    )
    assert frame["amount_pence"].tolist() == [4550, -1500]
    assert any("1 payments replace others" in note for note in report.notes)
    _, report = taken(read(data.replace(b'CurrencySign="C">', b'CurrencySign="D">')))
    assert any("against their debit or credit" in note for note in report.notes)


def test_a_cdf_exponent_is_each_amounts_own(read: Read) -> None:
    data = feed("small.cdf.xml")
    odd = data.replace(
        b'CurrencyExponent="4" CurrencySign="D">0000000000899800',
        b'CurrencyExponent="0" CurrencySign="D">0000000000899800',
    )
    frame, _ = taken(read(odd))
    assert frame["amount_pence"].tolist()[0] == 89_980_000
    strange = data.replace(b'CurrencyExponent="4"', b'CurrencyExponent="x"')
    assert refusal(read(strange)).code == "incomplete"


def test_a_cdf_fee_under_an_account_is_an_adjustment_or_a_problem(read: Read) -> None:
    data = feed("small.cdf.xml")
    end = b"</AccountEntity>"
    fee = (
        b"<FinancialAdjustmentRecord_5900><FinancialRecordHeader><SequenceNum>00000009"
        b"</SequenceNum></FinancialRecordHeader>%s</FinancialAdjustmentRecord_5900>"
    )
    known = (
        b"<PostingDate>2026-01-30</PostingDate><DebitOrCreditIndicator>D</DebitOrCreditIndicator>"
        b'<AmountInPostedCurrency CurrencyCode="826" CurrencyExponent="4">'
        b"0000000000010000</AmountInPostedCurrency>"
    )
    for inside, codes in ((known, []), (b"<Other>1</Other>", ["type_unknown"])):
        old, new = (
            b"%s</SequenceNum></TransRecordHeader><RecordCount>%s" % (count, count)
            for count in (b"00000009", b"00000010")
        )
        longer = data.replace(old, new)
        _, report = taken(read(longer.replace(end, fee % inside + end)))
        assert [problem.code for problem in report.problems] == codes


# American Express -------------------------------------------------------------------------------


def test_gl1025_takes_each_amounts_own_decimals_and_text_beyond_ascii(read: Read) -> None:
    data = feed("small.gl1025")
    lines = data.splitlines()
    lines[2] = lines[2][:842] + b"0" + lines[2][843:]  # decimals of the local amount alone
    frame, _ = taken(read(b"\n".join(lines)))
    assert frame["original_amount"].tolist()[0] == "8998"
    assert frame["amount_pence"].tolist()[0] == 8998
    for encoding in ("cp1252", "utf-8"):
        text = data.decode().replace("EXAMPLE HARDWARE LTD", "CAFÉ EXAMPLE HARDWARE")
        frame, _ = taken(read(text.encode(encoding)))
        assert frame["merchant"].tolist()[1] == "CAFÉ EXAMPLE HARDWARE"


def test_an_amount_without_its_decimals_is_a_problem_and_fails_the_totals(read: Read) -> None:
    lines = feed("small.gl1025").splitlines()
    lines[3] = lines[3][:768] + b" " + lines[3][769:]
    assert refusal(read(b"\n".join(lines))).code == "incomplete"


@pytest.mark.parametrize("less", [1, 2])
def test_a_kr1025_count_may_leave_out_header_and_trailer(less: int, read: Read) -> None:
    data = feed("small.kr1025").rstrip()
    _, report = taken(read(data[:-7] + f"{8 - less:07d}".encode()))
    assert report.transactions == 3


def test_american_express_feeds_that_are_not_read_say_so(read: Read) -> None:
    files = {
        "GL1080": b"0" + b" " * 26 + b"GL1080 \n1",
        "GL1205": b"0999999" + b" " * 20 + b"GL1205 \n1",
        "GL1076": b"FH" + b" " * 64 + b"GL1076 001\n00",
        "SAP Concur": b"EXTRACT|2026-10-31|2|120.00|\nDETAIL|1|2\n",
    }
    for name, data in files.items():
        refused = refusal(read(data))
        assert refused.code == "bank_feed"
        assert re.search(rf"{name}\b.*(?:Send|import|Export)", refused.what)


# Accounts ---------------------------------------------------------------------------------------


def test_account_statements_stand_by_account_and_name_nobody(read: Read) -> None:
    frame, _ = taken(read(feed("small.sta")))
    assert set(frame["key_holder_id"]) == {"no holder: account ending NT01"}


def test_money_into_an_account_is_no_refund_unless_the_bank_says_so(read: Read) -> None:
    frame, report = taken(read(feed("small.sta").replace(b"RD15,00", b"C15,00")))
    assert frame["kind"].tolist()[2:] == ["payment"]
    assert any("payments to it" in note for note in report.notes)
    frame, _ = taken(
        read(feed("small.camt053.xml").replace(b"CCRD", b"RCDT").replace(b"CardTx", b"Other"))
    )
    assert frame["kind"].tolist()[2:] == ["payment"]


def test_an_entry_that_is_not_booked_is_left_out_and_counted(read: Read) -> None:
    data = feed("small.camt053.xml").replace(b"<Sts>BOOK</Sts>", b"<Sts>PDNG</Sts>", 1)
    _, report = taken(read(data.replace(b">879.52<", b">969.50<")))
    assert report.transactions == 2
    assert any("1 entry is not booked" in note for note in report.notes)


def test_a_camt_bank_may_count_all_entries_or_those_that_are_booked(read: Read) -> None:
    data = feed("small.camt053.xml").replace(b"<Sts>BOOK</Sts>", b"<Sts>PDNG</Sts>", 1)
    data = data.replace(b">879.52<", b">969.50<")
    for count in (b"3", b"2"):
        _, report = taken(read(data.replace(b"<NbOfNtries>3", b"<NbOfNtries>" + count)))
        assert report.transactions == 2
    for count in (b"1", b"4", b"two"):
        error = refusal(read(data.replace(b"<NbOfNtries>3", b"<NbOfNtries>" + count)))
        assert error.code == "incomplete"


def batch(amounts: list[str], *, listed: bool = True) -> bytes:
    """Put the first two payments of the small CAMT file into one entry."""
    data = feed("small.camt053.xml").decode()
    first, second, rest = re.findall(r"<Ntry>.*?</Ntry>", data, flags=re.DOTALL)
    details = [re.findall(r"<TxDtls>(.*)</TxDtls>", entry)[0] for entry in (first, second)]
    listing = "".join(
        f"<TxDtls><Refs><AcctSvcrRef>PART{i}</AcctSvcrRef></Refs>"
        f"<Amt Ccy='GBP'>{amount}</Amt>{own}</TxDtls>"
        for i, (amount, own) in enumerate(zip(amounts, details, strict=True))
    )
    whole = re.sub(r"<Amt Ccy=\"GBP\">[^<]*", '<Amt Ccy="GBP">135.48', first, count=1)
    inside = "<Btch><NbOfTxs>2</NbOfTxs></Btch>" + (listing if listed else "")
    whole = re.sub(r"<TxDtls>.*</TxDtls>", inside, whole)
    head, _, _ = data.partition("<Ntry>")
    body = f"{head}{whole}{rest}</Stmt></BkToCstmrStmt></Document>"
    return body.replace("<NbOfNtries>3", "<NbOfNtries>2").encode()


def test_the_payments_of_one_camt_entry_are_each_a_payment(read: Read) -> None:
    frame, report = taken(read(batch(["89.98", "45.50"])))
    assert frame["amount_pence"].tolist() == [8998, 4550, -1500]
    assert frame["merchant"].tolist()[:2] == ["EXAMPLE STATIONERY LTD", "EXAMPLE HARDWARE LTD"]
    assert frame["transaction_id"].tolist()[:2] == ["PART0", "PART1"]
    assert any(check.name == "control totals" and check.passed for check in report.checks)


@pytest.mark.parametrize(
    ("amounts", "listed"), [(["89.98", "45.51"], True), (["89.98", "45.50"], False)]
)
def test_payments_of_a_camt_entry_that_are_not_stated_one_by_one_are_a_problem(
    amounts: list[str], *, listed: bool, read: Read
) -> None:
    frame, report = taken(read(batch(amounts, listed=listed)))
    assert frame["amount_pence"].tolist() == [-1500]
    assert [problem.code for problem in report.problems] == ["payments_together"]


def test_a_reversed_card_payment_names_the_merchant_as_the_payment_did(read: Read) -> None:
    data = feed("small.camt053.xml")
    data = data.replace(b"Dbtr>", b"Cdtr>").replace(
        b"<CdtDbtInd>CRDT</CdtDbtInd><Sts>", b"<CdtDbtInd>CRDT</CdtDbtInd><RvslInd>1</RvslInd><Sts>"
    )
    frame, _ = taken(read(data))
    assert frame["amount_pence"].tolist() == [8998, 4550, -1500]
    assert frame["merchant"].tolist()[2] == "EXAMPLE STATIONERY LTD"


def test_mt940_pages_follow_each_other(read: Read) -> None:
    data = feed("small.sta").decode()
    first = data.replace(":62F:", ":62M:")
    balance = "C260131GBP879,52"
    second = f":20:TEST1\n:25:TESTACCOUNT01\n:28C:31/%s\n:60M:{balance}\n:62F:{balance}\n-\n"
    _, report = taken(read((first + second % 2).encode()))
    assert report.transactions == 3
    gap = refusal(read((first + second % 3).encode()))
    assert "page 31/2 is expected where 31/3 stands" in str(gap)
    broken = (first + second % 2).replace(f":60M:{balance}", ":60M:C260131GBP879,51")
    broken = broken.replace(f":62F:{balance}", ":62F:C260131GBP879,51")
    assert refusal(read(broken.encode())).code == "out_of_sequence"


def test_mt940_marks_are_not_taken_for_letters_of_funds(read: Read) -> None:
    frame, _ = taken(read(feed("small.sta").replace(b"0130D89,98", b"0130DD89,98")))
    assert frame["amount_pence"].tolist()[0] == 8998
    assert refusal(read(feed("small.sta").replace(b"D89,98", b"X89,98"))).code == "damaged"


def test_ofx_2_a_comma_and_entities_are_read_and_a_fitid_twice_refused(read: Read) -> None:
    data = feed("small.ofx").decode()
    xml = re.sub(r"<([A-Z]+)>([^<\r\n]+)", r"<\1>\2</\1>", data.split("\n\n", 1)[1])
    head = '<?xml version="1.0"?>\n<?OFX OFXHEADER="200" VERSION="211"?>\n'
    frame, _ = taken(read((head + xml.replace("-89.98", "-89,98")).encode()))
    assert frame["amount_pence"].tolist() == [8998, 4550, -1500]
    frame, _ = taken(read(data.replace("EXAMPLE STATIONERY LTD", "M&amp;S", 1).encode()))
    assert frame["merchant"].tolist()[0] == "M&S"
    assert refusal(read(data.replace("TEST0002", "TEST0001").encode())).code == "doubled"


def test_a_text_longer_than_any_cell_is_refused(read: Read) -> None:
    data = feed("small.ofx").replace(b"EXAMPLE HARDWARE", b"X" * 40_000)
    assert refusal(read(data)).code == "cell_too_long"


def test_an_ofx_sign_against_its_type_is_a_problem(read: Read) -> None:
    data = (FILES / "small.ofx").read_bytes()
    for before, after in ((b"<TRNAMT>15.00", b"<TRNAMT>-15.00"), (b"-45.50", b"45.50")):
        frame, report = taken(read(data.replace(before, after)))
        assert [problem.code for problem in report.problems] == ["type_unknown"]
        assert len(frame) == 2


def test_an_ofx_correction_is_left_to_a_person(read: Read) -> None:
    data = feed("small.ofx").replace(
        b"<FITID>TEST0002", b"<FITID>TEST0002<CORRECTFITID>X1<CORRECTACTION>DELETE"
    )
    _, report = taken(read(data))
    assert [problem.code for problem in report.problems] == ["taken_back"]


def test_money_in_another_currency_is_a_problem(read: Read) -> None:
    _, report = taken(read(feed("small.vcf").replace(b"\t01282026\t00826", b"\t01282026\t00978")))
    assert [problem.code for problem in report.problems] == ["not_in_pounds"]
