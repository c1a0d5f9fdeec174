"""The site that `make docs` builds: no link is broken, and nothing in it asks anybody else for anything."""

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from architecture.sources import ROOT

FETCHED = {"src", "srcset", "poster", "data", "action"}
"""Attributes whose address a browser asks for by itself; of `href` those of `<link>`."""


def build(into: Path, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "mkdocs",
            "build",
            "--strict",
            "--config-file",
            root / "mkdocs.yml",
            "--site-dir",
            into,
        ],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` builds it: strictly, so that a broken link or anchor ends it."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    built = build(folder)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


class Addresses(HTMLParser):
    """What a page makes a browser fetch, and the policy that it is under."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.policies: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.fetched += [value for name, value in given.items() if name in FETCHED]
        if tag == "link":
            self.fetched.append(given["href"])
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policies.append(given["content"])


def test_no_page_fetches_anything_from_elsewhere(site: Path) -> None:
    pages = {page: Addresses(page) for page in site.rglob("*.html")}
    assert len(pages) > 40
    assert min(len(addresses.fetched) for addresses in pages.values()) > 3
    elsewhere = [url for page in pages.values() for url in page.fetched if re.match(r"[a-z]+:|//", url)]
    assert elsewhere == []


def test_no_style_fetches_anything_from_elsewhere(site: Path) -> None:
    styles = [style.read_text(encoding="utf-8") for style in site.rglob("*.css")]
    assert len(styles) >= 3
    assert re.findall(r"(?:url\(|@import )[\"']?(?:https?:)?//[^)\"']+", "".join(styles)) == []


def test_every_page_forbids_its_scripts_to_ask_elsewhere(site: Path) -> None:
    # The theme's script could: for a diagram's library, or for the figures of a repository.
    policies = {policy for page in site.rglob("*.html") for policy in Addresses(page).policies or ["none"]}
    [policy] = policies
    assert policy.startswith("default-src 'self'; ")
    assert "http" not in policy


def test_a_broken_link_and_a_broken_anchor_end_the_build(tmp_path: Path) -> None:
    for name in ("mkdocs.yml", "README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("docs", ".ci"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("src", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    with (tmp_path / "docs" / "glossary.md").open("a", encoding="utf-8") as page:
        page.write("\n[gone](gone.md) and [nowhere](settings.md#nowhere)\n")

    built = build(tmp_path / "site", tmp_path)

    assert built.returncode == 1
    assert "gone.md" in built.stderr
    assert "nowhere" in built.stderr
    assert "Aborted with 2 warnings" in built.stderr + built.stdout
