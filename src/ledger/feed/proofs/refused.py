"""What is raised when something does not prove what it claims. Each message is one line for the user."""


class ProofRefused(Exception):
    """Something does not prove what it claims."""


class BadProof(ProofRefused):
    """An inclusion or consistency proof, or its file, does not verify."""


class BadNote(ProofRefused):
    """A signed note, a verifier key or a checkpoint is malformed, or no trusted key has signed it."""


class BadTile(ProofRefused):
    """A tile or a bundle of entries is missing, malformed, or not part of the tree."""


class BadLeaf(ProofRefused):
    """A leaf is not the canonical JSON of the leaf's fields."""


class BrokenChain(ProofRefused):
    """A leaf does not follow on the one before it in its stream."""


class KeyFileRefused(ProofRefused):
    """A key file is missing, malformed, or open to others than its owner."""


class LogForked(ProofRefused):
    """The log does not extend a head that has been signed already. Nothing may be signed on it."""

    may_be_logged = True


class BundleBroken(ProofRefused):
    """A bundle does not hold what its signed head says.

    `position` is the first bad position, or the first that is not proven any more; None where a file
    outside the log (the README, a schema) is at fault. `path` names the file inside the bundle.
    """

    def __init__(self, position: int | None, path: str, reason: str) -> None:
        """Join position, file and reason into one line."""
        self.position, self.path, self.reason = position, path, reason
        place = path if position is None else f"position {position} ({path})"
        super().__init__(f"{place}: {reason}")
