"""Product terms as versioned data, and the model that validates them.

A rule of the product that may change is a field here, not a constant; a contract keeps the version that it
was concluded under.
"""

from ledger.domain.terms.model import Contact, Document, GuaranteeTerms, Periods, Readings, Terms
from ledger.domain.terms.shelf import load_terms

__all__ = ["Contact", "Document", "GuaranteeTerms", "Periods", "Readings", "Terms", "load_terms"]
