"""Figures that count a whole book, kept for the position that they are as of: there they never change."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any, Final, TypeVar, cast

from projections.asking.reader import Reader
from projections.folding.generations import live
from projections.folding.view import View

MOST_ANSWERS: Final = 256

Answer = TypeVar("Answer")

_answers: OrderedDict[tuple[object, ...], object] = OrderedDict()
_lock = Lock()


def remembered(reader: Reader, view: View[Any], question: object, compute: Callable[[], Answer]) -> Answer:
    """Give the answer to a question on a view as of the reader's position; computed once for each position.

    A view that was rebuilt is asked anew: its rows are of another generation. `question`: what is asked, in
    words that tell it from every other; a dataclass or a tuple of them.
    """
    if reader.on is not None:
        return compute()
    standing = live(reader.connection, reader.book, view.name)
    generation = None if standing is None else standing.generation
    key = (reader.connection.dsn, reader.book, view.name, generation, reader.position, repr(question))
    with _lock:
        if key in _answers:
            _answers.move_to_end(key)
            return cast("Answer", _answers[key])
    answer = compute()
    with _lock:
        _answers[key] = answer
        while len(_answers) > MOST_ANSWERS:
            _answers.popitem(last=False)
    return answer
