"""The template of a data protection impact assessment, with the facts of an installation in it.

UK GDPR, Art. 35, and Data Protection Act 2018, s. 64, ask for one before processing that is likely
to be a high risk to people. The steps are those of the Information Commissioner's Office. What
only people can say is left for them to write.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardwatch.reports.document import Document, Section, Table
from cardwatch.reports.words import day

if TYPE_CHECKING:
    from collections.abc import Mapping

RISKS: dict[str, tuple[str, ...]] = {
    "Somebody is treated as guilty because of a question": (
        "Every page and file says that a question is no finding.",
        "A person decides, with a reason that is kept. The software decides nothing.",
    ),
    "The person asked about learns of it too early": (
        "Nobody sees a question about themselves, or about those whose cards they approve.",
        "Questions for professional standards leave no trace in what others see. Tests show it.",
    ),
    "Questions fall more on some people than on others": (
        "Rules use payments, never who somebody is. A month has few questions for one holder.",
        "How often each rule was right is shown. What was not asked is sampled.",
    ),
    "Somebody who should not sees it": (
        "Each of four roles sees its own. Sign-in needs a second code.",
        "Holders stand under another name until somebody asks for it, with a reason.",
        "Every look is kept in a chain that shows any change.",
    ),
    "More is kept than is needed, or for longer": (
        "Of a card number the last four digits and a keyed code are kept.",
        "What is past its time is erased, unless somebody holds it for a case.",
    ),
    "Wrong data leads to a wrong question": (
        "Every row of a statement is accounted for, and rows that cannot be read are named.",
        "A question shows the file and row of each payment, and can be closed as a data error.",
    ),
}
"""Risks to people, each with what the software does about it."""
OWN_WORDS = ("Likelihood: remote, possible or probable", "Harm: minimal, significant or severe",
             "What else you do, and what risk is left")  # fmt: skip


@dataclass(frozen=True)
class Installation:
    """What the assessment takes from the installation.

    Attributes:
        keeps_days: for how many days each class of data is kept.
        fields: what is kept of each payment.
        facts: names, each with how it is set here: the database, how people sign in, and so on.
    """

    keeps_days: Mapping[str, int]
    fields: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]


def impact_document(
    held: Installation, *, marking: str, organisation: str, made_on: str
) -> Document:
    """Return the template with the facts of an installation in it."""
    facts = (
        ("Controller", organisation),
        ("Facts as of", day(made_on)),
        ("State", "Template: what only people can say is left to be written"),
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
                "That is systematic, and it matters to those it is about.",
            ),
            blanks=("Who asked for it, and which law the processing comes under",),
        ),
        Section(
            "What is processed, and how",
            points=(
                "Finance brings statements of purchasing cards.",
                "They are read and compared with the months before; questions are put in order.",
                "Finance asks about its questions; professional standards about theirs.",
                "Nothing leaves but what somebody hands over, with purpose and recipient kept.",
            ),
            facts=held.facts,
            tables=(
                Table("What is kept of a payment", ("Field",), tuple((f,) for f in held.fields)),
                Table(
                    "For how long", ("What", "Days"),
                    tuple((k.capitalize(), f"{v:,}") for k, v in held.keeps_days.items()),
                    numeric=(1,),
                ),
            ),
            blanks=("How many people hold cards here", "Whom the data is shared with"),
        ),
        Section(
            "Whom you have asked",
            blanks=("Holders or their representatives, and what they said",
                    "The data protection officer's advice"),
        ),
        Section(
            "Whether it is needed and in proportion",
            points=(
                "Purpose: to find payments that deserve a question, before money is lost.",
                "Only card payments are used; no diaries, no messages, no places.",
                "There is no decision without a person (UK GDPR, Art. 22A to 22D).",
            ),
            blanks=("The lawful basis, and the condition where crime is looked for",
                    "How people are told, and how they can object"),
        ),
        Section("Risks to people, and what is done about them", begins_page=True),
        *risks,
        Section(
            "Signing off",
            blanks=("Measures approved by, and when", "Risk that is left, accepted by",
                    "Reviewed again on"),
        ),
    )  # fmt: skip
    return Document("Data protection impact assessment", marking, facts, sections)
