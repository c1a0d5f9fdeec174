"""The program `coverledger`: its command line, put together from what the packages and plug-ins register.

Of a verb nothing is loaded before it is asked for, so that `--help` answers at once.
"""

import sys
from collections.abc import Sequence
from types import ModuleType

import click

from coverledger.composition import compose
from ledger.errors import CliError, Rejected, Unavailable, UsageError
from ledger.registry import Registry

STOPPED_BY_KEYBOARD = 130
"""Exit code of a program that Ctrl-C ended, as shells have it."""


class RegisteredVerbs(click.Group):
    """The verbs of a registry, each loaded when it is asked for."""

    def __init__(self, registry: Registry, name: str, *, help: str) -> None:  # noqa: A002  # click's own word
        """Hold them; each of them finds the registry in its context."""
        super().__init__(
            name,
            help=help,
            no_args_is_help=True,
            context_settings={
                "obj": registry,
                "help_option_names": ["-h", "--help"],
                "max_content_width": 110,
            },
        )
        self._registry = registry

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's own signature
        """Return every verb's name, in alphabetical order."""
        return sorted(self._registry.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # as above
        """Load the verb of this name, or the group."""
        verb = self._registry.verbs.get(cmd_name)
        return None if verb is None else verb.load(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # as above
        """List the verbs by what is registered of them, and load none."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.summary) for name, verb in sorted(self._registry.verbs.items())])


def program() -> click.Command:
    """Put the whole command line together."""
    verbs = RegisteredVerbs(
        compose(),
        "coverledger",
        help=(
            "Claims ledger: the ledger decides, projections show, schedulers remind.\n\n"
            "\b\nFirst steps:\n"
            "  coverledger up --demo          the running ledger with a sample book\n"
            "  coverledger import book.jsonl  load a book of commands\n"
            "  coverledger limits --contract C-1\n"
            "  coverledger due --status open"
        ),
    )
    return click.version_option(package_name="coverledger")(verbs)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and give its exit code; what goes wrong is said in one line on stderr."""
    try:
        outcome = program().main(args=arguments, prog_name="coverledger", standalone_mode=False)
    except BrokenPipeError:
        # The reader of our output went away (`| head`): that is its right, not an error.
        from ledger.cli.output import discard_output  # noqa: PLC0415  # loaded by what printed

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


if __name__ == "__main__":
    main()
