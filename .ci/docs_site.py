"""What the docs' site shows beside docs/: the root's pages, lists of folders, modules that are linked.

A hook of mkdocs (see mkdocs.yml). Links stay as GitHub reads them; here they lead to where the site has
their target.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
FROM_ROOT = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
FOLDERS = {
    "decisions": (
        "Decisions",
        "Why something is as it is: what was asked, what was chosen, and why not otherwise.",
    ),
    "views": ("Views", "What the read side offers, each as commands, over HTTP, in files, and in SQL."),
}
LINK = re.compile(r"(\]\()([^)#\s]*)(#[^)\s]*)?\)")
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; worker-src 'self' blob:"
)
"""Keeps a browser from asking anybody else, whatever a script of the theme would like."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put all pages of a folder below its list, so that a new page needs no line in mkdocs.yml."""
    config.nav = [_with_folder_pages(entry) for entry in config.nav or []]
    return config


def _with_folder_pages(entry: Any) -> Any:  # noqa: ANN401  # whatever YAML may say there
    if isinstance(entry, list):
        return [_with_folder_pages(each) for each in entry]
    if isinstance(entry, dict):
        return {title: _with_folder_pages(below) for title, below in entry.items()}
    folder = str(entry).removesuffix("/index.md")
    if folder not in FOLDERS:
        return entry
    return [entry, *(path.relative_to(DOCS).as_posix() for path in _pages_of(folder))]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that docs/ does not hold."""
    for source, page in FROM_ROOT.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    for folder in FOLDERS:
        files.append(File.generated(config, f"{folder}/index.md", content=_list_of(folder)))
    for path in sorted(_linked_sources()):
        files.append(File.generated(config, _source_page(path), content=_listing(path)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Lead each link to where the site has its target."""
    here = page.file.src_uri
    if here == "index.md":
        page.meta["hide"] = ["navigation"]
    written_in = next((source for source, at in FROM_ROOT.items() if at == here), f"docs/{here}")

    def lead(link: re.Match[str]) -> str:
        opening, target, heading = link[1], link[2], link[3] or ""
        if not target or re.match(r"[a-z]+:", target):
            return link[0]
        path = _target(ROOT / written_in, target)
        return f"{opening}{os.path.relpath(_place(path), Path(here).parent)}{heading})"

    return LINK.sub(lead, markdown)


def on_post_page(output: str, **_: object) -> str:
    """Add the policy that keeps a browser on the site."""
    return output.replace(
        "<head>", f'<head><meta http-equiv="Content-Security-Policy" content="{POLICY}">', 1
    )


def on_post_template(output_content: str, template_name: str, **_: object) -> str:
    """Add the policy to pages that are no document, such as the one for what is not found."""
    return on_post_page(output_content) if template_name.endswith(".html") else output_content


def _target(document: Path, link: str) -> Path:
    return Path(os.path.normpath(document.parent / link))


def _place(path: Path) -> str:
    """Return where the site has a file or folder of the repository."""
    inside = path.relative_to(ROOT).as_posix()
    if inside in FROM_ROOT:
        return FROM_ROOT[inside]
    if inside.startswith("docs/"):
        return inside.removeprefix("docs/") + ("/index.md" if path.is_dir() else "")
    return _source_page(path)


def _source_page(path: Path) -> str:
    return f"source/{path.relative_to(ROOT).as_posix()}.md"


def _linked_sources() -> set[Path]:
    documents = [*DOCS.rglob("*.md"), *(ROOT / name for name in FROM_ROOT)]
    linked = {
        _target(document, link[2])
        for document in documents
        for link in LINK.finditer(document.read_text(encoding="utf-8"))
    }
    return {path for path in linked if path.is_file() and path.is_relative_to(ROOT) and path.suffix == ".py"}


def _listing(path: Path) -> str:
    name = path.relative_to(ROOT).as_posix()
    code = path.read_text(encoding="utf-8")
    return f"---\nsearch: {{exclude: true}}\nhide: [toc]\n---\n# `{name}`\n\n``````python\n{code}``````\n"


def _pages_of(folder: str) -> Iterable[Path]:
    return sorted(path for path in (DOCS / folder).glob("*.md") if path.name != "index.md")


def _list_of(folder: str) -> str:
    title, about = FOLDERS[folder]
    pages = [
        (path.name, path.read_text(encoding="utf-8").split("\n", 1)[0].removeprefix("# "))
        for path in _pages_of(folder)
    ]
    return f"# {title}\n\n{about}\n\n" + "".join(f"- [{heading}]({name})\n" for name, heading in pages)
