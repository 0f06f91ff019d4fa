"""Opens the database and gives each unit of work a transaction with an audit event.

SQLite is the default, one file; PostgreSQL the option. Every statement of work has to name the
organisation, and the lane where there is one: PostgreSQL enforces it by row-level security, and
what is sent to either is checked for it first.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
import time
from contextlib import closing, contextmanager
from functools import cache
from importlib import import_module, resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import alembic.command
import alembic.config
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from cardwatch.casebook import tables
from cardwatch.casebook.tenant_guard import EVERYBODY, check_owner
from cardwatch.casebook.unit_of_work import (
    SYSTEM,
    Actor,
    AuditEvent,
    UnitOfWork,
    append_events,
    as_text,
    lock_number,
    set_local,
)
from cardwatch.errors import (
    CardwatchError,
    CasebookBusy,
    CasebookFailed,
    NotAllowed,
    NotFound,
    SecondPersonNeeded,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    from cardwatch.casebook.rows import Organisation


BUSY_SECONDS = 60
"""Seconds a writer waits for another on SQLite; each locks the file for milliseconds."""
POOL_SIZE = 50
"""Connections to SQLite: more than a service has threads, so that none waits for one."""
LOOK_SECONDS = 0.05
TRANSIENT_SQLITE = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
TRANSIENT_SQLSTATES = ("08", "40", "53", "55P03", "57P")
"""PostgreSQL: connection, rollback (deadlock), resources, lock not available, shutdown."""
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF",
           "secure_delete=ON")  # fmt: skip


class Casebook:
    """An open casebook."""

    def __init__(
        self,
        url: str,
        *,
        checkpoints: Path | None = None,
        make: bool = True,
        busy_seconds: float | None = None,
    ) -> None:
        """Open a casebook, and bring its tables up to this version.

        Args:
            url: `sqlite:///FILE` or `postgresql+psycopg://...`.
            checkpoints: folder for signed checkpoints; none are written without it.
            make: whether to make one where there is none.
            busy_seconds: for how long somebody waits who writes while others do, or who waits for
                a turn; without it `BUSY_SECONDS` on SQLite, and as long as it takes otherwise.

        Raises:
            CardwatchError: it cannot be opened, is none, or a newer version has written it.
        """
        try:
            self.url = sa.make_url(url)
        except ArgumentError as error:
            raise CardwatchError(
                "The casebook's address is invalid. Use the form sqlite:///FILE."
            ) from error
        self.checkpoints = checkpoints
        self.busy_seconds = busy_seconds
        self.engine = _engine(self.url, make=make, busy_seconds=busy_seconds)
        try:
            with self._sentence("cannot be opened"):
                self._upgrade(make=make)
        except CardwatchError:
            self.close()
            raise

    @property
    def is_sqlite(self) -> bool:
        """Whether the casebook is one file of SQLite."""
        return self.engine.dialect.name == "sqlite"

    @property
    def tables_version(self) -> str:
        """The version of the tables."""
        engine = self.engine.execution_options(reads=True)
        with self._sentence("failed"), engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision() or ""

    @contextmanager
    def work(
        self,
        actor: Actor,
        event: AuditEvent,
        now: dt.datetime,
        *,
        lanes: tuple[str, ...] | None = None,
    ) -> Iterator[UnitOfWork]:
        """Do one piece of work: all of it, with its event, is kept together or not at all.

        Args:
            actor: who does it.
            event: what is done; it may be completed on the way.
            now: the moment, with a time zone.
            lanes: the lanes it touches where they are not the actor's.

        Raises:
            NotAllowed, NotFound: on the way somebody was refused; the event then says so, and
                stands alone.
            SecondPersonNeeded: nothing is done; the request for an approval is kept.
            CasebookFailed: the database failed.
        """
        moment = as_text(now)
        allowed = actor.lanes if lanes is None else lanes
        try:
            with self._sentence("failed"), self.engine.begin() as connection:
                self.set_tenant(connection, actor.organisation_id, allowed)
                uow = UnitOfWork(connection, actor, allowed, moment, event)
                yield uow
                append_events(uow, [event, *uow.extra_events])
                waits = uow.sealed or uow.unsealed
                assert not waits, "rows of a lane were changed without an event there"
        except (NotAllowed, NotFound) as refusal:
            self._record_refusal(actor, event, moment, refusal)
            raise

    def _record_refusal(
        self, actor: Actor, event: AuditEvent, moment: str, refusal: NotAllowed | NotFound
    ) -> None:
        """Write down that somebody was refused, and what they ask another person to approve."""
        lanes: tuple[str, ...] = ()
        if isinstance(refusal, SecondPersonNeeded):
            event = AuditEvent("access", "approval", refusal.approval_id, outcome="asked")
            lanes = (actor.chain,)
        else:
            event.outcome = "denied" if isinstance(refusal, NotAllowed) else "not-found"
        with self.engine.begin() as connection:
            self.set_tenant(connection, actor.organisation_id, lanes)
            uow = UnitOfWork(connection, actor, lanes, moment, event)
            if isinstance(refusal, SecondPersonNeeded) and refusal.request is not None:
                uow.lock("approvals")
                same = tables.approvals.c.approval_id == refusal.approval_id
                kept = sa.select(tables.approvals).where(uow.scope(tables.approvals), same)
                if uow.fetch_one(kept) is None:  # the same at one moment is one request
                    uow.insert(tables.approvals, [refusal.request])
            append_events(uow, [event])

    @contextmanager
    def unaudited(
        self, actor: Actor, now: dt.datetime, *, lanes: tuple[str, ...] = (), reads: bool = False
    ) -> Iterator[UnitOfWork]:
        """Transaction without an audit event: internal tables and authentication only.

        Args:
            actor: for whom.
            now: the moment, with a time zone.
            lanes: the lanes it touches.
            reads: whether it changes nothing, waits for nobody, and sees all as of one moment.

        Raises:
            CasebookFailed: the database failed.
        """
        engine = self._snapshots() if reads else self.engine
        with self._sentence("failed"), engine.begin() as connection:
            self.set_tenant(connection, actor.organisation_id, lanes)
            yield UnitOfWork(
                connection, actor, lanes, as_text(now), AuditEvent("access", ""), is_unaudited=True
            )

    @contextmanager
    def import_lock(self, organisation_id: str) -> Iterator[None]:
        """Hold the organisation's import lock.

        A turn ends with the process that has it, however that ends.

        Raises:
            CasebookBusy: it has not come within the time that somebody waits here.
        """
        if self.is_sqlite:
            digest = hashlib.sha256(organisation_id.encode()).hexdigest()[:12]
            path = f"{self.url.database}.{digest}.turn"
            try:
                file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
            except OSError as error:
                raise CardwatchError(f"{path} cannot be opened: {error.strerror}.") from error
            try:
                self._lock(file)
                yield
            finally:
                os.close(file)
        else:
            alone = self.engine.execution_options(isolation_level="AUTOCOMMIT")
            with self._sentence("failed"), alone.connect() as connection:
                key = sa.select(sa.func.pg_advisory_lock(lock_number("turn", organisation_id)))
                connection.execute(key)
                try:
                    yield
                finally:
                    connection.invalidate()  # the lock goes with the connection

    def _lock(self, file: int) -> None:
        """Wait for a lock of a file, for as long as somebody waits here.

        Raises:
            CasebookBusy: somebody else still holds it then.
        """
        if self.busy_seconds is None:
            fcntl.flock(file, fcntl.LOCK_EX)
            return
        until = time.monotonic() + self.busy_seconds
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() > until:
                    raise CasebookBusy("A statement is being received. Try again later.") from error
                time.sleep(LOOK_SECONDS)
            else:
                return

    def organisations(self) -> list[Organisation]:
        """Return the organisations that the casebook holds; it waits for nobody."""
        engine = self.engine.execution_options(reads=True)
        with self._sentence("failed"), engine.begin() as connection:
            self.set_tenant(connection, EVERYBODY, ())
            question = sa.select(tables.organisations).order_by("organisation_id")
            rows = connection.execute(question).mappings()
            return [cast("Organisation", dict(row)) for row in rows]

    def system_actors(self) -> list[Actor]:
        """The casebook itself as an actor, for each organisation that it holds."""
        return [Actor(row["organisation_id"], SYSTEM, "admin") for row in self.organisations()]

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """Give a connection that sees the casebook as it stands at one moment, only to read."""
        with self._sentence("failed"), self._snapshots().begin() as connection:
            yield connection

    def _snapshots(self) -> sa.Engine:
        """Return an engine whose transactions only read, each the casebook as of one moment."""
        if self.is_sqlite:  # with a log of writes each transaction does
            return self.engine.execution_options(reads=True)
        return self.engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    def grant_service_role(self, role: str) -> None:
        """Let a role of PostgreSQL work with the tables without owning them.

        It can neither change what is append-only nor take triggers and policies away.

        Raises:
            CardwatchError: the casebook is in SQLite, or the role cannot be given rights.
        """
        if self.is_sqlite:
            raise CardwatchError(
                "SQLite has no database roles. Use this option with PostgreSQL only."
            )
        name = self.engine.dialect.identifier_preparer.quote_identifier(role)
        rights = dict.fromkeys(tables.metadata.tables, "SELECT, INSERT, UPDATE, DELETE")
        rights |= tables.RIGHTS | {"alembic_version": "SELECT"}
        with self._sentence(f"gives {role} no rights"), self.engine.begin() as connection:
            for table, may in rights.items():
                connection.exec_driver_sql(f"REVOKE ALL ON {table} FROM {name}")
                connection.exec_driver_sql(f"GRANT {may} ON {table} TO {name}")

    def checkpoint_wal(self) -> None:
        """Checkpoint the WAL, so that erased rows leave the file."""
        if self.is_sqlite:
            with self._sentence("failed"), closing(self.engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close it."""
        self.engine.dispose()

    def set_tenant(
        self, connection: sa.Connection, organisation_id: str, lanes: Sequence[str]
    ) -> None:
        """Say whose rows a transaction may touch."""
        connection.info["owner"] = organisation_id, frozenset(lanes)
        if not self.is_sqlite:
            set_local(connection, "organisation_id", organisation_id)
            set_local(connection, "lanes", ",".join(lanes))

    @contextmanager
    def _sentence(self, failure: str) -> Iterator[None]:
        """Say in a sentence that the database failed.

        Raises:
            CasebookFailed: it did; CasebookBusy where the same may succeed later.
        """
        try:
            yield
        except DBAPIError as error:
            where = self.url.render_as_string()
            # What follows the first line may hold values.
            why = (str(error.orig).splitlines() or ["it gives no reason"])[0]
            kind = CasebookBusy if _is_transient(error) else CasebookFailed
            raise kind(f"The casebook {where} {failure}: {why}") from error
        except PoolTimeout as error:
            raise CasebookBusy("Too many connections to the casebook are in use.") from error

    def _upgrade(self, *, make: bool) -> None:
        """Bring the tables up to this version, one process at a time."""
        reading = self.engine.execution_options(reads=True)
        with reading.connect() as connection:  # a process begins whoever writes just then
            current = MigrationContext.configure(connection).get_current_revision()
        if current == _newest_tables():
            return
        with resources.as_file(resources.files("cardwatch.casebook") / "migrations") as folder:
            config = alembic.config.Config()
            config.set_main_option("script_location", str(folder))
            script = ScriptDirectory.from_config(config)
            if current is None and not make:
                raise CardwatchError(f"There is no casebook at {self.url.render_as_string()}.")
            if current and current not in {
                revision.revision for revision in script.walk_revisions()
            }:
                raise CardwatchError(
                    f"A newer version of cardwatch has written this casebook (tables {current}). "
                    "Install that version or a later one."
                )
            with self.import_lock("tables"), self.engine.begin() as connection:
                config.attributes["connection"] = connection
                alembic.command.upgrade(config, "head")


@cache
def _newest_tables() -> str | None:
    """Return the version of the tables that the newest migration makes."""
    with resources.as_file(resources.files("cardwatch.casebook") / "migrations") as folder:
        return ScriptDirectory(folder).get_current_head()


def _is_transient(error: DBAPIError) -> bool:
    """Whether a database error passes by itself: a lock, a lost connection, a restart."""
    if error.connection_invalidated:
        return True
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:  # the low byte is the primary result code
        return (code & 0xFF) in TRANSIENT_SQLITE
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return str(state).startswith(TRANSIENT_SQLSTATES)
    return isinstance(error, OperationalError)  # of PostgreSQL without a state: no connection


def sqlite_library() -> ModuleType:
    """Return the SQLite to use: the one that comes with cardwatch, else Python's own."""
    try:
        return import_module("pysqlite3")
    except ImportError:
        return sqlite3


def _engine(url: sa.URL, *, make: bool, busy_seconds: float | None) -> sa.Engine:
    """Return an engine whose every connection is set up as `PRAGMAS` says.

    Raises:
        CardwatchError: it is neither SQLite nor PostgreSQL, or its driver is not installed.
    """
    waits: dict[str, Any] = {} if busy_seconds is None else {"pool_timeout": busy_seconds}
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:":
            raise CardwatchError("A casebook in memory would be lost. Enter a file name.")
        _make_file(Path(url.database), make=make)
        engine = sa.create_engine(url, module=sqlite_library(), pool_size=POOL_SIZE, **waits)
        milliseconds = round(1000 * (BUSY_SECONDS if busy_seconds is None else busy_seconds))

        def set_up(connection: Any, _: object) -> None:  # noqa: ANN401  either SQLite's
            _set_pragmas(connection, milliseconds)

        sa.event.listen(engine, "connect", set_up)
        sa.event.listen(engine, "begin", _begin)
    elif url.get_backend_name() == "postgresql":
        try:
            arguments = _postgresql_arguments(url, busy_seconds)
            engine = sa.create_engine(url, pool_pre_ping=True, connect_args=arguments, **waits)
        except (ImportError, NoSuchModuleError) as error:
            raise CardwatchError(
                "PostgreSQL needs its driver, pip install 'cardwatch[postgresql]', and an address "
                "that begins with postgresql+psycopg://."
            ) from error
    else:
        raise CardwatchError(f"A casebook needs SQLite or PostgreSQL, not {url.drivername}.")
    sa.event.listen(engine, "before_execute", check_owner)
    return engine


def _postgresql_arguments(url: sa.URL, busy_seconds: float | None) -> dict[str, str]:
    """The arguments of a connection to PostgreSQL.

    Over a network it is encrypted, and the certificate and name are checked (`verify-full`)
    by the system's authorities, unless the address says otherwise.
    """
    arguments = {}
    if busy_seconds is not None:
        arguments["options"] = f"-c lock_timeout={round(1000 * busy_seconds)}"
    host = str(url.query.get("host", url.host or ""))
    if not is_this_machine(host) and "sslmode" not in url.query:
        arguments["sslmode"] = "verify-full"
        if "sslrootcert" not in url.query:
            arguments["sslrootcert"] = "system"
    return arguments


def is_this_machine(host: str) -> bool:
    """Whether a database's host is a socket or an address of this machine."""
    return host.startswith("/") or host in {"", "localhost", "127.0.0.1", "::1"}


def _make_file(path: Path, *, make: bool) -> None:
    """Make the file of SQLite, for its owner only, if it is not there yet.

    A file that is there is not opened here: closing it again would release the locks that SQLite
    holds on it in this process (fcntl(2)), where it is open already. Another process would then
    delete the log of writes (WAL) that this one goes on to write to.

    Raises:
        CardwatchError: it is not there and is not to be made, or cannot be.
    """
    if not make and not path.exists():
        raise CardwatchError(f"There is no casebook {path}.")
    try:
        path.absolute().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise CardwatchError(f"{path} cannot be opened: {error.strerror}.") from error


def _set_pragmas(connection: Any, busy_milliseconds: int) -> None:  # noqa: ANN401  either SQLite's
    """Set up one connection of SQLite; transactions are begun by us."""
    connection.isolation_level = None
    for pragma in (f"busy_timeout={busy_milliseconds}", *PRAGMAS):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: sa.Connection) -> None:
    """Begin as a writer: whoever reads also writes, as every reading is an event; copies do not."""
    reads = connection.get_execution_options().get("reads")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
