"""What the schema is made of, as the database itself tells it, and how that departs from the migrations.

`catalogue.json` holds what all migrations together make; `make catalogue` draws it anew, and a test holds
it against them. Names of roles begin with the database's: `{app}` stands for the one of the application.
Texts in which versions of Postgres differ are brought to one form; bodies are compared by their SHA-256.
"""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final, NamedTuple

from ledger.store.pool import Connection

SCHEMAS: Final = ("ledger", "vault", "projections", "schedulers", "reporting")
EXPECTED: Final = "catalogue.json"

_PRIVILEGES: Final = """
coalesce(nullif(pg_get_userbyid(a.grantee), 'unknown (OID=0)'), 'public'),
string_agg(a.privilege_type || case when a.is_grantable then ' with grant option' else '' end, ', '
           order by a.privilege_type)
"""
# An owner may all that there is, by whatever name a version of Postgres calls it.
_QUESTIONS: Final[Mapping[str, str]] = {
    "schema": """
        select n.nspname, pg_get_userbyid(n.nspowner)
        from pg_namespace n where n.nspname = any(%(schemas)s)""",
    "relation": """
        select n.nspname || '.' || c.relname, c.relkind, pg_get_userbyid(c.relowner), c.relpersistence,
               c.relrowsecurity, c.relforcerowsecurity, c.relispartition
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = any(%(schemas)s) and c.relkind not in ('i', 'I', 't', 'c')""",
    "column": """
        select n.nspname || '.' || c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod),
               o.collname, a.attnotnull, a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid)
        from pg_attribute a
        join pg_class c on c.oid = a.attrelid
        join pg_namespace n on n.oid = c.relnamespace
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        left join pg_collation o on o.oid = a.attcollation
        where n.nspname = any(%(schemas)s) and c.relkind in ('r', 'p') and a.attnum > 0
            and not a.attisdropped""",
    "constraint": """
        select n.nspname || '.' || c.relname || '.' || k.conname, pg_get_constraintdef(k.oid), k.convalidated,
               k.condeferrable
        from pg_constraint k
        join pg_class c on c.oid = k.conrelid
        join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = any(%(schemas)s) and k.contype <> 'n'""",
    "index": """
        select n.nspname || '.' || c.relname, pg_get_indexdef(c.oid), i.indisvalid
        from pg_index i
        join pg_class c on c.oid = i.indexrelid
        join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = any(%(schemas)s) and i.indisunique""",
    "trigger": """
        select n.nspname || '.' || c.relname || '.' || t.tgname, t.tgenabled, pg_get_triggerdef(t.oid)
        from pg_trigger t
        join pg_class c on c.oid = t.tgrelid
        join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = any(%(schemas)s) and not t.tgisinternal""",
    "function": """
        select n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
               l.lanname, p.prokind, p.provolatile, p.prosecdef, p.proisstrict,
               array_to_string(p.proconfig, ' '),
               pg_get_function_result(p.oid), pg_get_userbyid(p.proowner),
               coalesce(pg_get_function_sqlbody(p.oid), p.prosrc)
        from pg_proc p
        join pg_namespace n on n.oid = p.pronamespace
        join pg_language l on l.oid = p.prolang
        where n.nspname = any(%(schemas)s)""",
    "view": """
        select n.nspname || '.' || c.relname, pg_get_viewdef(c.oid), array_to_string(c.reloptions, ' '),
               (select string_agg(distinct d.refobjid::regclass::text || '.' || coalesce(a.attname, ''), ' ')
                from pg_depend d
                left join pg_attribute a on (a.attrelid, a.attnum) = (d.refobjid, d.refobjsubid)
                where d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refobjid <> c.oid
                    and d.refclassid = 'pg_class'::regclass)
        from pg_rewrite r
        join pg_class c on c.oid = r.ev_class
        join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = any(%(schemas)s) and r.rulename = '_RETURN'""",
    "rule": """
        select n.nspname || '.' || c.relname || '.' || r.rulename, r.ev_type, r.ev_enabled, r.is_instead
        from pg_rewrite r
        join pg_class c on c.oid = r.ev_class
        join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = any(%(schemas)s) and r.rulename <> '_RETURN'""",
    "policy": """
        select n.nspname || '.' || c.relname || '.' || p.polname, p.polcmd, p.polpermissive,
               pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
        from pg_policy p
        join pg_class c on c.oid = p.polrelid
        join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = any(%(schemas)s)""",
    "grant on schema": """
        select n.nspname, PRIVILEGES
        from pg_namespace n, aclexplode(n.nspacl) a
        where n.nspname = any(%(schemas)s) and a.grantee <> n.nspowner group by n.nspname, a.grantee""",
    "grant on": """
        select n.nspname || '.' || c.relname, PRIVILEGES
        from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) a
        where n.nspname = any(%(schemas)s) and a.grantee <> c.relowner
        group by n.nspname, c.relname, a.grantee""",
    "grant on column": """
        select n.nspname || '.' || c.relname || '.' || t.attname, PRIVILEGES
        from pg_attribute t
        join pg_class c on c.oid = t.attrelid
        join pg_namespace n on n.oid = c.relnamespace, aclexplode(t.attacl) a
        where n.nspname = any(%(schemas)s) and a.grantee <> c.relowner and not t.attisdropped
        group by n.nspname, c.relname, t.attname, a.grantee""",
    "grant on function": """
        select n.nspname || '.' || p.proname, PRIVILEGES
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace,
             aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
        where n.nspname = any(%(schemas)s) and a.grantee <> p.proowner
        group by n.nspname, p.oid, p.proname, a.grantee""",
    "grant to come in": """
        select n.nspname || '.' || d.defaclobjtype::text, PRIVILEGES
        from pg_default_acl d join pg_namespace n on n.oid = d.defaclnamespace, aclexplode(d.defaclacl) a
        where n.nspname = any(%(schemas)s) and a.grantee <> d.defaclrole
        group by n.nspname, d.defaclobjtype, a.grantee""",
    # With it as `replica`, only triggers that are always on fire.
    "setting": """
        select coalesce(d.datname, '') || ' ' || coalesce(r.rolname, ''), setting
        from pg_db_role_setting s
        left join pg_database d on d.oid = s.setdatabase
        left join pg_roles r on r.oid = s.setrole, unnest(s.setconfig) setting
        where setting like 'session_replication_role=%%'
            and (s.setdatabase = 0 or d.datname = current_database())""",
}
_OWNER: Final = "select pg_get_userbyid(nspowner) from pg_namespace where nspname = 'ledger'"
_KINDS_OF_ROLES: Final = ("owner", "app", "sealer", "reporting", "auditor")
_READING: Final = frozenset({"SELECT", "USAGE"})


class Departure(NamedTuple):
    """One thing of the schema that is not as the migrations make it."""

    what: str
    """Such as `trigger ledger.events.append_only`."""
    how: str
    """`is missing`, `is not what the migrations make`, `is made by no migration`."""
    only_reads: bool
    """Whether it does no more than let another role read: an operator's own doing, mostly."""

    def __str__(self) -> str:
        """Return it as a sentence without its end."""
        return f"{self.what} {self.how}"


def expected() -> Mapping[str, str]:
    """Return what the migrations of this program make."""
    read: Mapping[str, str] = json.loads((files("ledger.store") / EXPECTED).read_text(encoding="utf-8"))
    return read


def departures(connection: Connection) -> list[Departure]:
    """Compare the schema with what the migrations make. `connection`: in a transaction, of any role."""
    wanted, found = expected(), catalogue(connection)
    return [
        Departure(
            what,
            _how(wanted.get(what), found.get(what)),
            what not in wanted and _only_reads(what, found[what]),
        )
        for what in sorted(wanted.keys() | found.keys())
        if wanted.get(what) != found.get(what)
    ]


def catalogue(connection: Connection) -> dict[str, str]:
    """Return what the schema is made of: name → definition. `connection`: in a transaction, of any role."""
    told: dict[str, str] = {}
    with connection.cursor() as cursor:
        # Names are written in full then, and nobody's own functions stand in the way of Postgres'.
        cursor.execute("set local search_path = pg_catalog")
        cursor.execute(_OWNER)
        [(owner,)] = cursor.fetchall()
        roles = {f"{owner.removesuffix('owner')}{kind}": f"{{{kind}}}" for kind in _KINDS_OF_ROLES}
        for kind, question in _QUESTIONS.items():
            cursor.execute(question.replace("PRIVILEGES", _PRIVILEGES), {"schemas": list(SCHEMAS)})
            for name, *parts in cursor.fetchall():
                if kind.startswith("grant"):
                    told[f"{kind} {name} to {roles.get(parts[0], parts[0])}"] = parts[1]
                elif kind == "setting":
                    told[f"{kind} {parts[0]} of {name}"] = parts[0]
                else:
                    told[f"{kind} {name}"] = _definition(kind, name, parts, roles)
    return told


def _definition(kind: str, name: str, parts: list[Any], roles: Mapping[str, str]) -> str:
    if kind == "function":
        body = parts.pop()
        if name.startswith("ledger.role("):  # it holds the beginning of the roles' names
            body = body.replace(next(iter(roles)).removesuffix("owner"), "{prefix}")
        parts.append(_sha256(body))
    if kind == "view":
        columns = " ".join(sorted(str(parts.pop()).split()))
        parts[0] = _sha256(_one_form(parts[0]) + columns)
    return "; ".join(roles.get(str(part), str(part)) for part in parts)


def _one_form(view: str) -> str:
    """Bring a view to a form that all versions of Postgres agree in: they differ in blanks and qualifiers."""
    return re.sub(r"\s+", "", re.sub(r"\b[a-z_][a-z0-9_]*\.(?=[a-z_\"*])", "", view))


def _sha256(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _how(wanted: str | None, found: str | None) -> str:
    if found is None:
        return "is missing"
    return "is made by no migration" if wanted is None else "is not what the migrations make"


def _only_reads(what: str, found: str) -> bool:
    """Whether it is a grant to another role that lets it read what is not secret."""
    words = what.split(" to ")
    ours = what.endswith((" to public", *(f" to {{{kind}}}" for kind in _KINDS_OF_ROLES)))
    return (
        what.startswith(("grant on schema ", "grant on column ", "grant on "))
        and not ours
        and " vault" not in words[0]
        and set(found.split(", ")) <= _READING
    )
