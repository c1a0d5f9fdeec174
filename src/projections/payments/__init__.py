"""Every movement of money on a claim: refunds paid, failed and taken back, and what third parties paid."""
