"""The pages that stand at fixed addresses, and who may see which."""

READ = (
    "/",
    "/contracts",
    "/contracts/CC-1",
    "/contracts/CC-1/replay",
    "/contracts/CC-1/proof",
    "/claims",
    "/claims/K-1",
    "/claims/K-1/replay",
    "/complaints",
    "/complaints/X-1",
    "/complaints/X-1/replay",
    "/due",
    "/due/calendar",
    "/letters",
    "/retention",
    "/reports",
    "/reports/refunds",
    "/reports/refunds.csv",
    "/reports/refunds.xlsx",
    "/verify",
    "/verify/head",
    "/verify/progress",
    "/cancellations",
)


RIGHT_OF = (
    dict.fromkeys(READ, "read")
    | dict.fromkeys(("/contracts/new", "/claims/new", "/complaints/new"), "command")
    | {"/feed": "feed", "/feed/subscriptions": "administer"}
)


ROLES = {
    "auditor": {"read", "feed", "names"},
    "back_office": {"read", "feed", "names", "command"},
    "importer": {"read", "command"},
    "subscriber": {"feed"},
    "monitor": set(),
    "admin": {"read", "feed", "names", "command", "administer"},
}
