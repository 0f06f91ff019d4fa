"""The database of statements, alerts and decisions, with an audit chain."""

from cardwatch.casebook.database import Casebook
from cardwatch.casebook.tables import FINANCE, PSD, ROLES, STATES
from cardwatch.casebook.unit_of_work import Actor, AuditEvent, UnitOfWork
from cardwatch.vocabulary import LANES
