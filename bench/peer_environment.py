"""The virtual environment of Quix Streams, which pins an older confluent-kafka; made once in the user's cache."""

import subprocess
import sys
import venv
from pathlib import Path

from services import settings

VERSION = "3.28.1"
# Exact: where its pin of confluent-kafka can't be met, pip would fall back to 0.5.7, an unrelated program.
_REQUIREMENTS = [f"quixstreams=={VERSION}", "fastavro==1.13.1"]


def python() -> Path:
    """Return the interpreter that has Quix Streams; installs it where it is not there yet."""
    folder = settings.read().cache / "bench" / f"quix-{VERSION}"
    interpreter = folder / "bin" / "python"
    if not (folder / "ready").exists():
        print(f"Installing Quix Streams {VERSION} into {folder} ...", file=sys.stderr)
        venv.create(folder, clear=True, with_pip=True)
        subprocess.run([interpreter, "-m", "pip", "install", "--quiet", *_REQUIREMENTS], check=True)
        (folder / "ready").touch()
    return interpreter
