"""Starts child processes that know nothing of ours, and puts them under limits.

The one place for this: the readers of files, decryption and the evaluation of an organisation's own
payments run in such children. Why not `multiprocessing`: decision 0108.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

SECONDS_TO_DIE = 5
"""Between the signal that says why a child ends, and the one that it cannot ignore."""


def start_child(
    code: str,
    environment: Mapping[str, str],
    *,
    folder: str | None = None,
    files: Collection[int] = (),
) -> subprocess.Popen[bytes]:
    """Start our interpreter on some code; it is asked and answers through pipes.

    Args:
        code: what it runs, without this process's folder or user's packages on its path.
        environment: all that it has of one; none of this process's passwords and keys.
        folder: where it starts; this process's if none is given.
        files: open files that it has as well, by their descriptors.
    """
    return subprocess.Popen(  # noqa: S603  our own interpreter, our own words
        [sys.executable, "-I", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env=environment,
        pass_fds=files,
    )


def limit_process(memory_bytes: int, cpu_seconds: int | None = None, file_bytes: int = 0) -> None:
    """Put this process under limits for good.

    Args:
        memory_bytes: address space.
        cpu_seconds: processor time; as much as it needs if none is given.
        file_bytes: how large a file it may write; none at all by default.
    """
    for kind, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    if cpu_seconds is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + SECONDS_TO_DIE))
