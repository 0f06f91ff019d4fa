"""Write a month of the invented force as every bank feed that cardwatch reads."""

# Imported by generate.py and by tests. Fields that a form does not carry are left out of it.

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

NUMBERS = {"GBP": "826", "EUR": "978", "USD": "840"}
OPENING = 10_000_000
"""Pence on the account from which cards are paid."""


@dataclass(frozen=True)
class FeedRow:
    """One payment as a feed holds it; amounts are in pence, a refund's negative."""

    when: date
    posted: date
    reference: str
    card: str
    employee: str
    merchant: str
    mcc: str
    pence: int
    original: int
    currency: str
    centre: str
    unit: str


def by_card(rows: Iterable[FeedRow]) -> dict[str, list[FeedRow]]:
    """Rows by card, in the order of their first."""
    cards: dict[str, list[FeedRow]] = defaultdict(list)
    for row in rows:
        cards[row.card].append(row)
    return dict(cards)


def pounds(pence: int) -> str:
    """An amount with a point and without commas."""
    sign = "-" if pence < 0 else ""
    return f"{sign}{abs(pence) // 100}.{abs(pence) % 100:02d}"


# Visa --------------------------------------------------------------------------------------------


def vcf_marker(mark: str, kind: int, count: int, amount: int, day: date) -> str:
    """A set or block header or trailer."""
    sign = "-" if amount < 0 else "0"
    total = f"{sign}{abs(amount):015d}"
    fields = [mark, "0000000042", f"{day.toordinal() % 99999:05d}", f"{day:%m%d%Y}", f"{kind:02d}"]
    return "\t".join(
        [*fields, f"{count:010d}", total, "4.4", "10099999", "0000000001", "3", *[""] * 5]
    )


def vcf(rows: Sequence[FeedRow]) -> bytes:
    """Visa VCF 4.4: accounts, cardholders and transactions; totals with credits subtracted."""
    day = max(row.posted for row in rows)
    firsts = [cards[0] for cards in by_card(rows).values()]
    accounts, holders, payments = [], [], []
    for row in firsts:
        account = ["4", row.employee, row.card, row.unit, *[""] * 43]
        account[15] = row.centre
        accounts.append(account)
        holder = ["4", "0000000042", row.employee, *[""] * 32]
        holder[22] = row.employee
        holders.append(holder)
    for n, row in enumerate(rows, 1):
        fields = ["4", row.card, f"{row.posted:%m%d%Y}", row.reference, f"{n:010d}", *[""] * 71]
        fields[8] = row.merchant
        fields[13], fields[14] = f"{abs(row.original):016d}", f"{abs(row.pence):016d}"
        fields[15], fields[19] = f"00{NUMBERS[row.currency]}", "00826"
        fields[16], fields[17], fields[18] = (
            row.mcc,
            "11" if row.pence < 0 else "10",
            f"{row.when:%m%d%Y}",
        )
        payments.append(fields)
    total, lines = sum(row.pence for row in rows), []
    for kind, records in ((3, accounts), (4, holders), (5, payments)):
        amount = total if kind == 5 else 0
        lines.append(vcf_marker("8", kind, 0, 0, day))
        lines += ["\t".join(fields) for fields in records]
        lines.append(vcf_marker("9", kind, len(records), amount, day))
    ends = [vcf_marker("6", 0, 0, 0, day), vcf_marker("7", 0, len(lines), total, day)]
    return "\r\n".join([ends[0], *lines, ends[1], ""]).encode()


# Mastercard --------------------------------------------------------------------------------------


def cdf(rows: Sequence[FeedRow]) -> bytes:
    """Mastercard CDF 3.0: a unit for each cost centre, its accounts and their transactions."""
    day, number = max(row.posted for row in rows), iter(range(1, 10 * len(rows)))
    head = "FinancialRecordHeader"

    def sequence(name: str, extra: str = "") -> str:
        return f"<{name}><SequenceNum>{next(number):08d}</SequenceNum>{extra}</{name}>"

    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>\n<CDFTransmissionFile>',
        f"<TransmissionHeader_1000>{sequence('TransRecordHeader')}",
        f"<ProcessingEndDate>{day}</ProcessingEndDate><CDFVersionNum>3.00</CDFVersionNum>",
        (
            "<RunModeIndicator>P</RunModeIndicator>"
            f"<MasterCardFileSequenceNum>{day.toordinal() % 999999:06d}</MasterCardFileSequenceNum>"
        ),
        "<InboundSourceFormat>CDF3</InboundSourceFormat></TransmissionHeader_1000>",
        '<IssuerEntity ICANumber="00000099999"><CorporateEntity CorporationNumber="9999999">',
    ]
    for card, payments in by_card(rows).items():
        lines += [
            f'<OrganizationPointEntity OrganizationPointNumber="{payments[0].centre}">',
            f'<AccountEntity AccountNumber="{card}"><AccountInformation_4300>',
            f"{sequence('HierarchyRecordHeader', '<StatusCode>A</StatusCode>')}",
            f"<EmployeeId>{payments[0].employee}</EmployeeId></AccountInformation_4300>",
        ]
        for row in payments:
            side = "C" if row.pence < 0 else "D"
            added = "<MaintenanceCode>A</MaintenanceCode>"
            amounts = "".join(
                f'<{name} CurrencyCode="{NUMBERS[currency]}" CurrencyExponent="4" '
                f'CurrencySign="{side}">{abs(pence) * 100:016d}</{name}>'
                for name, pence, currency in (
                    ("AmountInOriginalCurrency", row.original, row.currency),
                    ("AmountInPostedCurrency", row.pence, "GBP"),
                )
            )
            lines += [
                (
                    f'<FinancialTransactionEntity ProcessorTransactionId="{row.reference}">'
                    f"<FinancialTransaction_5000>{sequence(head, added)}"
                ),
                (
                    f"<ProcessorTransactionId>{row.reference}</ProcessorTransactionId>"
                    f"<PostingDate>{row.posted}</PostingDate><TransactionDate>{row.when}</TransactionDate>"
                ),
                f"<DebitOrCreditIndicator>{side}</DebitOrCreditIndicator>{amounts}",
                f"</FinancialTransaction_5000><CardAcceptor_5001>{sequence(head, added)}",
                (
                    f"<CardAcceptorName>{escape(row.merchant)}</CardAcceptorName>"
                    f"<CardAcceptorBusinessCode>{row.mcc}</CardAcceptorBusinessCode>"
                ),
                "</CardAcceptor_5001></FinancialTransactionEntity>",
            ]
        lines.append("</AccountEntity></OrganizationPointEntity>")
    records = 2 + len(by_card(rows)) + 2 * len(rows)
    lines += [
        f"</CorporateEntity></IssuerEntity><TransmissionTrailer_9999>{sequence('TransRecordHeader')}",
        f"<RecordCount>{records:08d}</RecordCount>",
    ]
    for name, side in (("Credits", [r for r in rows if r.pence < 0]),
                       ("Debits", [r for r in rows if r.pence >= 0])):  # fmt: skip
        total = sum(abs(row.pence) * 100 for row in side)
        lines.append(f"<NumOf{name}>{len(side):010d}</NumOf{name}>")
        lines += [f"<TotalAmountOf{name}>{total:020d}</TotalAmountOf{name}>"] if total else []
    return "\n".join([*lines, "</TransmissionTrailer_9999></CDFTransmissionFile>", ""]).encode()


# American Express --------------------------------------------------------------------------------


def fixed(*fields: tuple[int, str]) -> str:
    """A fixed-width record from columns, counted from 1, and texts; spaces at its end left out."""
    line = ""
    for start, text in sorted(fields):
        line = line.ljust(start - 1) + text
    return line.rstrip()


def signed(pence: int, digits: int = 15) -> str:
    """An amount after its sign."""
    return f"{'-' if pence < 0 else '+'}{abs(pence):0{digits}d}"


def sides(rows: Iterable[FeedRow]) -> tuple[int, int, int, int]:
    """Sum and count of charges, then of refunds."""
    debits = [row.pence for row in rows if row.pence >= 0]
    refunds = [row.pence for row in rows if row.pence < 0]
    return sum(debits), len(debits), sum(refunds), len(refunds)


def gl1025(rows: Sequence[FeedRow]) -> bytes:
    """American Express GL1025: one market, its transactions and a summary of each card."""
    total, day, cards = (
        sum(row.pence for row in rows),
        max(row.posted for row in rows),
        by_card(rows),
    )
    lines = []
    for row in rows:
        texts = [(1, "1"), (2, "026"), (208, row.card), (328, row.employee), (523, row.centre),
                 (574, f"{row.posted:%Y%m%d}"), (589, str(row.when)), (632, row.reference),
                 (737, signed(row.pence)), (769, "2826"), (812, f"{abs(row.original):015d}"),
                 (843, "2"), (859, NUMBERS[row.currency]), (865, f"{abs(row.pence):015d}"),
                 (880, "2826"), (1678, row.mcc), (1914, row.merchant)]  # fmt: skip
        lines.append(fixed(*texts))
    for card, payments in cards.items():
        debits, debit_count, refunds, refund_count = sides(payments)
        lines.append(
            fixed(
                (1, "2"),
                (61, card),
                (221, "8262"),
                (229, "8262"),
                (234, signed(debits)),
                (280, f"{debit_count:08d}"),
                (289, signed(refunds)),
                (335, f"{refund_count:08d}"),
                (392, f"{len(payments):08d}"),
            )
        )
    count = f"{len(lines) + 3:015d}"
    ends = [
        fixed(
            (1, mark),
            (2, "999999"),
            (28, "GL1025"),
            (44, str(day)),
            (75, "P0"),
            (78, count),
            (94, "8262"),
            (99, signed(total)),
            (139, f"{len(rows):015d}"),
        )
        for mark in "09"
    ]
    market = fixed(
        (1, "8"),
        (2, f"{day:%Y%m%d}"),
        (27, f"{len(lines):010d}"),
        (37, "0268262    8262"),
        (53, signed(total)),
        (85, signed(total)),
        (150, f"{len(rows):015d}"),
    )
    return "\r\n".join([ends[0], market, *lines, ends[1], ""]).encode("cp1252")


def kr1025(rows: Sequence[FeedRow]) -> bytes:
    """American Express KR1025: transactions, a summary of each card, the total, the trailer."""
    day, lines = max(row.posted for row in rows), []
    for row in rows:
        payment = fixed(
            (1, "1"),
            (56, "CONTROL1"),
            (114, row.card),
            (159, row.employee),
            (169, row.centre),
            (245, signed(row.pence)),
            (276, "8262"),
            (280, f"{abs(row.original):015d}"),
            (310, f"{NUMBERS[row.currency]}2"),
            (375, row.reference),
            (390, f"{row.when:%Y%m%d}"),
            (398, f"{row.posted:%Y%m%d}"),
            (840, row.merchant),
        )
        lines.append(payment)
    for mark, account, start, decimals, payments in (
        *(("2", card, 21, 122, payments) for card, payments in by_card(rows).items()),
        ("3", "CONTROL1", 2, 90, rows),
        ("4", "", 2, 86, rows),
    ):
        debits, debit_count, refunds, refund_count = sides(payments)
        lines.append(
            fixed(
                (1, mark),
                (start, account),
                (40, signed(debits)),
                (56, f"{debit_count:07d}"),
                (63, signed(refunds)),
                (79, f"{refund_count:07d}"),
                (decimals, "22"),
            )
        )
    header = fixed((1, "0"), (23, "KR"), (26, "1025"), (34, f"{day:%Y%m%d}"))
    trailer = fixed(
        (1, "9"), (23, "KR"), (26, "1025"), (34, f"{day:%Y%m%d}"), (52, f"{len(lines) + 2:07d}")
    )
    return "\r\n".join([header, *lines, trailer, ""]).encode("cp1252")


# Accounts ----------------------------------------------------------------------------------------


def camt053(rows: Sequence[FeedRow]) -> bytes:
    """CAMT.053: the account from which the cards are paid, each entry with its card."""
    day, total = max(row.posted for row in rows), sum(row.pence for row in rows)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt>',
        f"<GrpHdr><MsgId>SVP-{day}</MsgId><CreDtTm>{day}T06:00:00</CreDtTm></GrpHdr>",
        (
            f"<Stmt><Id>SVP-{day}-1</Id><ElctrncSeqNb>{day.toordinal()}</ElctrncSeqNb>"
            f"<CreDtTm>{day}T06:00:00</CreDtTm>"
        ),
        "<Acct><Id><Othr><Id>SALTMARSH01</Id></Othr></Id></Acct>",
    ]
    for code, pence in (("OPBD", OPENING), ("CLBD", OPENING - total)):
        lines.append(
            f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
            f'<Amt Ccy="GBP">{pounds(abs(pence))}</Amt>'
            f"<CdtDbtInd>{'DBIT' if pence < 0 else 'CRDT'}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
        )
    lines.append(
        f"<TxsSummry><TtlNtries><NbOfNtries>{len(rows)}</NbOfNtries></TtlNtries></TxsSummry>"
    )
    for row in rows:
        side, party = ("CRDT", "Dbtr") if row.pence < 0 else ("DBIT", "Cdtr")
        lines += [
            (
                f'<Ntry><Amt Ccy="GBP">{pounds(abs(row.pence))}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
                f"<Sts>BOOK</Sts><BookgDt><Dt>{row.posted}</Dt></BookgDt><ValDt><Dt>{row.when}</Dt></ValDt>"
            ),
            (
                f"<AcctSvcrRef>{row.reference}</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>CCRD</Cd>"
                "<SubFmlyCd>POSD</SubFmlyCd></Fmly></Domn></BkTxCd>"
            ),
            (
                f"<NtryDtls><TxDtls><RltdPties><{party}><Nm>{escape(row.merchant)}</Nm></{party}></RltdPties>"
                f"<CardTx><Card><PlainCardData><PAN>{row.card}</PAN></PlainCardData></Card></CardTx>"
                "</TxDtls></NtryDtls></Ntry>"
            ),
        ]
    return "\n".join([*lines, "</Stmt></BkToCstmrStmt></Document>", ""]).encode()


def mt940(rows: Sequence[FeedRow]) -> bytes:
    """MT940: the account from which the cards are paid; cards and codes have no place in it."""
    day, total = max(row.posted for row in rows), sum(row.pence for row in rows)

    def amount(pence: int) -> str:
        return pounds(abs(pence)).replace(".", ",")

    def balance(pence: int) -> str:
        return f"{'D' if pence < 0 else 'C'}{day:%y%m%d}GBP{amount(pence)}"

    lines = [
        f":20:SVP{day:%y%m%d}",
        ":25:SALTMARSH01",
        f":28C:{day:%j}/1",
        f":60F:{balance(OPENING)}",
    ]
    for row in rows:
        mark = "RD" if row.pence < 0 else "D"
        days = f"{row.when:%y%m%d}{row.posted:%m%d}"
        entry = f"{days}{mark}{amount(row.pence)}NMSCNONREF//{row.reference}"
        lines += [f":61:{entry}", f":86:{row.merchant}"]
    return "\r\n".join([*lines, f":62F:{balance(OPENING - total)}", "-", ""]).encode()


def ofx(rows: Sequence[FeedRow]) -> bytes:
    """OFX 1.0.2: a card statement for each card."""
    lines = ["OFXHEADER:100", "DATA:OFXSGML", "VERSION:102", "SECURITY:NONE", "ENCODING:USASCII",
             "CHARSET:1252", "COMPRESSION:NONE", "OLDFILEUID:NONE", "NEWFILEUID:NONE", "",
             "<OFX>", "<CREDITCARDMSGSRSV1>"]  # fmt: skip
    for n, (card, payments) in enumerate(by_card(rows).items(), 1):
        days = [row.posted for row in payments]
        lines += [
            f"<CCSTMTTRNRS><TRNUID>{n}<CCSTMTRS><CURDEF>GBP<CCACCTFROM><ACCTID>{card}</CCACCTFROM>",
            f"<BANKTRANLIST><DTSTART>{min(days):%Y%m%d}<DTEND>{max(days):%Y%m%d}",
        ]
        for row in payments:
            kind = "CREDIT" if row.pence < 0 else "DEBIT"
            lines.append(
                f"<STMTTRN><TRNTYPE>{kind}<DTPOSTED>{row.posted:%Y%m%d}<DTUSER>{row.when:%Y%m%d}"
                f"<TRNAMT>{pounds(-row.pence)}<FITID>{row.reference}<NAME>{escape(row.merchant)}</STMTTRN>"
            )
        total = sum(row.pence for row in payments)
        lines += [
            "</BANKTRANLIST>",
            f"<LEDGERBAL><BALAMT>{pounds(-total)}<DTASOF>{max(days):%Y%m%d}</LEDGERBAL>",
            "</CCSTMTRS></CCSTMTTRNRS>",
        ]
    return "\r\n".join([*lines, "</CREDITCARDMSGSRSV1>", "</OFX>", ""]).encode("cp1252")


FORMS: dict[str, tuple[str, Callable[[Sequence[FeedRow]], bytes]]] = {
    "vcf": (".vcf", vcf),
    "cdf": (".cdf.xml", cdf),
    "gl1025": (".gl1025", gl1025),
    "kr1025": (".kr1025", kr1025),
    "camt053": (".camt053.xml", camt053),
    "mt940": (".sta", mt940),
    "ofx": (".ofx", ofx),
}
"""Form of a feed to the ending of its file and what writes it."""
