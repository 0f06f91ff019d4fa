"""Reads the organisation's registers and matches transactions to them."""

from cardwatch.registers.card_matching import cards_in_force, match_cards
from cardwatch.registers.cards import CARD_MESSAGES, PERSON_KEYS, compared, person_key, read_cards
from cardwatch.registers.descriptions import (
    FIELD_TYPES,
    NUMBER_FIELDS,
    RegisterKind,
    fields_by_heading,
    layouts_page,
    names_people,
    people_in,
    register_kind,
    register_kinds,
    template_text,
)
from cardwatch.registers.entries import (
    REGISTER_MESSAGES,
    join_registers,
    known_no_earlier,
    read_register,
    read_registers,
    register_headings,
)
from cardwatch.registers.groups import GroupFile, read_groups
from cardwatch.registers.organisation_matching import (
    BANDS,
    POSSIBLE,
    STATED,
    STRONG,
    OrganisationMatch,
    OrganisationMatcher,
    judge_names,
)
from cardwatch.registers.organisations import comparable_name, names_in
from cardwatch.registers.persons import (
    is_written_like,
    key_letters,
    keys_by_name_and_unit,
    name_forms,
    names_of,
    person_keys,
)
from cardwatch.registers.profiles import (
    chosen_profile,
    guessed_columns,
    is_register_profile,
    parse_register_profile,
    register_profile_text,
    register_profile_toml,
)
from cardwatch.registers.quality import RegisterQuality, incomplete_entries, register_quality

__all__ = [
    "BANDS",
    "CARD_MESSAGES",
    "FIELD_TYPES",
    "NUMBER_FIELDS",
    "PERSON_KEYS",
    "POSSIBLE",
    "REGISTER_MESSAGES",
    "STATED",
    "STRONG",
    "GroupFile",
    "OrganisationMatch",
    "OrganisationMatcher",
    "RegisterKind",
    "RegisterQuality",
    "cards_in_force",
    "chosen_profile",
    "comparable_name",
    "compared",
    "fields_by_heading",
    "guessed_columns",
    "incomplete_entries",
    "is_register_profile",
    "is_written_like",
    "join_registers",
    "judge_names",
    "key_letters",
    "keys_by_name_and_unit",
    "known_no_earlier",
    "layouts_page",
    "match_cards",
    "name_forms",
    "names_in",
    "names_of",
    "names_people",
    "parse_register_profile",
    "people_in",
    "person_key",
    "person_keys",
    "read_cards",
    "read_groups",
    "read_register",
    "read_registers",
    "register_headings",
    "register_kind",
    "register_kinds",
    "register_profile_text",
    "register_profile_toml",
    "register_quality",
    "template_text",
]
