"""A bundle of ours, written once for all verifiers."""

import pytest
from our_bundle import OurBundle, write_our_bundle


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> OurBundle:
    return write_our_bundle(tmp_path_factory.mktemp("ours") / "bundle")
