"""What is raised when something does not prove what it claims. Each message is one line for the user."""

_LONGEST_LINE = 1_000


def one_line(text: str) -> str:
    """Return text as one line of bounded length that a terminal shows as it is.

    What others wrote into a file may stand in it: control characters, line ends and marks of direction are
    written as escapes.
    """
    cut = text if len(text) <= _LONGEST_LINE else f"{text[:_LONGEST_LINE]}…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


class ProofRefused(Exception):
    """Something does not prove what it claims."""

    def __init__(self, message: str) -> None:
        """Keep the message as one line."""
        super().__init__(one_line(message))


class BadProof(ProofRefused):
    """An inclusion or consistency proof, or its file, does not verify."""


class BadNote(ProofRefused):
    """A signed note, a verifier key or a checkpoint is malformed, or no trusted key has signed it."""


class BadTile(ProofRefused):
    """A tile or a bundle of entries is missing, malformed, or not part of the tree."""


class BadLeaf(ProofRefused):
    """A leaf is not the canonical JSON of the leaf's fields."""


class BrokenChain(ProofRefused):
    """A leaf does not follow on the one before it in its stream.

    `cut_from`: where versions are missing before it, the first place in the log at which they can have stood.
    """

    def __init__(self, message: str, cut_from: int | None = None) -> None:
        """Keep the place with the message."""
        super().__init__(message)
        self.cut_from = cut_from


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
