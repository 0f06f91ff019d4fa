"""What tests see of processes, in /proc."""

from __future__ import annotations

import os
from pathlib import Path


def children(parent: int) -> dict[int, str]:
    """Return the state of each child of a process; Z is a zombie."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, its_parent = stat.read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
        if int(its_parent) == parent:
            found[int(stat.parent.name)] = state
    return found


def in_memory(process: int) -> int:
    """Return how many bytes of memory a process holds."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
