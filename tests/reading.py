"""How hard a text is to read: the grade of Flesch and Kincaid.

Kincaid, Fishburne, Rogers and Chissom, Derivation of new readability formulas for Navy enlisted
personnel, 1975: 0.39 words a sentence and 11.8 syllables a word, less 15.59.
"""

from __future__ import annotations

import re

WORD = re.compile(r"[^\W\d_]+(?:['\N{RIGHT SINGLE QUOTATION MARK}][a-z]+)?")
SENTENCE = re.compile(r"[.?!](?=\s|$)")
VOWELS = re.compile(r"[aeiouy]+")
SILENT = re.compile(
    r"(?<=[^aeiouyl])e$|(?<=[aeiouy]l)e$"  # same, whole; not single
    r"|(?<=[^aeiouytd])e(?=d$)|(?<=[^aeiouyscgxzh])e(?=s$)"  # asked, times; not noted, cases
    r"|(?<=[^aeiouy])e(?=(?:ment|ly|less|ful|where|thing|body)|'s$)|(?<=q)u"
)
APART = re.compile(r"(?<![tscgl])i[aou]|(?<=l)ia|ua|uie?t|[iuy]ing|(?<=sc)ie|(?<=r)ea(?=te)|ea$")
"""Vowels that stand together and are spoken apart."""


def syllables(word: str) -> int:
    """Return about how many syllables a word has: its groups of vowels that are spoken."""
    spoken = SILENT.sub("", word.casefold())
    return max(len(VOWELS.findall(spoken)) + len(APART.findall(spoken)), 1)


def grade(text: str) -> float:
    """Return the years of school that a text asks for."""
    words = WORD.findall(text)
    sentences = max(len(SENTENCE.findall(text.strip())), 1)
    spoken = sum(map(syllables, words))
    return 0.39 * len(words) / sentences + 11.8 * spoken / len(words) - 15.59
