"""Shapes of `subject … --json`."""

from typing import TYPE_CHECKING

from ledger.commands.subject_options import instant

if TYPE_CHECKING:
    from ledger.subjects.access_log import AccessLine
    from ledger.subjects.erasing import Erasure
    from ledger.subjects.exporting import Export, Subject
    from ledger.subjects.held_streams import HeldStream
    from ledger.subjects.vault_entries import VaultEntry

Written = dict[str, object]


def erasure_written(erasure: "Erasure") -> Written:
    """Write what an erasure did."""
    return {
        "person": erasure.person,
        "status": "erased_before" if erasure.before else "erased",
        "erased_at": instant(erasure.erased_at),
        "erased_because": erasure.because,
        "streams": list(erasure.streams),
        "events": [
            {"stream": event.stream.name, "version": event.version, "type": event.type}
            for event in erasure.events
        ],
    }


def export_written(exported: "Export") -> Written:
    """Write all that is held on a person."""
    streams = [
        _stream(held)
        | {
            "events": [
                event._asdict()
                | {
                    "effective_on": event.effective_on.isoformat(),
                    "at": instant(event.at),
                    "recorded_at": instant(event.recorded_at),
                }
                for event in events
            ]
        }
        for held, events in exported.events
    ]
    return subject_written(exported.subject) | {"streams": streams}


def subject_written(found: "Subject") -> Written:
    """Write where a person's values are, none of them opened."""
    key: Written = (
        {"person": found.person, "status": "key_missing"}
        if found.vault is None
        else vault_written(found.vault)
    )
    return key | {
        "streams": [_stream(held) for held in found.streams],
        "holds": [
            {
                "contract": hold.contract,
                "placed_at": instant(hold.placed_at),
                "placed_by": hold.placed_by,
                "because": hold.because,
            }
            for hold in found.holds
        ],
        "accesses": [access_written(line) for line in found.accesses],
    }


def vault_written(entry: "VaultEntry") -> Written:
    """Write what the vault says of a person."""
    return {
        "person": entry.person,
        "status": "known" if entry.erased_at is None else "erased",
        "key_id": entry.key_id,
        "created_at": instant(entry.created_at),
        "erased_at": instant(entry.erased_at),
        "erased_because": entry.erased_because,
    }


def _stream(held: "HeldStream") -> Written:
    return {"stream": held.stream.name, "role": held.role, "contract": held.contract.number}


def access_written(line: "AccessLine") -> Written:
    """Write one line of the access log."""
    return {
        "at": instant(line.at),
        "who": line.who,
        "what": line.what,
        "why": line.why,
        "person": line.person,
        "stream": line.stream,
    }
