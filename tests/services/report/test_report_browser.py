import json
import shutil
import subprocess
from pathlib import Path

import pytest
from report_world import CODEC, NAME, story
from test_report_page import facts

from services.report.log import read
from services.report.page import page

_ITSELF = "not an origin"
CHROMIUM = shutil.which("chromium")


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (Debian: apt-get install chromium)")
def test_a_real_browser_shows_a_report_without_the_network_and_without_complaints(tmp_path: Path) -> None:
    file, net = tmp_path / "report.html", tmp_path / "net.json"
    file.write_text(page(facts(read(story().broker, CODEC, NAME))), encoding="utf-8")
    shown, errors = browse(tmp_path, file, net)
    assert "Synthetic share over time" in shown
    assert shown.count("<svg") == 16
    assert "CONSOLE" not in errors
    assert requested(net) == set()


def test_the_browser_test_would_see_a_request_and_a_complaint(tmp_path: Path) -> None:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    file, net = tmp_path / "bad.html", tmp_path / "net.json"
    file.write_text("<script src='http://127.0.0.1:9/a.js'></script><script>console.error('no')</script>")
    _, errors = browse(tmp_path, file, net)
    assert "CONSOLE" in errors
    assert "http://127.0.0.1:9/a.js" in requested(net)


def browse(folder: Path, file: Path, net: Path) -> tuple[str, str]:
    """Return the page's tree after it was shown, and what the browser wrote to its log."""
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",  # the browser itself stays on this machine too
        f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr", f"--log-net-log={net}",
        "--dump-dom", file.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout, done.stderr


def requested(net: Path) -> set[str]:
    """Return what the page asked for, by the browser's own log of its network; `_ITSELF` is no page."""
    told = [each.get("params", {}) for each in json.loads(net.read_text())["events"]]
    return {each["url"] for each in told if "url" in each and each.get("initiator", _ITSELF) != _ITSELF}
