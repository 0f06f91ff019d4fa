"""The template of a data protection impact assessment, with the facts of an installation in it.

UK GDPR, Art. 35, and Data Protection Act 2018, s. 64, ask for one before processing that is likely
to be a high risk to people. The steps are those of the Information Commissioner's Office. What
only people can say is left for them to write.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardwatch.reports.document import Document, Section, Table
from cardwatch.reports.formatting import day

if TYPE_CHECKING:
    from collections.abc import Mapping

RISKS: dict[str, tuple[str, ...]] = {
    "Somebody is treated as guilty because of an alert": (
        "Every page and file says that an alert is not a finding.",
        "A person decides, and the reason is recorded. The software decides nothing.",
    ),
    "The person asked about learns of it too early": (
        "Nobody sees alerts about themselves, or about people whose cards they approve.",
        "Alerts for professional standards leave no trace in what others see. Tests show it.",
    ),
    "Alerts fall more on some people than on others": (
        "Rules use payments, never who somebody is. A month has few alerts for one person.",
        "The share of each rule's alerts that were upheld is shown. Others are sampled.",
    ),
    "Somebody who should not sees it": (
        "Each of four roles sees only its own data. Sign-in needs a second factor.",
        "Cardholders are shown under a pseudonym until somebody gives a reason to see the name.",
        "Every view is recorded in an audit log that shows any change.",
    ),
    "More data is stored than is needed, or for longer": (
        "Only the last four digits of a card number and a keyed code are stored.",
        "Expired data is deleted, unless it is on hold for a case.",
    ),
    "Somebody is linked to a firm of a similar name": (
        "A match of names shows the words in common and left over. A person confirms it.",
        "A possible match never leads an alert. Where none is found, nothing is called clear.",
        "An alert says from when an entry was true and from when it was known.",
    ),
    "Wrong data leads to a wrong alert": (
        "Every row of a statement is accounted for, and rows that cannot be read are listed.",
        "An alert shows the file and row of each payment, and can be closed as a data error.",
    ),
}
"""Risks to people, each with what the software does about it."""
OWN_WORDS = ("Likelihood: remote, possible or probable", "Harm: minimal, significant or severe",
             "Other measures, and the remaining risk")  # fmt: skip


@dataclass(frozen=True)
class Installation:
    """Facts of the installation for the assessment.

    Attributes:
        keeps_days: for how many days each class of data is kept.
        fields: what is kept of each payment.
        facts: names, each with how it is set here: the database, how people sign in, and so on.
    """

    keeps_days: Mapping[str, int]
    fields: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]


def impact_document(
    installation: Installation, *, marking: str, organisation: str, made_on: str
) -> Document:
    """Return the template with the facts of an installation in it."""
    facts = (
        ("Controller", organisation),
        ("Facts as of", day(made_on)),
        ("State", "Template: complete the parts that only people can answer"),
    )
    risks = [
        Section(f"{number}. {risk}", level=3, text=does, blanks=OWN_WORDS)
        for number, (risk, does) in enumerate(RISKS.items(), start=1)
    ]
    sections = (
        Section(
            "Why an assessment is needed",
            text=(
                "Payments of employees are compared, and ranked by rules and a statistical model.",
                "That is systematic, and it affects the people concerned.",
            ),
            blanks=("Who asked for it, and which law applies to the processing",),
        ),
        Section(
            "What is processed, and how",
            points=(
                "Finance uploads statements of purchasing cards.",
                "They are read and compared with earlier months, and alerts are ranked.",
                "Registers that the force keeps may be uploaded and compared with payments.",
                "Finance uploads those of contracts and companies.",
                "Professional standards alone upload and see those about people.",
                "Finance follows up its alerts; professional standards follow up theirs.",
                "Data leaves only when somebody shares it. Purpose and recipient are recorded.",
            ),
            facts=installation.facts,
            tables=(
                Table("Data stored about a payment", ("Field",),
                      tuple((field[0].upper() + field[1:],) for field in installation.fields)),
                Table(
                    "For how long", ("What", "Days"),
                    tuple((k.capitalize(), f"{v:,}") for k, v in installation.keeps_days.items()),
                    numeric=(1,),
                ),
            ),
            blanks=("How many people hold cards here", "Whom the data is shared with"),
        ),
        Section(
            "Consultation",
            blanks=("Cardholders or their representatives, and what they said",
                    "The data protection officer's advice"),
        ),
        Section(
            "Necessity and proportionality",
            points=(
                "Purpose: to find payments that deserve a question, before money is lost.",
                "Only card payments and registers are used: no messages or locations.",
                "Dates of birth, pay, bank details and private addresses in registers are dropped.",
                "So are National Insurance numbers and the reason of an absence.",
                "A register that is not uploaded is not used. Each can be left out by itself.",
                "There is no decision without a person (UK GDPR, Art. 22A to 22D).",
            ),
            blanks=("The lawful basis, and the condition where crime is looked for",
                    "The lawful basis of each register, and whether its purpose allows this use",
                    "How people are told, and how they can object"),
        ),
        Section("Risks to people, and measures", begins_page=True),
        *risks,
        Section(
            "Signing off",
            blanks=("Measures approved by, and when", "Remaining risk accepted by",
                    "Reviewed again on"),
        ),
    )  # fmt: skip
    return Document("Data protection impact assessment", marking, facts, sections)
