"""A whole log as a folder: what an auditor takes away, written and verified."""

from ledger.feed.proofs.bundle.verify import BundleProof, verify_bundle
from ledger.feed.proofs.bundle.write import write_bundle

__all__ = ["BundleProof", "verify_bundle", "write_bundle"]
