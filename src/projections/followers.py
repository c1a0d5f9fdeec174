"""What the read side follows the feed with, and how `verify` checks what that made; by their stored names."""

from collections.abc import Mapping
from typing import Any, Final

from ledger.app import App, FollowerFactory, ViewCheck
from ledger.verification.findings import CheckedView, OnProgress
from projections.maintenance.checks import check_view
from projections.maintenance.rebuild import KeptView
from projections.runner.view import View
from projections.views.directory import NAME as DIRECTORY
from projections.views.directory import DirectoryFollower, check_directory
from projections.views.registry import VIEWS


def _follower(view: View[Any]) -> FollowerFactory:
    return lambda app: KeptView(view, app.book)


def _check(view: View[Any]) -> ViewCheck:
    def check(app: App, progress: OnProgress) -> CheckedView:
        return check_view(app, view, progress)

    return check


FOLLOWERS: Final[Mapping[str, FollowerFactory]] = {
    **{name: _follower(view) for name, view in VIEWS.items()},
    DIRECTORY: lambda app: DirectoryFollower(lambda: app.store, app.book),
}

VIEW_CHECKS: Final[Mapping[str, ViewCheck]] = {
    **{name: _check(view) for name, view in VIEWS.items()},
    DIRECTORY: check_directory,
}
