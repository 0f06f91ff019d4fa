"""A real Dask cluster over TLS gives the same bytes, also where a worker is lost on the way."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cardwatch.errors import CardwatchError
from cardwatch.executors import dask_cluster, this_process
from cardwatch.national import NationalSettings, score_many
from cardwatch.partitions import list_partitions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

distributed = pytest.importorskip("distributed", reason="pip install 'cardwatch[dask]'")
dask = pytest.importorskip("dask")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
ALL = NationalSettings(lanes=("finance", "psd"))


def _certificate(folder: Path) -> Path:
    """Write a certificate that signs itself, with its key, for this machine alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    path = folder / "tls.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(*form, serialization.NoEncryption())
    )
    return path


class Cluster:
    """A scheduler and two workers, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        certificate = _certificate(folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"tls://127.0.0.1:{free.getsockname()[1]}"
        names = [f"{who}__{what}" for who in ("SCHEDULER", "WORKER", "CLIENT")
                 for what in ("CERT", "KEY")] + ["CA_FILE"]  # fmt: skip
        tls = {f"DASK_DISTRIBUTED__COMM__TLS__{name}": str(certificate) for name in names}
        self.environment = os.environ | tls
        self.settings = {
            "distributed.comm.tls.ca-file": str(certificate),
            "distributed.comm.tls.client.cert": str(certificate),
            "distributed.comm.tls.client.key": str(certificate),
        }
        port = self.address.rsplit(":", 1)[1]
        self.folder = folder
        self.scheduler = self._start(
            "scheduler", "--host", "127.0.0.1", "--protocol", "tls", "--port", port,
            "--no-dashboard",
        )  # fmt: skip
        self.workers = [self._start_worker() for _ in range(2)]

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *arguments],
                env=self.environment, cwd=self.folder, stdout=log, stderr=log,
            )  # fmt: skip

    def _start_worker(self) -> subprocess.Popen[bytes]:
        return self._start(
            "worker", self.address, "--protocol", "tls", "--host", "127.0.0.1", "--no-nanny",
            "--nthreads", "1", "--no-dashboard", "--local-directory", str(self.folder),
        )  # fmt: skip

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Give a cluster of two workers that speaks TLS alone."""
    running = Cluster(tmp_path_factory.mktemp("cluster"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def scored(forces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the results of the forces, as this process makes them."""
    results = tmp_path_factory.mktemp("scored")
    list(score_many(list_partitions(str(forces)), str(results), ALL, engine=this_process()))
    return results


def test_same_bytes_from_dask(
    forces: Path,
    scored: Path,
    tmp_path: Path,
    cluster: Cluster,
    result_bytes: Callable[[Path], dict[str, bytes]],
) -> None:
    partitions = list_partitions(str(forces))
    with dask.config.set(cluster.settings):
        outcomes = list(
            score_many(partitions, str(tmp_path), ALL, engine=dask_cluster(cluster.address))
        )
    assert {outcome.outcome for outcome in outcomes} == {"scored"}, outcomes
    assert result_bytes(tmp_path) == result_bytes(scored)


def test_no_certificate_nothing_sent(forces: Path, tmp_path: Path, cluster: Cluster) -> None:
    partitions = list_partitions(str(forces))
    with pytest.raises(CardwatchError, match="does not answer"):
        list(score_many(partitions, str(tmp_path), ALL, engine=dask_cluster(cluster.address)))
    assert not list(tmp_path.iterdir())


def test_a_lost_dask_worker_changes_nothing(
    forces: Path,
    scored: Path,
    tmp_path: Path,
    cluster: Cluster,
    result_bytes: Callable[[Path], dict[str, bytes]],
) -> None:
    partitions = list_partitions(str(forces))
    with dask.config.set(cluster.settings):
        running = score_many(partitions, str(tmp_path), ALL, engine=dask_cluster(cluster.address))
        first = next(running)
        cluster.workers[0].kill()
        time.sleep(0.1)
        outcomes = [first, *running]
    assert {outcome.outcome for outcome in outcomes} == {"scored"}, outcomes
    assert result_bytes(tmp_path) == result_bytes(scored)
