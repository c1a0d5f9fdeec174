"""Why a caller is not let in, or not to where it wants."""


class NotAdmitted(Exception):
    """The credential is none of ours, or not any more. The message says which, and never what it was."""


class RoleMissing(NotAdmitted):
    """Whoever it is, nobody gave them a role of the ledger."""


class RoleUnknown(Exception):
    """A role that does not exist was asked for."""
