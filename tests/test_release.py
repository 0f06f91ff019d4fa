"""A release: the same bytes wherever and whenever it is built, and a list of all that it needs."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
IMAGE = re.compile(r"[a-z]+:[0-9.]+(-[a-z]+)?")
IMAGE_VARIABLE = re.compile(r"\$\{(CARDWATCH_\w+_IMAGE):-([^}]+)\}")


def _wheel(source: Path, target: Path) -> str:
    """Build the wheel of a source; return its hash."""
    made_of = os.environ | {"SOURCE_DATE_EPOCH": "1764450000"}
    command = [BIN / "hatchling", "build", "--target", "wheel", "--directory", str(target)]
    subprocess.run(command, cwd=source, env=made_of, check=True, capture_output=True)
    (wheel,) = target.iterdir()
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def test_a_wheel_is_the_same_from_another_place_and_time(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(
        ROOT / "cardwatch", copy / "cardwatch", copy_function=shutil.copyfile, ignore=ignored
    )
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copyfile(ROOT / name, copy / name)
    assert _wheel(ROOT, tmp_path / "here") == _wheel(copy, tmp_path / "there")


def test_the_bill_of_materials_names_each_locked_component_with_its_hashes(
    tmp_path: Path,
) -> None:
    bill = tmp_path / "bill.json"
    command = [BIN / "cyclonedx-py", "requirements", "--output-reproducible", "--output-format",
               "JSON", "--output-file", str(bill), str(ROOT / "requirements.lock")]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    content = json.loads(bill.read_text(encoding="utf-8"))
    listed = {(part["name"], part["version"]) for part in content["components"]}
    assert listed == set(re.findall(r"^([\w.-]+)==([\w.]+)", LOCK, re.MULTILINE))
    hashes = re.findall(r'"content": "([0-9a-f]{64})"', json.dumps(content))
    assert set(hashes) == set(re.findall(r"sha256:([0-9a-f]{64})", LOCK))


def test_every_image_has_a_version_and_can_be_pinned_by_its_digest() -> None:
    compose = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    example = (ROOT / "deploy" / "images.env.example").read_text(encoding="utf-8")
    images = dict(IMAGE_VARIABLE.findall(compose))
    assert len(images) == 3
    services = yaml.safe_load(compose)["services"].values()
    others = {service["image"] for service in services} - {"cardwatch"}
    assert all(IMAGE_VARIABLE.fullmatch(image) for image in others)
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert f"ARG PYTHON_IMAGE={images['CARDWATCH_PYTHON_IMAGE']}\n" in dockerfile
    assert set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) == {"${PYTHON_IMAGE}"}
    for name, image in images.items():
        assert IMAGE.fullmatch(image)
        assert f"\n{name}={image}@sha256:DIGEST\n" in example
