"""``make package``: what wheel and sdist hold, and whether the wheel works in an Airflow without our tools.

Usage: python scripts/check_package.py FOLDER PINS
"""

import re
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PACKAGE: Final = "airflow_provider_osonsms"
NOT_IN_SDIST: Final = {".ci/run"}
RELATIVE_LINK: Final = re.compile(r"\]\((?!https?:|#)[^)]*\)")
FIRST_STEPS: Final = f"""
import importlib, pkgutil
import {PACKAGE} as package
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if module.name not in ("{PACKAGE}.simulator.__main__", "{PACKAGE}.simulator.pytest_plugin"):
        importlib.import_module(module.name)
"""


def main(folder: Path, pins: Path) -> None:
    """Check the packages of *folder*; the wheel is installed with *pins*."""
    tracked = set(run("git", "ls-files", cwd=ROOT).splitlines())
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        info = {name for name in names if ".dist-info/" in name}
        (metadata,) = (archive.read(name).decode() for name in info if name.endswith("/METADATA"))
    compare("wheel", names - info, {name for name in tracked if name.startswith(f"{PACKAGE}/")})
    written = {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}
    compare("wheel's metadata", {name.partition(".dist-info/")[2] for name in info}, written)
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    compare("sdist", names, (tracked - NOT_IN_SDIST) | {"PKG-INFO"})
    if found := RELATIVE_LINK.findall(metadata):
        sys.exit(f"a package index knows no file of this repository, and the long description names {found}")
    with tempfile.TemporaryDirectory() as place:
        try_wheel(wheel, pins, Path(place))
    print(
        f"{wheel.name} and {sdist.name} hold what they should; a bare Airflow lists and imports the provider"
    )


def try_wheel(wheel: Path, pins: Path, place: Path) -> None:
    """Install the wheel, with what it depends on and nothing else, and let Airflow find it."""
    venv.create(place / "venv", with_pip=True)
    python = place / "venv/bin/python"
    run(
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-c",
        pins.resolve(),
        wheel.resolve(),
    )
    env = {"AIRFLOW_HOME": str(place), "HOME": str(place), "PATH": f"{place}/venv/bin"}
    providers = run(place / "venv/bin/airflow", "providers", "list", "--output", "plain", cwd=place, env=env)
    if "airflow-provider-osonsms" not in providers:
        sys.exit(f"Airflow does not list the provider:\n{providers}")
    run(python, "-W", "error::ImportWarning", "-c", FIRST_STEPS, cwd=place, env=env)


def compare(what: str, found: set[str], expected: set[str]) -> None:
    """Stop if *found* is not what is expected."""
    if found != expected:
        sys.exit(f"{what}: too much {sorted(found - expected)}, missing {sorted(expected - found)}")


def run(*command: str | Path, **options: object) -> str:
    """Run a command to its end, and return what it has written."""
    result = subprocess.run(command, text=True, capture_output=True, check=False, **options)
    if result.returncode:
        sys.exit(f"{command[0]} failed:\n{result.stdout[-3000:]}{result.stderr[-3000:]}")
    return result.stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
