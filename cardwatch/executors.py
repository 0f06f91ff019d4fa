"""Executors for work on many organisations: this process, processes of this machine, or Dask.

Each gives what `concurrent.futures` calls an executor, so that others fit as well. Queues, retries
and the choice of a worker are theirs.
"""

from __future__ import annotations

import ipaddress
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from joblib.externals.loky import ProcessPoolExecutor

from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor
    from contextlib import AbstractContextManager

SCHEDULER_PATIENCE = 30
"""Seconds in which a Dask scheduler has to answer."""
CERTIFICATES = tuple(
    f"DASK_DISTRIBUTED__COMM__TLS__{name}" for name in ("CA_FILE", "CLIENT__CERT", "CLIENT__KEY")
)
"""Settings of Dask that name the files of certificates."""
SINGLE_THREADED = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Engine:
    """An executor that is opened when work begins.

    Attributes:
        open_executor: opens it; it may be opened again after it was lost.
        most_at_once: pieces of work that it is given at a time; 0 for all. Where a lost worker
            takes all pieces with it, few are at risk.
    """

    open_executor: Callable[[], AbstractContextManager[Executor]]
    most_at_once: int = 0


def this_process() -> Engine:
    """Return an engine that does one piece after the other in this process."""
    return Engine(lambda: ThreadPoolExecutor(max_workers=1), most_at_once=1)


def processes(workers: int = 0) -> Engine:
    """Return an engine of processes on this machine (loky, as joblib uses it).

    Args:
        workers: how many; 0 for one a processor.
    """
    count = workers or os.cpu_count() or 1

    @contextmanager
    def opened() -> Iterator[Executor]:
        executor = ProcessPoolExecutor(max_workers=count, env=SINGLE_THREADED)
        try:
            yield executor
        finally:
            executor.shutdown(wait=True, kill_workers=True)

    return Engine(opened, most_at_once=count)


def dask_cluster(scheduler: str) -> Engine:
    """Return an engine that gives the work to a running Dask cluster.

    Certificates are those of Dask's own settings (`DASK_DISTRIBUTED__COMM__TLS__CA_FILE`,
    `..__CLIENT__CERT`, `..__CLIENT__KEY`). Without TLS only a scheduler on this machine is used:
    whoever reaches an open scheduler can run code on its workers.

    Args:
        scheduler: its address, such as `tls://scheduler:8786`.

    Raises:
        CardwatchError: the address is not safe, or Dask is not installed.
    """
    address = urlsplit(scheduler)
    if address.scheme not in {"tls", "tcp"} or not address.hostname:
        raise CardwatchError(f"'{scheduler}' is not an address such as tls://scheduler:8786.")
    if address.scheme != "tls" and not _is_loopback(address.hostname):
        raise CardwatchError("Use a scheduler with TLS: its address begins with tls://.")
    try:
        from distributed import Client, Security  # noqa: PLC0415  an optional extra
    except ImportError as error:
        raise CardwatchError("Dask is not installed: pip install 'cardwatch[dask]'.") from error

    @contextmanager
    def opened() -> Iterator[Executor]:
        security = Security(require_encryption=True) if address.scheme == "tls" else None
        named = security.get_tls_config_for_role("client") if security else {}
        if security and not (named["ca_file"] and named["cert"]):
            # Before there is a client: one that cannot connect waits, and prints where it failed.
            raise CardwatchError(
                f"There are no certificates for {scheduler}. Name them by "
                f"{', '.join(CERTIFICATES)}."
            )
        try:
            client = Client(
                scheduler, security=security, timeout=SCHEDULER_PATIENCE, set_as_default=False
            )
        except (OSError, TypeError, ValueError) as error:  # no answer, or no certificates
            reason = f"The scheduler {scheduler} does not answer. Check its address"
            more = " and your certificates" if security else ""
            raise CardwatchError(f"{reason}{more}.") from error
        with client, client.get_executor(pure=False) as executor:
            yield executor

    return Engine(opened)


def _is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
