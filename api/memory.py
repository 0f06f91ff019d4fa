"""Limits how much memory one process of the service may take."""

from __future__ import annotations

import resource

MIB = 1024 * 1024


def limit_memory(mib: int) -> None:
    """Refuse this process memory of its own beyond a limit; Linux alone keeps to it.

    What takes more ends with an error, and the process goes on. Its readers have a lower limit.

    Args:
        mib: the limit; 0 for none.
    """
    if not mib:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = mib * MIB if hard == resource.RLIM_INFINITY else min(mib * MIB, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
