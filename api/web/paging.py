"""Numbered pages of lists."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from api.web.base import number

if TYPE_CHECKING:
    from fastapi import Request


@dataclass(frozen=True)
class Page:
    """One numbered page of a list.

    Attributes:
        address: the list's, with its filters.
        total: rows of the whole list.
        size: the most rows of a page.
        number: which page it is, from 1.
    """

    address: str
    total: int
    size: int
    number: int

    @property
    def count(self) -> int:
        """The number of pages; a list without rows has one."""
        return max(-(-self.total // self.size), 1)

    @property
    def offset(self) -> int:
        """The number of rows on the pages before."""
        return self.size * (self.number - 1)

    @property
    def last(self) -> int:
        """The number of the last row, from 1."""
        return min(self.offset + self.size, self.total)

    @property
    def path(self) -> str:
        """The path of the address."""
        return self.address.partition("?")[0]

    @property
    def steps(self) -> list[int]:
        """The pages that are linked: the first, the last and those around; 0 for those between."""
        near = range(max(self.number - 1, 1), min(self.number + 1, self.count) + 1)
        steps: list[int] = []
        for step in sorted({1, *near, self.count}):
            steps += [0] if steps and step - steps[-1] > 1 else []
            steps.append(step)
        return steps

    def link(self, number: int) -> str:
        """The address of a page of the list."""
        return f"{self.address}{'&' if '?' in self.address else '?'}page={number}"


def page_asked_for(request: Request) -> int:
    """The number of the page that an address asks for, from 1."""
    return max(number(request.query_params.get("page", "")), 1)


def numbered_page(request: Request, address: str, total: int, size: int) -> Page:
    """The page that an address asks for; the last one where the list has become shorter."""
    first = Page(address, total, size, 1)
    return replace(first, number=min(page_asked_for(request), first.count))
