"""The image, made without an engine: the Dockerfile's own steps, run in clean roots of Debian."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
from pathlib import Path
from string import Template
from subprocess import Popen
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from conftest import ROOT
from processes import children

if TYPE_CHECKING:
    from collections.abc import Iterator

TOOLS = ("apt-get", "debootstrap", "ip", "nsenter", "unshare")
pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(
        os.geteuid() != 0 or not all(map(shutil.which, TOOLS)),
        reason=f"making the image needs root and {', '.join(TOOLS)}",
    ),
]
BASE, RELEASE = "python:3.12-slim", "trixie"
"""What it is made from, and whose packages that has; Debian's Python 3.13 stands in for 3.12."""
PATH = "/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin"
COPY = ("cp", "--archive")
HIDE = ("chmod", "--recursive", "go=")
"""What is copied is as whoever checked the project out with umask 077 has it."""
TRUSTED = "/etc/ssl/certs"
SERVICE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]["service"]
ENTER = ("sh", "-ec", """root=$1; shift
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"
for each in $TMPFS; do mount -t tmpfs -o noexec,nosuid,nodev tmpfs "$root$each"; done
for each in $KEPT; do mount --bind "$KEEPS$each" "$root$each"; done
if [ "$SEALED" ]; then ip link set lo up; mount -o remount,bind,ro "$root"; fi
exec chroot "$@"
""", "sh")  # fmt: skip
BEGIN = """
cardwatch people you@force.example --name You --role finance --new-organisation 'Our Force'
exec "$@"
"""
FLOW = """
import os, time, httpx2
key = {"Authorization": "Bearer " + os.environ["KEY"]}
service = httpx2.Client(base_url="http://127.0.0.1:8000", timeout=60, headers=key)
service.get("/health/live").raise_for_status()
with open("sample_data/statements/2026-10.csv", "rb") as file:
    service.post("/v1/statements", files={"file": file}).raise_for_status()
while not (held := service.get("/v1/statements").raise_for_status().json()):
    time.sleep(1)
assert service.get("/v1/alerts").raise_for_status().json()["alerts"]
wanted = {"statement_id": held[0]["statement_id"], "form": "pdf",
          "purpose": "finance-assurance", "recipient": "CFO"}
drawn = service.post("/v1/exports", json=wanted).raise_for_status().content
assert drawn.startswith(b"%PDF-") and len(drawn) > 10_000, drawn
"""


class Stage:
    """One stage of the image: its root, and what its instructions have said so far."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.said: dict[str, Any] = {"SHELL": ["/bin/sh", "-c"], "WORKDIR": "/", "USER": "0"}
        self.env = {"PATH": PATH}

    def under(self, path: str) -> Path:
        return self.root / str(Path(self.said["WORKDIR"], path)).lstrip("/")

    def begin(self, root: Path | str, *command: str, **more: str) -> list[str]:
        """Return what `chroot` has to be told for the stage's user to begin a process in a root."""
        given = [f"{name}={value}" for name, value in (self.env | more).items()]
        bare = ("setpriv", "--reset-env", "--no-new-privs", "env", "--chdir", self.said["WORKDIR"])
        return [f"--userspec={self.said['USER']}", str(root), *bare, *given, *command]

    def do(self, word: str, rest: str) -> None:
        """Carry out an instruction; those that are not in use fail."""
        if word in {"SHELL", "CMD", "HEALTHCHECK"}:
            self.said[word] = json.loads(rest[rest.index("[") :])
        elif word in {"WORKDIR", "USER"}:
            self.said[word] = rest
            self.under("").mkdir(parents=True, exist_ok=True)
        elif word == "ENV":
            given = dict(one.split("=", 1) for one in shlex.split(rest))
            self.env |= {name: text.replace("$PATH", PATH) for name, text in given.items()}
        elif word == "COPY":
            self.copy(*rest.split())
        elif word == "RUN":
            # A registry may be reached through a proxy that this machine trusts.
            trust = {"PIP_CERT": f"{TRUSTED}/ca-certificates.crt"}
            begin = self.begin(self.root, *self.said["SHELL"], rest, **trust)
            enter = ["unshare", "--mount", *ENTER, str(self.root), *begin]
            subprocess.run(enter, check=True, env={"PATH": PATH, "KEPT": TRUSTED})
        else:
            assert word in {"VOLUME", "EXPOSE"}, word

    def copy(self, *words: str) -> None:
        """Copy from the context, or all of a folder from an earlier stage."""
        *sources, target = words
        if sources[0].startswith("--from="):
            there = self.root.with_name(sources[0].removeprefix("--from=")) / sources[1].lstrip("/")
            subprocess.run([*COPY, f"{there}/.", self.under(target)], check=True)
            return
        for one in sources:
            assert not left_out(str(ROOT), [one]), one
            if (ROOT / one).is_dir():
                shutil.copytree(ROOT / one, self.under(target), ignore=left_out)
            else:
                shutil.copy(ROOT / one, self.under(target))
        subprocess.run([*HIDE, self.under(target)], check=True)


def left_out(folder: str, names: list[str]) -> set[str]:
    """Return what .dockerignore leaves out of a folder of the context."""
    patterns = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    there = Path(folder).relative_to(ROOT)
    return {name for name in names if {f"**/{name}", str(there / name)} & set(patterns)}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Carry out the Dockerfile, and give its last stage."""
    uow = tmp_path_factory.mktemp("image")
    which = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    mirror = subprocess.check_output(which, text=True).split()[0]
    options = ("--variant=minbase", "--include=ca-certificates,python3,python3-venv")
    place = ["debootstrap", *options, RELEASE, str(uow / BASE), mirror]
    subprocess.run(place, check=True)
    (uow / BASE / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    build_arguments: dict[str, str] = {}
    for line in filter(None, text.replace("\\\n", " ").splitlines()):
        word, _, rest = line.partition(" ")
        if word == "ARG":
            name, _, default = rest.partition("=")
            build_arguments[name] = default
        elif word == "FROM":
            rest = Template(rest).substitute(build_arguments)
            made_from, _, name = rest.partition(" AS ")
            stage = Stage(uow / (name or "last"))
            subprocess.run([*COPY, uow / made_from, stage.root], check=True)
        else:
            stage.do(word, rest.strip())
    yield stage
    shutil.rmtree(uow)


def test_the_image_serves_as_its_own_user_where_it_may_write_its_volumes_alone(
    image: Stage, tmp_path: Path
) -> None:
    kept = [one.partition(":")[2] for one in SERVICE["volumes"]]
    for each in kept:  # a new volume begins as the image has it
        subprocess.run([*COPY, image.under(each), f"{tmp_path}{each}"], check=True)
    said = {"TMPFS": " ".join(SERVICE["tmpfs"]), "KEPT": " ".join(kept), "KEEPS": str(tmp_path)}
    said |= {"SEALED": "yes" if SERVICE["read_only"] else "", "PATH": PATH}
    begun = image.begin(image.root, "sh", "-ec", BEGIN, "sh", *image.said["CMD"])
    apart = ["unshare", "--mount", "--net", "--pid", "--fork", *ENTER, str(image.root), *begun]
    with Popen(apart, env=said) as container:
        while not (inside := [*children(container.pid)]):
            assert container.poll() is None

        def run(*command: str, **more: str) -> tuple[int, str]:
            there = ["nsenter", "--all", "--root", f"--target={inside[0]}", "chroot"]
            line = [*there, *image.begin("/", *command, **more)]
            done = subprocess.run(line, check=False, stdout=subprocess.PIPE, text=True)
            return done.returncode, done.stdout.strip()

        try:
            while run(*image.said["HEALTHCHECK"])[0]:
                assert container.poll() is None
            assert run("id", "--user") == (0, image.said["USER"])
            assert run("touch", "api/new")[0]
            key = run("cardwatch", "keys", "--name=ledger", "--role=finance")[1]
            assert run("python", "-c", FLOW, KEY=key) == (0, "")
        finally:
            os.kill(inside[0], signal.SIGKILL)  # and with it whatever runs inside


def test_the_image_has_nothing_that_only_the_project_needs(image: Stage) -> None:
    here = {path.name for path in image.under("").iterdir()}
    needed = {".venv", "api", "cardwatch", "models", "sample_data", "pyproject.toml"}
    assert here == needed | {"LICENSE", "Makefile", "README.md", "requirements.lock"}
    assert not image.under("api/assets").exists()
    programs = {path.name for path in image.under(".venv/bin").iterdir()}
    assert not programs & {"pytest", "ruff", "mypy", "playwright"}
