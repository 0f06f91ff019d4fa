"""A Dask cluster over TLS and a Spark, each part a process of its own, and their workers."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from processes import children

from cardwatch.national import NationalSettings

ALL = NationalSettings(lanes=("finance", "psd"))
"""Settings by which every engine scores, so that their bytes can be compared."""


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


class DaskCluster:
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


def spark_session() -> Any:
    """Return a Spark of two cores on this machine, which tries each piece of work twice."""
    from pyspark.sql import SparkSession  # noqa: PLC0415  only where it is installed

    os.environ |= {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    builder = SparkSession.builder.master("local[2,2]").config("spark.ui.enabled", "false")
    return builder.config("spark.sql.shuffle.partitions", "2").getOrCreate()


def spark_workers() -> list[int]:
    """Return the processes in which this process's Spark runs Python, those at work first."""
    machines = children(os.getpid())
    daemons = [daemon for machine in machines for daemon in children(machine)]
    workers = {worker: state for daemon in daemons for worker, state in children(daemon).items()}
    return sorted(workers, key=lambda worker: workers[worker] != "R")


def loky_workers() -> list[int]:
    """Return the processes that do the work of this process's loky executors."""
    return [
        child
        for child in children(os.getpid())
        if b"popen_loky_posix" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]
