"""The tables of settlement's database. Amounts are integers of minor units, times are milliseconds since 1970."""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    event,
)

SCHEMA_VERSION = 2
UPGRADES = {2: ("ALTER TABLE sales ADD COLUMN attribution VARCHAR(20)",)}
"""What leads from the version before to each; tables that are missing are made without being named here."""

metadata = MetaData()

_ID = String(16)
_NAME = String(20)
_ANY = String(512)
"""What a terminal wrote, whether or not it is an identifier."""
_ACCOUNT = String(120)

schema = Table("schema", metadata, Column("version", Integer, primary_key=True))

chains = Table(
    "chains",
    metadata,
    Column("chain", Integer, primary_key=True, autoincrement=True),
    Column("terminal", _NAME, nullable=False, index=True),
    Column("key_id", LargeBinary(16), nullable=False),
    Column("certificate", LargeBinary, nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("born_ms", BigInteger, nullable=False),
    Column("software", String(512), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
)
"""One chain for each record key of a terminal; the newest is the one that counts."""

records = Table(
    "records",
    metadata,
    Column("chain", ForeignKey("chains.chain"), primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("hash", LargeBinary(32), nullable=False),
    Column("message", LargeBinary, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("subject", _ANY, nullable=False),
    Column("kept_ms", BigInteger, nullable=False),
)
"""Every record as it was signed. `subject` is what the record is about: an attempt, a refund, a sale."""
Index("records_by_subject", records.c.subject, records.c.kind)

alarms = Table(
    "alarms",
    metadata,
    Column("alarm", Integer, primary_key=True, autoincrement=True),
    Column("terminal", _NAME, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("detail", String(200), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("evidence", LargeBinary),
)

decisions = Table(
    "decisions",
    metadata,
    Column("terminal", _NAME, primary_key=True),
    Column("subject", _ANY, primary_key=True),
    Column("action", Integer, primary_key=True),
    Column("content", LargeBinary(32), primary_key=True),
    Column("original", Boolean, nullable=False),
    Column("sale", _ANY, nullable=False),
    Column("verdict", Integer, nullable=False),
    Column("reason", String(40), nullable=False),
    Column("message", LargeBinary, nullable=False),
)
"""What was answered, as it was signed. `original` marks the first content of an id; any other was refused."""

sales = Table(
    "sales",
    metadata,
    Column("terminal", _NAME, primary_key=True),
    Column("sale", _ID, primary_key=True),
    Column("result", Integer),
    Column("number", BigInteger),
    Column("nonce", LargeBinary(64)),
    Column("minor", BigInteger),
    Column("currency", String(3)),
    Column("coupons", String, nullable=False, default=""),
    Column("member", String(64)),
    Column("guide", String(64)),
    Column("attribution", String(20)),
)
"""Sales that a terminal spoke of: the newest challenge of each, and its result once it is closed."""

payments = Table(
    "payments",
    metadata,
    Column("terminal", _NAME, primary_key=True),
    Column("payment", _ID, primary_key=True),
    Column("action", Integer, nullable=False),
    Column("sale", _ID, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("scheme", String(16), nullable=False),
    Column("source", _ACCOUNT, nullable=False),
    Column("payer", String(64), nullable=False),
    Column("minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("refunded", BigInteger, nullable=False, default=0),
    Column("state", String(10), nullable=False),
    Column("offline", Boolean, nullable=False),
    Column("reason", String(40), nullable=False, default=""),
    Column("terms", String, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    CheckConstraint("refunded >= 0 AND refunded <= minor"),
)
"""Attempts and orders that were charged, or lost offline. `terms` are the split and the coupons, frozen, as JSON."""
Index("payments_by_sale", payments.c.sale)
Index("payments_by_source", payments.c.source)

refunds = Table(
    "refunds",
    metadata,
    Column("terminal", _NAME, primary_key=True),
    Column("refund", _ID, primary_key=True),
    Column("payment", _ID, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("minor", BigInteger, nullable=False),
    Column("supervisor", String(64), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

withdrawn = Table(
    "withdrawn",
    metadata,
    Column("terminal", _NAME, primary_key=True),
    Column("subject", _ID, primary_key=True),
)
"""Attempts and orders that were reversed before they were charged, and never will be."""

spent_tokens = Table(
    "spent_tokens",
    metadata,
    Column("token_hash", LargeBinary(32), primary_key=True),
    Column("terminal", _NAME, nullable=False),
    Column("sale", _ID, nullable=False),
    Column("burned", Boolean, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

wallet_uses = Table(
    "wallet_uses",
    metadata,
    Column("alias", LargeBinary(5), primary_key=True),
    Column("made_s", BigInteger, primary_key=True),
    Column("nonce", LargeBinary(64), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
)
"""Charged wallet tokens by what they prove, because the bytes of a signed one can be varied."""

wallets = Table(
    "wallets",
    metadata,
    Column("alias", LargeBinary(5), primary_key=True),
    Column("name", String(60), nullable=False, unique=True),
    Column("secret", LargeBinary(32), nullable=False),
    Column("public_key", LargeBinary(33)),
    Column("opened_ms", BigInteger, nullable=False),
)

enrolment_codes = Table(
    "enrolment_codes",
    metadata,
    Column("handle", String(4), primary_key=True),
    Column("alias", ForeignKey("wallets.alias"), nullable=False),
    Column("proof", LargeBinary(32), nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("tries_left", Integer, nullable=False),
    Column("used_by", LargeBinary(33)),
)

orders = Table(
    "orders",
    metadata,
    Column("alias", ForeignKey("wallets.alias"), primary_key=True),
    Column("order", _ID, primary_key=True),
    Column("content", LargeBinary(32), nullable=False),
    Column("verdict", Integer, nullable=False),
    Column("reason", String(40), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

coupons = Table(
    "coupons",
    metadata,
    Column("coupon", _ID, primary_key=True),
    Column("label", String(60), nullable=False),
    Column("funder", String(10), nullable=False),
    Column("minor", BigInteger, nullable=False),
    Column("basis_points", Integer, nullable=False),
    Column("threshold", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("expires_ms", BigInteger),
    Column("issued_ms", BigInteger, nullable=False),
    Column("owner", ForeignKey("wallets.alias")),
    Column("redeemed_ms", BigInteger),
)

reservations = Table(
    "reservations",
    metadata,
    Column("coupon", ForeignKey("coupons.coupon"), primary_key=True),
    Column("terminal", _NAME, nullable=False),
    Column("sale", _ID, nullable=False),
    Column("discount", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
)
Index("reservations_by_sale", reservations.c.terminal, reservations.c.sale)

members = Table(
    "members",
    metadata,
    Column("member", _ID, primary_key=True),
    Column("name", String(60), nullable=False),
    Column("basis_points", Integer, nullable=False),
    Column("owner", ForeignKey("wallets.alias")),
    Column("issued_ms", BigInteger, nullable=False),
)

entries = Table(
    "entries",
    metadata,
    Column("entry", Integer, primary_key=True, autoincrement=True),
    Column("key", String(80), nullable=False, unique=True),
    Column("kind", String(10), nullable=False),
    Column("terminal", _NAME, nullable=False),
    Column("sale", _ID, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)
Index("entries_by_sale", entries.c.sale)

postings = Table(
    "postings",
    metadata,
    Column("entry", ForeignKey("entries.entry"), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("account", _ACCOUNT, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("minor", BigInteger, nullable=False),
)
Index("postings_by_account", postings.c.account)

balances = Table(
    "balances",
    metadata,
    Column("account", _ACCOUNT, primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("minor", BigInteger, nullable=False),
)

batches = Table(
    "batches",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("timezone", String(60), nullable=False),
    Column("first_entry", Integer, nullable=False),
    Column("last_entry", Integer, nullable=False),
    Column("previous", LargeBinary(32), nullable=False),
    Column("closed_ms", BigInteger, nullable=False),
    Column("sha256", LargeBinary(32), nullable=False),
)
"""Days that were closed: the entries that belong to each, and the manifest of its files."""


def _never_change(table: Table) -> None:
    for verb in ("UPDATE", "DELETE"):
        text = (
            f"CREATE TRIGGER {table.name}_no_{verb.lower()} BEFORE {verb} ON {table.name} "
            f"BEGIN SELECT RAISE(ABORT, 'what is booked stays booked'); END"
        )
        trigger = DDL(text).execute_if(dialect="sqlite")  # type: ignore[no-untyped-call]
        event.listen(table, "after_create", trigger)


for _table in (entries, postings, records):
    _never_change(_table)
