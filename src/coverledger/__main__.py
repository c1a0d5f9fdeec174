"""The program `coverledger`: one command line put together from what each package registers.

Each entry point of the group `coverledger.commands` is a click command or group. Its name is the
path at which it stands: `due` at the top, `contract show` inside the group `contract`. Several
packages may add to one group. Only what is asked for is loaded.
"""

import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import cast

import click

from ledger.cli.output import discard_output
from ledger.errors import CliError, Rejected, Unavailable, UsageError

COMMANDS_GROUP = "coverledger.commands"
STOPPED_BY_KEYBOARD = 130
"""Exit code of a program that Ctrl-C ended, as shells have it."""

GROUP_HELP = {
    "contract": "Contracts: start, notice, termination letters; show, list, history.",
    "claim": "Claims: open, identify, accept, refund; show, list, history.",
    "complaint": "Complaints: lodge, answer, escalate; show, list, history.",
    "projections": "The views: list them, rebuild them.",
    "report": "Reports: refunds, money, reserves, the monthly bordereau, figures by guarantee.",
    "person": "Find persons by name.",
    "cancellations": "What customers sent on the site's cancellation form.",
    "deadlines": "Deadlines: the diary, the sweep, the digest, the run-off, retention.",
    "letters": "Letters: prepare them, hand them over, confirm their posting.",
    "keys": "Master and signing keys.",
    "subject": "One person's data: erase, export, hold.",
    "token": "Who may call over HTTP: tokens and sign-in links.",
    "subscriptions": "Who is told of events, and how that goes.",
    "parked": "What could not be handled, and trying it again.",
}
"""Said for a group that no package describes itself."""


class ComposedGroup(click.Group):
    """A group whose commands are entry points, loaded when they are asked for."""

    def __init__(
        self, name: str, points: Sequence[tuple[tuple[str, ...], EntryPoint]], **rest: object
    ) -> None:
        """Hold these entry points, each with the path that is left of its name below this group."""
        super().__init__(name, **rest)  # type: ignore[arg-type]  # click's own keywords, passed through
        self._points = points

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return every command's name, in alphabetical order."""
        names = {path[0] for path, _ in self._points if path}
        for path, point in self._points:
            if not path:
                names.update(cast("click.Group", point.load()).list_commands(ctx))
        return sorted(names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load the command of this name; several entry points of one name become one group."""
        below = [(path[1:], point) for path, point in self._points if path and path[0] == cmd_name]
        leaves = [point for path, point in below if not path]
        deeper = [(path, point) for path, point in below if path]
        if leaves and not deeper and len(leaves) == 1:
            return cast("click.Command", leaves[0].load())
        if below:
            loaded = [cast("click.Command", point.load()) for point in leaves]
            said = next((command.help for command in loaded if command.help), GROUP_HELP.get(cmd_name))
            return ComposedGroup(cmd_name, below, help=said, no_args_is_help=True)
        for path, point in self._points:
            if not path:
                found = cast("click.Group", point.load()).get_command(ctx, cmd_name)
                if found is not None:
                    return found
        return None


def program() -> click.Group:
    """Put the whole command line together."""
    points = [(tuple(point.name.split()), point) for point in entry_points(group=COMMANDS_GROUP)]
    group = ComposedGroup(
        "coverledger",
        points,
        help=(
            "Claims ledger: the ledger decides, projections show, schedulers remind.\n\n"
            "\b\nFirst steps:\n"
            "  coverledger up --demo          the running ledger with a sample book\n"
            "  coverledger import book.jsonl  load a book of commands\n"
            "  coverledger limits --contract C-1\n"
            "  coverledger due --status open"
        ),
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )
    return cast("click.Group", click.version_option(package_name="coverledger")(group))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and give its exit code; what goes wrong is said in one line on stderr."""
    try:
        outcome = program().main(args=arguments, prog_name="coverledger", standalone_mode=False)
    except BrokenPipeError:
        # The reader of our output went away (`| head`): that is its right, not an error.
        discard_output()
        return 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return error.exit_code
    except (Exception, KeyboardInterrupt) as error:
        said = _said(error)
        if said is None:
            raise
        message, exit_code = said
        click.echo(f"Error: {' '.join(message.split())}", err=True)
        return exit_code
    return outcome if isinstance(outcome, int) else 0


def _said(error: BaseException) -> tuple[str, int] | None:
    """Put an error into one line and an exit code; None for a defect of ours."""
    match error:
        case CliError():
            return str(error), error.exit_code
        case click.UsageError():
            at = error.ctx.command_path if error.ctx else "coverledger"
            return f"{error.format_message()} (see: {at} --help)", error.exit_code
        case click.ClickException():
            return error.format_message(), error.exit_code
        case UnicodeEncodeError():
            return (
                "The command line holds bytes that are no UTF-8 text: write it in UTF-8.",
                UsageError.exit_code,
            )
        case click.Abort() | KeyboardInterrupt():
            return "Stopped by the keyboard.", STOPPED_BY_KEYBOARD
    return _said_of_database(error)


def _said_of_database(error: BaseException) -> tuple[str, int] | None:
    """Put what store, driver or proofs say into one line; what was never loaded cannot have said it."""
    store, driver = sys.modules.get("ledger.store.errors"), sys.modules.get("psycopg2")
    if store is not None and isinstance(error, store.StoreError):
        away = isinstance(error, store.DatabaseUnavailable | store.OutcomeUnknown)
        return str(error), Unavailable.exit_code if away else Rejected.exit_code
    proofs = sys.modules.get("ledger.proofs.errors")
    if proofs is not None and isinstance(error, proofs.ProofRefused):
        return str(error), Rejected.exit_code
    followers = sys.modules.get("ledger.feed.followers")
    if followers is not None and isinstance(error, followers.GapFound):
        return str(error), Rejected.exit_code
    return None if driver is None else _said_by_driver(driver, error)


def _said_by_driver(driver: ModuleType, error: BaseException) -> tuple[str, int] | None:
    """Put what the database itself says into one line."""
    said = " ".join(str(error).split())
    if isinstance(error, driver.errors.InsufficientPrivilege):
        message = (
            f"The database's login may not do this ({said}): use one that is a member of the role for it, "
            "and the sealer's as COVERLEDGER_SEALER_DSN (docs/production.md); `coverledger doctor` looks."
        )
        return message, Rejected.exit_code
    if isinstance(error, driver.errors.ReadOnlySqlTransaction):
        message = f"The database takes no writes now ({said}): name the primary in COVERLEDGER_DSN."
        return message, Unavailable.exit_code
    if isinstance(error, driver.OperationalError | driver.InterfaceError):
        return f"The ledger's database went away ({said}): start it, and try again.", Unavailable.exit_code
    return None


def main() -> None:
    """Run the program for the console script."""
    sys.exit(run())
