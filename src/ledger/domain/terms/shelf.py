"""The versions of all products' terms, as they ship with the package."""

import tomllib
from functools import cache
from importlib.resources import files

from ledger.domain.refusals import Invalid
from ledger.domain.terms.model import Terms


@cache
def _shelf() -> dict[str, dict[str, Terms]]:
    shelf: dict[str, dict[str, Terms]] = {}
    pages = [page for page in files(__package__).iterdir() if page.name.endswith(".toml")]
    for page in sorted(pages, key=lambda page: page.name):
        terms = Terms.model_validate(tomllib.loads(page.read_text(encoding="utf-8")))
        shelf.setdefault(terms.product, {})[terms.version] = terms
    return shelf


@cache
def load_terms(product: str, version: str | None = None) -> Terms:
    """Give one version of a product's terms, by default the newest. Raises Invalid for none (D19)."""
    versions = _shelf().get(product)
    if versions is None:
        message = f"product: {product!r} does not exist; it must be one of {', '.join(sorted(_shelf()))}"
        raise Invalid(message)
    if version is None:
        # Versions are whole numbers in rising order.
        version = max(versions, key=int)
    if version not in versions:
        known = ", ".join(sorted(versions, key=int))
        message = f"terms: {product} has no version {version!r}; it must be one of {known}"
        raise Invalid(message)
    return versions[version]
