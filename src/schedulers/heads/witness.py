"""A witness (C2SP tlog-witness): it cosigns a head only if that extends every head which it has seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ledger.proofs.checkpoints import ConsistencyFile, from_decimal
from ledger.proofs.errors import BadNote, one_line
from ledger.proofs.notes import Cosignature, WitnessKey, cosignatures
from schedulers.heads.exchange import NoAnswer, post
from schedulers.heads.place import DaysHead, NotSent

SIZE_TYPE: Final = "text/x.tlog.size"
_OK: Final = 200
_CONFLICT: Final = 409
_LONGEST_TOLD: Final = 200


@dataclass(frozen=True, slots=True)
class Witness:
    """One witness, by the URL of its add-checkpoint, and the keys that its cosignatures bear."""

    url: str
    keys: Sequence[WitnessKey] = ()

    @property
    def name(self) -> str:
        """Its URL."""
        return self.url

    def take(self, given: DaysHead) -> str:
        """Let it cosign, from the size that it knows; keeps and gives its signature lines."""
        try:
            cosigned = self._add(given, given.sent_size)
        except _KnowsAnother as knows:
            if knows.size > given.head.size:
                message = (
                    f"it has seen a head of {knows.size} events, the log has {given.head.size}: the "
                    "database was put back; see coverledger doctor"
                )
                raise NotSent(message) from None
            try:
                cosigned = self._add(given, knows.size)
            except _KnowsAnother as error:
                message = (
                    f"it answers now {knows.size}, now {error.size} when asked for the size that it knows"
                )
                raise NotSent(message) from error
        given.keep_cosignatures(cosigned)
        return "".join(each.signature.line for each in cosigned).strip()

    def _add(self, given: DaysHead, old_size: int) -> list[Cosignature]:
        proof = given.proof_from(old_size) if old_size else []
        body = str(ConsistencyFile(old_size, tuple(proof), given.note)).encode()
        try:
            answer = post(self.url, body)
        except NoAnswer as error:
            message = f"it does not answer as a witness does ({error})"
            raise NotSent(message) from error
        said = answer.body.decode(errors="replace").strip()
        if answer.status == _CONFLICT and answer.content_type == SIZE_TYPE:
            size = from_decimal(said)
            if size is not None:
                raise _KnowsAnother(size)
        if answer.status != _OK:
            message = f"it answered {answer.status}: {one_line(said[:_LONGEST_TOLD])}"
            raise NotSent(message)
        return self._cosignatures(answer.body, given)

    def _cosignatures(self, answer: bytes, given: DaysHead) -> list[Cosignature]:
        """Read the cosignatures by this witness's keys; lines of others are passed over. Raises NotSent."""
        try:
            cosigned = cosignatures(f"{given.head.text}\n{answer.decode()}", self.keys)
        except (BadNote, UnicodeDecodeError) as error:
            message = f"it answered no signature lines that fit the head ({one_line(str(error))})"
            raise NotSent(message) from error
        if cosigned:
            return cosigned
        if not self.keys:
            message = (
                "it answered, and that counts for nothing, for its key is not set: "
                "COVERLEDGER_WITNESSES=URL#NAME+ID+KEY"
            )
            raise NotSent(message)
        wanted = ", ".join(key.label for key in self.keys)
        message = f"it answered no signature lines by its key ({wanted})"
        raise NotSent(message)


class _KnowsAnother(Exception):
    """The witness's newest head of this log has another size than the one that we started from."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size
