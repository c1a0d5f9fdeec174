"""Master keys, the keys of books and persons under them, and the rotation of the master.

A person is erased by destroying that person's key; a rotation wraps every key anew under another master. From
then on no old backup of any kind opens anything: not the data's, not the vault's, not a copy of a disk.
"""

import hmac
import json
import os
import stat
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes, token_hex
from typing import Final, Literal
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg2.extras import execute_values

from ledger.atomic_files import create_whole, sync_folder, write_out
from ledger.store.errors import KeyFileRefused, MasterKeyMissing, SubjectErased
from ledger.store.pool import Connection, Pool, act_as_owner

KEY_BYTES = 32
_NONCE_BYTES = 12
_NOT_SEEN = (0, 0, 0)
_MODE = 0o600
_OPEN_TO_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A key as the database may hold it, and the master key that opens it."""

    master_id: str
    wrapped: bytes


class MasterKeys:
    """The master keys of one file: the current one wraps, each still unwraps what it wrapped."""

    def __init__(self, keys: Mapping[str, bytes], current: str, path: Path | None = None) -> None:
        """`keys`: 32 bytes each, by their ids. `path`: where they are kept; None: nowhere, as in tests."""
        self._held = _Held(dict(keys), current)
        self._path = path
        self._seen: tuple[int, int, int] | None = _NOT_SEEN

    @classmethod
    def generate(cls) -> "MasterKeys":
        """Make one new key that no file keeps."""
        key_id = token_hex(8)
        return cls({key_id: token_bytes(KEY_BYTES)}, key_id)

    @classmethod
    def create(cls, path: Path) -> "MasterKeys":
        """Make the file, mode 0600, with one new key. Raises KeyFileRefused if there is one already."""
        key_id = token_hex(8)
        keys = cls({key_id: token_bytes(KEY_BYTES)}, key_id, path)
        try:
            create_whole(path, _written(keys._held), _MODE)
        except FileExistsError:
            message = (
                f"{path} exists already: a master key is never overwritten; move the file away if you mean it"
            )
            raise KeyFileRefused(message) from None
        return keys

    @classmethod
    def read(cls, path: Path) -> "MasterKeys":
        """Read the file. Raises KeyFileRefused when it is missing, malformed, or open to others."""
        held = _read(path)
        return cls(held.keys, held.current, path)

    @property
    def ids(self) -> frozenset[str]:
        """Ids of all keys held."""
        return frozenset(self._held.keys)

    @property
    def current(self) -> str:
        """Id of the key that wraps."""
        return self._held.current

    def read_again(self) -> None:
        """Take what the file holds now, if somebody rotated the keys meanwhile. Raises KeyFileRefused."""
        if self._path is not None and self._stamp() != self._seen:
            seen = self._stamp()
            self._held = _read(self._path)
            self._seen = seen

    def rotate(self) -> str:
        """Add a new key, make it the current one and return its id.

        What others wrapped is to be wrapped anew.
        """
        current = token_hex(8)
        self._rewrite(_Held(dict(self._held.keys) | {current: token_bytes(KEY_BYTES)}, current))
        return current

    def destroy(self, key_id: str) -> None:
        """Forget a key that is not the current one: whatever it still wraps is lost for ever."""
        if key_id == self.current:
            message = "the current master key cannot be destroyed: rotate first"
            raise KeyFileRefused(message)
        kept = {held: key for held, key in self._held.keys.items() if held != key_id}
        self._rewrite(_Held(kept, self.current))

    def wrap(self, key: bytes, purpose: str) -> WrappedKey:
        """Wrap a key with the current master key. `purpose` is bound in: elsewhere it does not open."""
        self.read_again()
        held, nonce = self._held, token_bytes(_NONCE_BYTES)
        sealed = AESGCM(held.keys[held.current]).encrypt(nonce, key, purpose.encode())
        return WrappedKey(held.current, nonce + sealed)

    def unwrap(self, key: WrappedKey, purpose: str) -> bytes:
        """Open a wrapped key. Raises MasterKeyMissing when its master is not held or does not open it."""
        master = self._held.keys.get(key.master_id)
        if master is None:
            self.read_again()
            master = self._held.keys.get(key.master_id)
        if master is None:
            message = f"the key file does not hold the master key {key.master_id}: restore it from your copy"
            raise MasterKeyMissing(message)
        try:
            return AESGCM(master).decrypt(
                key.wrapped[:_NONCE_BYTES], key.wrapped[_NONCE_BYTES:], purpose.encode()
            )
        except InvalidTag as error:
            message = (
                f"the master key {key.master_id} does not open {purpose}: the vault does not belong to "
                "this key file"
            )
            raise MasterKeyMissing(message) from error

    def _stamp(self) -> tuple[int, int, int] | None:
        """Return what differs between one state of the file and another; None: there is no file."""
        try:
            found = None if self._path is None else self._path.stat()
        except FileNotFoundError:
            return None
        return None if found is None else (found.st_ino, found.st_mtime_ns, found.st_size)

    def _rewrite(self, held: "_Held") -> None:
        """Replace the file in one step, so that a crash leaves the old one or the new one, never neither."""
        if self._path is not None:
            beside = self._path.with_name(self._path.name + ".new")
            beside.unlink(missing_ok=True)
            write_out(beside, _written(held), _MODE)
            with self._path.open("r+b") as old:
                beside.replace(self._path)
                sync_folder(self._path.parent)
                # What was replaced may hold a key that is to be gone. Where the disk does not write over it
                # in place (copy-on-write, flash), it is gone once the disk reclaims it.
                old.write(bytes(os.fstat(old.fileno()).st_size))
                old.flush()
                os.fsync(old.fileno())
        self._held = held
        self._seen = self._stamp()


@dataclass(frozen=True, slots=True)
class _Held:
    """The keys of a file as one picture: whoever reads while it is replaced sees the old or the new one."""

    keys: Mapping[str, bytes]
    current: str


def _read(path: Path) -> _Held:
    try:
        mode = path.stat().st_mode
        content = path.read_bytes()
    except OSError as error:
        message = f"the master key {path} cannot be read ({error.strerror}): restore it from your copy"
        raise KeyFileRefused(message) from error
    if mode & _OPEN_TO_OTHERS:
        message = f"the master key {path} is open to others than its owner: run `chmod 600 {path}`"
        raise KeyFileRefused(message)
    try:
        parsed = json.loads(content)
        keys = {key_id: b64decode(text, validate=True) for key_id, text in parsed["keys"].items()}
        current = str(parsed["current"])
    except (ValueError, KeyError, TypeError, AttributeError, NotBase64) as error:
        message = f"the master key {path} is malformed: restore it from your copy"
        raise KeyFileRefused(message) from error
    if current not in keys or any(len(key) != KEY_BYTES for key in keys.values()):
        message = f"the master key {path} is malformed: restore it from your copy"
        raise KeyFileRefused(message)
    return _Held(keys, current)


def _written(held: _Held) -> str:
    keys = {key_id: b64encode(key).decode() for key_id, key in held.keys.items()}
    return json.dumps({"current": held.current, "keys": keys}, indent=1)


Purpose = Literal["content", "directory", "subscriptions"]

_READ_BOOK_KEY = "select wrapped, master_id from vault.book_keys where book = %s and purpose = %s"

_ADD = """
insert into vault.book_keys (book, purpose, wrapped, master_id) values (%s, %s, %s, %s)
on conflict (book, purpose) do nothing
"""

_BOOK_KEYS_OF_OTHERS = """
select book, purpose, wrapped, master_id from vault.book_keys where master_id <> %s for update
"""

_WRAP_BOOK_KEY_ANEW = (
    "update vault.book_keys set wrapped = %s, master_id = %s where book = %s and purpose = %s"
)


class BookKeys:
    """Keys of books, made when first asked for and the same ever after, whatever master key wraps them."""

    def __init__(self, masters: MasterKeys) -> None:
        """`masters` wrap and unwrap the keys."""
        self._masters = masters
        self._opened: dict[tuple[str, Purpose], bytes] = {}

    def opened(self, book: str, purpose: Purpose) -> bytes | None:
        """Return a key that this process has opened before."""
        return self._opened.get((book, purpose))

    def key(self, connection: Connection, book: str, purpose: Purpose) -> bytes:
        """Return a book's key, made now if there is none. Raises MasterKeyMissing."""
        kept = self.kept(connection, book, purpose)
        if kept is not None:
            return kept
        fresh = self._masters.wrap(token_bytes(KEY_BYTES), _bound(book, purpose))
        with connection.cursor() as cursor:
            cursor.execute(_ADD, (book, purpose, fresh.wrapped, fresh.master_id))
        # Whoever was faster has the last word: what counts is what the vault holds.
        made = self.kept(connection, book, purpose)
        if made is None:
            message = f"the vault lost the {_bound(book, purpose)} while it was made: try again"
            raise MasterKeyMissing(message)
        return made

    def kept(self, connection: Connection, book: str, purpose: Purpose) -> bytes | None:
        """Return a book's key; None where the vault holds none. Raises MasterKeyMissing."""
        held = self._opened.get((book, purpose))
        if held is not None:
            return held
        with connection.cursor() as cursor:
            cursor.execute(_READ_BOOK_KEY, (book, purpose))
            found = cursor.fetchone()
        if found is None:
            return None
        key = self._masters.unwrap(WrappedKey(found[1], bytes(found[0])), _bound(book, purpose))
        self._opened[book, purpose] = key
        return key

    def rewrap(self, connection: Connection) -> int:
        """Wrap anew, with the current master key, all that older ones wrapped; how many."""
        with connection.cursor() as cursor:
            cursor.execute(_BOOK_KEYS_OF_OTHERS, (self._masters.current,))
            rows = cursor.fetchall()
            for book, purpose, wrapped, master_id in rows:
                bound = _bound(book, purpose)
                key = self._masters.unwrap(WrappedKey(master_id, bytes(wrapped)), bound)
                anew = self._masters.wrap(key, bound)
                cursor.execute(_WRAP_BOOK_KEY_ANEW, (anew.wrapped, anew.master_id, book, purpose))
            return len(rows)


def _bound(book: str, purpose: str) -> str:
    """Return the name of a key that its wrapping is bound to."""
    return f"{purpose} key of {book}"


def content_hmac(key: bytes, content: bytes) -> bytes:
    """Hash a command's content with its book's key, so that nothing in it can be guessed from the hash."""
    return hmac.digest(key, content, "sha256")


_READ_SUBJECT_KEYS = """
select person, key_id::text, wrapped, master_id from vault.subjects where book = %s and person = any(%s)
"""

# A person who is erased before anything personal was recorded is erased all the same: no key will be made.
_ERASE = """
insert into vault.subjects as known (book, person, key_id, erased_at, erased_because)
values (%(book)s, %(person)s, %(key_id)s, clock_timestamp(), %(because)s)
on conflict (book, person) do update
    set wrapped = null, master_id = null, erased_at = excluded.erased_at,
        erased_because = excluded.erased_because
    where known.wrapped is not null
"""

_SUBJECT_KEYS_OF_OTHERS = """
select book, person, wrapped, master_id from vault.subjects
where wrapped is not null and master_id <> %s
order by book, person limit %s for update
"""

_WRAP_SUBJECT_KEY_ANEW = """
update vault.subjects as known set wrapped = fresh.wrapped, master_id = fresh.master_id
from (values %s) as fresh (book, person, wrapped, master_id)
where (known.book, known.person) = (fresh.book, fresh.person) and known.wrapped is not null
"""

_REWRAP_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class SubjectKey:
    """A person's data key, with what the vault holds of it."""

    person: str
    key_id: UUID
    key: bytes
    wrapped: WrappedKey
    is_new: bool
    """Made just now: it goes into the vault with the commit that uses it."""


class SubjectKeys:
    """The persons' keys of all books, opened with the master keys.

    Nothing is kept in memory between calls.
    """

    def __init__(self, masters: MasterKeys) -> None:
        """`masters` wrap and unwrap the keys."""
        self._masters = masters

    def for_writing(
        self, connection: Connection, book: str, persons: Collection[str]
    ) -> Mapping[str, SubjectKey]:
        """Return each person's key, a new one for whoever has none. Raises SubjectErased."""
        known = dict(self._read(connection, book, persons))
        for person, found in known.items():
            if found is None:
                raise SubjectErased(person)
        return {person: known.get(person) or self._make(book, person) for person in persons}

    def for_reading(self, connection: Connection, book: str, persons: Collection[str]) -> Mapping[str, bytes]:
        """Return the keys of those persons who have one and are not erased."""
        return {
            person: found.key for person, found in self._read(connection, book, persons) if found is not None
        }

    def erase(self, connection: Connection, book: str, person: str, because: str) -> bool:
        """Destroy a person's key, for ever; False when it was destroyed before."""
        with connection.cursor() as cursor:
            cursor.execute(
                _ERASE, {"book": book, "person": person, "key_id": str(uuid4()), "because": because}
            )
            return cursor.rowcount == 1

    def rewrap(self, connection: Connection) -> int:
        """Wrap anew, with the current master key, a batch of what others wrapped; 0 when none is left."""
        with connection.cursor() as cursor:
            cursor.execute(_SUBJECT_KEYS_OF_OTHERS, (self._masters.current, _REWRAP_BATCH))
            fresh = []
            for book, person, wrapped, master_id in cursor.fetchall():
                purpose = _purpose(book, person)
                key = self._masters.unwrap(WrappedKey(master_id, bytes(wrapped)), purpose)
                anew = self._masters.wrap(key, purpose)
                fresh.append((book, person, anew.wrapped, anew.master_id))
            if fresh:
                execute_values(cursor, _WRAP_SUBJECT_KEY_ANEW, fresh, page_size=_REWRAP_BATCH)
            return len(fresh)

    def _read(
        self, connection: Connection, book: str, persons: Collection[str]
    ) -> Iterable[tuple[str, SubjectKey | None]]:
        """Read what the vault holds: None stands for an erased person, nothing for an unknown one."""
        with connection.cursor() as cursor:
            cursor.execute(_READ_SUBJECT_KEYS, (book, list(persons)))
            for person, key_id, wrapped, master_id in cursor.fetchall():
                if wrapped is None:
                    yield person, None
                    continue
                held = WrappedKey(master_id, bytes(wrapped))
                key = self._masters.unwrap(held, _purpose(book, person))
                yield person, SubjectKey(person, UUID(key_id), key, held, is_new=False)

    def _make(self, book: str, person: str) -> SubjectKey:
        key = token_bytes(KEY_BYTES)
        return SubjectKey(person, uuid4(), key, self._masters.wrap(key, _purpose(book, person)), is_new=True)


def _purpose(book: str, person: str) -> str:
    return f"subject key of {person} in {book}"


# Erasures and holds lock a book's key first too (ledger.privacy.persons). The tables' lock
# waits for all who wrap at the moment, and keeps others from it to the end.
_LOCK_BOOKS: Final = "select from vault.book_keys order by book, purpose for update"
_LOCK: Final = "lock table vault.subjects, vault.book_keys in share row exclusive mode"

_DESTROYED: Final = """
insert into vault.destroyed_masters (master_id) select unnest(%s) on conflict (master_id) do nothing
"""
_LEFT: Final = """
select (select count(*) from vault.subjects where master_id <> %(current)s)
     + (select count(*) from vault.book_keys where master_id <> %(current)s)
"""
_USED: Final = """
select master_id, count(*) from (
    select master_id from vault.subjects where master_id is not null
    union all select master_id from vault.book_keys
) as wrapped group by master_id
"""


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation of the master key did."""

    current: str
    destroyed: frozenset[str]
    persons: int
    """Whose key was wrapped anew."""
    book_keys: int


def rotate_masters(pool: Pool, masters: MasterKeys) -> Rotation:
    """Make a new master key, wrap everything anew with it, destroy the others.

    `pool`: connects as the role that migrates. The file holds both keys until the database has committed; a
    rotation that was broken off is finished by the next one, without a further key.
    Raises MasterKeyMissing when something is wrapped by a key that the file does not hold: then nothing is
    destroyed.
    """
    with pool.transaction() as connection:
        _lock(connection)
        masters.read_again()
        if masters.ids == {masters.current}:
            masters.rotate()
        persons, book_keys = _wrap_anew(connection, masters)
        with connection.cursor() as cursor:
            cursor.execute(_DESTROYED, (sorted(masters.ids - {masters.current}),))
    with pool.transaction() as connection:
        _lock(connection)  # Alone with the file again.
        masters.read_again()
        old = masters.ids - {masters.current}
        for key_id in old:
            masters.destroy(key_id)
    return Rotation(masters.current, old, persons, book_keys)


def wrapped_by(connection: Connection) -> dict[str, int]:
    """Count the keys that each master key wraps, all books together."""
    with connection.cursor() as cursor:
        cursor.execute(_USED)
        return dict(cursor.fetchall())


def _wrap_anew(connection: Connection, masters: MasterKeys) -> tuple[int, int]:
    subjects, persons = SubjectKeys(masters), 0
    while wrapped := subjects.rewrap(connection):
        persons += wrapped
    book_keys = BookKeys(masters).rewrap(connection)
    with connection.cursor() as cursor:
        cursor.execute(_LEFT, {"current": masters.current})
        [(left,)] = cursor.fetchall()
    if left:
        message = f"{left} keys of the vault could not be wrapped anew: nothing was destroyed; rotate again"
        raise MasterKeyMissing(message)
    return persons, book_keys


def _lock(connection: Connection) -> None:
    """Act as the vault's owner, and alone, until the transaction ends."""
    act_as_owner(connection)
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_BOOKS)
        cursor.execute(_LOCK)
