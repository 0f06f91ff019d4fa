"""Many statements are read as one, nothing is counted twice, and no card number comes out."""

from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from cardwatch.errors import FileRefused
from cardwatch.records import Statements
from cardwatch.statements import ReadingChoices, read_statements, shipped_profiles

CARD, SPACED, AMEX = "4111111111111111", "4111 1111 1111 1111", "378282246310005"
CHOICES = ReadingChoices(profiles=shipped_profiles(), card_key=b"a key for tests, of no other use")
HEAD = "date,holder_id,merchant,amount,description\n"
MANY = [f"2026-01-{1 + i % 28:02},H{i % 7},Shop {i % 11},{10 + i}.50,x" for i in range(60)]

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, *rows: str, head: str = HEAD) -> Path:
        path = tmp_path / name
        path.write_text(head + "".join(f"{row}\n" for row in rows), encoding="utf-8")
        return path

    return write


def read(*paths: Path, overlap: str = "keep") -> Statements:
    found = read_statements(paths, CHOICES, overlap=overlap)
    assert all(report.reconciles for report in found.reports)
    return found


def test_the_same_file_under_two_names_is_counted_once(write: Write) -> None:
    found = read(write("a.csv", *MANY), write("b.csv", *MANY))
    assert len(found.transactions) == len(MANY)
    assert found.reports[0].refused == ""
    assert "a.csv" in found.reports[1].refused
    assert "byte for byte" in found.reports[1].refused


def test_the_same_rows_in_another_order_and_form_are_counted_once(
    write: Write, tmp_path: Path
) -> None:
    shuffled = sorted(MANY, key=lambda row: row[::-1])
    first, second = write("a.csv", *MANY), write("b.csv", *shuffled)
    book = openpyxl.Workbook()
    for row in [HEAD.strip(), *shuffled]:
        book.active.append(row.split(","))
    book.save(tmp_path / "c.xlsx")
    found = read(first, second, tmp_path / "c.xlsx")
    assert len(found.transactions) == len(MANY)
    assert [bool(report.refused) for report in found.reports] == [False, True, True]
    assert "60 of its 60 rows are those of a.csv" in found.reports[1].refused


def test_an_overlap_is_reported_and_kept_unless_a_person_says_once(write: Write) -> None:
    paths = write("a.csv", *MANY[:40]), write("b.csv", *MANY[30:])
    kept, once = read(*paths), read(*paths, overlap="once")
    for found in (kept, once):
        assert any(
            note.startswith("10 rows ") and "a.csv" in note and "b.csv" in note
            for note in found.notes
        )
    assert len(kept.transactions) == 70
    assert len(once.transactions) == 60
    assert once.transactions["amount_pence"].sum() == sum(1050 + 100 * i for i in range(60))


def test_real_twins_survive_when_overlaps_are_counted_once(write: Write) -> None:
    twin = "2026-01-05,H1,Twin,5.00,x"
    others = [f"2026-02-{1 + i:02},H1,Other {i},1.00,x" for i in range(27)]
    paths = [
        write("a.csv", twin, *others[:9]),
        write("b.csv", twin, *others[9:18]),
        write("c.csv", twin, twin, *others[18:]),
    ]
    once = read(*paths, overlap="once").transactions
    assert (once["merchant"] == "Twin").sum() == 2, "c.csv alone proves two such payments"
    assert len(once) == 29


def test_equal_rows_inside_one_file_are_kept(write: Write) -> None:
    found = read(write("a.csv", *[MANY[0]] * 3))
    assert found.transactions["amount_pence"].tolist() == [1050] * 3
    assert not found.transactions["day_doubled"].any()


def test_files_with_different_holder_columns_use_the_key_that_both_have(write: Write) -> None:
    one = write(
        "a.csv", "2026-01-05,E1,Oak,A,1.00", head="Date,Employee ID,Account Name,Payee,Amount\n"
    )
    two = write("b.csv", "2026-02-05,Oak,B,2.00", head="Date,Account Name,Payee,Amount\n")
    found = read(one, two)
    assert found.transactions["holder_id"].tolist() == ["Oak", "Oak"]
    assert any("card account" in note for note in found.notes)
    assert read(one).transactions["holder_id"].tolist() == ["E1"]


def test_files_without_a_common_holder_key_say_so(write: Write) -> None:
    one = write("a.csv", "2026-01-05,E1,A,1.00", head="Date,Employee ID,Payee,Amount\n")
    two = write("b.csv", "2026-02-05,Oak,B,2.00", head="Date,Account Name,Payee,Amount\n")
    found = read(one, two)
    assert found.transactions["holder_id"].tolist() == ["E1", "Oak"]
    assert any("different ways" in note for note in found.notes)


def test_the_same_rows_are_found_though_one_file_names_holders_in_one_more_way(
    write: Write,
) -> None:
    days = [f"2026-01-{day:02}" for day in range(1, 21)]
    rich = [f"{day},E1,Oak,A,{day[-2:]}.00" for day in days]
    poor = [f"{day},Oak,A,{day[-2:]}.00" for day in days]
    one = write("a.csv", *rich, head="Date,Employee ID,Account Name,Payee,Amount\n")
    two = write("b.csv", *poor, head="Date,Account Name,Payee,Amount\n")
    assert len(read(one, two).transactions) == 20


def test_a_day_loaded_twice_is_marked_and_its_rows_are_kept(write: Write) -> None:
    twice = [f"2026-01-05,H{i},Shop {i},{i}.00,x" for i in range(1, 13)] * 2
    calm = [f"2026-01-06,H{i},Shop {i},{i}.00,x" for i in range(1, 25)]
    found = read(write("a.csv", *twice, *calm))
    marked = found.transactions.groupby(found.transactions["date"].dt.day)["day_doubled"].sum()
    assert marked.to_dict() == {5: 24, 6: 0}
    assert len(found.transactions) == 48
    assert any("2026-01-05" in note for note in found.reports[0].notes)


def test_a_missing_month_is_pointed_out(write: Write) -> None:
    rows = [f"2026-{m:02}-{d:02},H1,A,{d}.00,x" for m in (1, 2, 4, 5) for d in range(1, 29)]
    assert any(note.startswith("2026-03 has 0 rows") for note in read(write("a.csv", *rows)).notes)


def test_one_bad_file_among_good_ones_is_reported_and_the_others_are_read(write: Write) -> None:
    bad = write("bad.csv", "1,2", head="wind,rain\n")
    found = read(write("a.csv", *MANY), bad)
    assert len(found.transactions) == len(MANY)
    assert "no column for" in found.reports[1].refused
    with pytest.raises(FileRefused):
        read(bad)


def test_a_statement_whose_files_are_all_refused_has_no_payments(write: Write) -> None:
    found = read(*(write(f"{i}.csv", "1,2", head=f"wind,rain{i}\n") for i in range(2)))
    assert found.transactions.empty
    assert all(report.refused for report in found.reports)


def test_a_folder_is_read_by_name_and_hidden_files_are_left_out(
    write: Write, tmp_path: Path
) -> None:
    write("b.csv", MANY[0])
    write("a.csv", MANY[1])
    write(".hidden.csv", MANY[2])
    assert [report.file for report in read(tmp_path).reports] == ["a.csv", "b.csv"]


def test_unstated_currency_is_told_even_when_a_row_is_blank(write: Write) -> None:
    head = "TRANS DATE,ORIGINAL GROSS AMT,MERCHANT NAME,CARD NUMBER\n"
    for name, rows in (("a.csv", []), ("b.csv", [",,,"])):
        found = read(write(name, *rows, "2026-01-05,1.00,a shop,************5770", head=head))
        assert any("currency is not stated" in note for note in found.reports[0].notes), name


# Card numbers -----------------------------------------------------------------------------------


def assert_no_card(text: str) -> None:
    bare = text.replace(" ", "").replace("-", "")
    assert CARD not in bare
    assert AMEX not in bare


def test_no_whole_card_number_comes_out_of_any_column(write: Write) -> None:
    fields = ["transaction_id", "holder_id", "card_number", "merchant", "mcc", "category"]
    fields += ["cost_centre", "currency", "original_amount", "original_currency", "description"]
    head = ",".join(["date", "amount", *fields]) + "\n"
    rows = [
        ",".join(["2026-01-05", "1.00", *[text if field != "currency" else "" for field in fields]])
        for text in (
            CARD,
            SPACED,
            f"x {AMEX} y",
            f"{CARD[:4]}-{CARD[4:8]}-{CARD[8:12]}-{CARD[12:]}",
        )
    ]
    found = read(write("a.csv", *rows, head=head))
    assert len(found.transactions) == 4
    assert_no_card(found.transactions.to_csv())
    assert_no_card(repr(found))


def test_no_whole_card_number_comes_out_of_problems_and_odd_columns(write: Write) -> None:
    rows = [
        "2026-01-05,H1,A,1.00,x",
        f"{CARD},H1,A,1.00,x",
        f"2026-01-05,H1,A,{SPACED},x",
        f"2026-01-05,,{CARD},1.00,x",
        f",{CARD},Total,9.00,x",
    ]
    assert_no_card(repr(read(write("a.csv", *rows))))


@pytest.mark.parametrize("number", [CARD, SPACED, AMEX])
def test_no_whole_card_number_comes_out_of_headings(write: Write, number: str) -> None:
    head = f"date,holder_id,merchant,amount,Card {number}\n"
    assert_no_card(repr(read(write("a.csv", MANY[0], head=head))))
    with pytest.raises(FileRefused) as caught:
        read(write("b.csv", "1,2", head=f"Card {number},Merchants {number}\n"))
    assert_no_card(str(caught.value))
    assert_no_card(repr(vars(caught.value)))


def test_no_whole_card_number_comes_out_of_a_file_name(write: Write) -> None:
    assert_no_card(repr(read(write(f"card {CARD}.csv", MANY[0]))))
    with pytest.raises(FileRefused) as caught:
        read(write(f"{CARD}.csv", "1,2", head="wind,rain\n"))
    assert_no_card(str(caught.value))


def test_no_whole_card_number_comes_out_of_a_sheet_name(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = CARD
    for row in (HEAD.strip(), MANY[0]):
        book.active.append(row.split(","))
    book.create_sheet(AMEX).append(["nothing of interest"])
    book.save(tmp_path / "a.xlsx")
    assert_no_card(repr(read(tmp_path / "a.xlsx")))


def test_a_card_column_tells_cards_apart_without_their_numbers(write: Write) -> None:
    head = "Date,Card Number,Merchant,Amount\n"
    rows = [f"2026-01-05,{number},A,1.00" for number in (CARD, SPACED, "4242424242421111")]
    frame = read(write("a.csv", *rows, head=head)).transactions
    assert frame["card_last4"].tolist() == ["1111"] * 3
    assert frame["holder_id"].nunique() == frame["card_token"].nunique() == 2
    assert_no_card(frame.to_csv())


def test_masked_cards_that_may_be_two_are_said_to_be_so(write: Write) -> None:
    head = "Date,Card Number,Merchant,Amount\n"
    found = read(write("a.csv", "2026-01-05,****5770,A,1.00", head=head))
    assert found.transactions["holder_id"].tolist() == ["card ending 5770"]
    assert any("two cards can share" in note for note in found.notes)
