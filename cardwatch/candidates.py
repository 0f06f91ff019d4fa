"""Names that a new name is compared with: a bounded number, however alike names are built to be."""

from __future__ import annotations

from collections import defaultdict

PART_LETTERS = 4
"""Length of the parts by which names are looked up."""
LONGEST_NAME = 100
"""No merchant's name on a statement is longer; of longer text only so many letters are parts."""


class CandidateIndex:
    """Names in the order in which they were added, looked up by the parts they share.

    Up to a number of names all of them are candidates. Of more names those that share the rarest
    parts with the new one are, up to a number again: the work for each name has an upper bound
    whatever the others are. A like name shares rare parts, so it is among the first.
    """

    def __init__(self, most: int, most_by_parts: int) -> None:
        """Start without names.

        Args:
            most: the number of names up to which all of them are candidates.
            most_by_parts: the number of candidates where there are more names.
        """
        self._most, self._most_by_parts = most, most_by_parts
        self._names: list[str] = []
        self._letters: list[str] = []
        self._numbers_by_part: defaultdict[str, list[int]] = defaultdict(list)

    def __len__(self) -> int:
        """Return the number of names."""
        return len(self._names)

    def add(self, name: str, letters: str) -> None:
        """Add a name.

        Args:
            name: as `near` returns it.
            letters: what of it is compared.
        """
        self._names.append(name)
        self._letters.append(letters)
        if len(self._names) == self._most + 1:  # with fewer names nothing was looked up by parts
            for number, earlier in enumerate(self._letters):
                self._index(number, earlier)
        elif len(self._names) > self._most:
            self._index(len(self._names) - 1, letters)

    def near(self, letters: str) -> list[str]:
        """Return the names to compare a name's letters with, in the order they were added in."""
        if len(self._names) <= self._most:
            return self._names
        parts = [part for part in _parts(letters) if part in self._numbers_by_part]
        parts.sort(key=lambda part: (len(self._numbers_by_part[part]), part))
        numbers = set[int]()
        for part in parts:
            room = self._most_by_parts - len(numbers)
            if not room:
                break
            numbers.update(self._numbers_by_part[part][:room])
        return [self._names[number] for number in sorted(numbers)]

    def _index(self, number: int, letters: str) -> None:
        for part in _parts(letters):
            self._numbers_by_part[part].append(number)


def _parts(letters: str) -> set[str]:
    """Return every run of `PART_LETTERS` letters in a name; all of a shorter one."""
    count = min(len(letters), LONGEST_NAME) - PART_LETTERS + 1
    return {letters[start : start + PART_LETTERS] for start in range(max(count, 1))}
