"""JSON and query strings to typed arguments, rows to JSON: decoding and encoding, nothing else."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, cast

import orjson
import pybase64
from psycopg.types.json import Jsonb

from .catalog import Composite, Field
from .problems import invalid
from .wallets import WALLET_WORDS, NotSignedError, checksum_address, recover_signer

UUID_FORM = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
INTEGER_FORM = re.compile(r"-?[0-9]{1,20}")
INTERVAL_FORM = re.compile(
    r"P(?!$)(\d{1,6}[YMWD])*(T(\d{1,6}[HMS])+)?|\d{1,6} (second|minute|hour|day|week|month|year)s?"
)
"""ISO 8601, or a number and a unit as PostgreSQL reads them."""

INTEGER_BITS = {"smallint": 15, "integer": 31, "bigint": 63}
CLAIMS_DOMAIN = "gateway.token_claims"
"""The domain of what leaves as a signed token."""

WALLET_DOMAIN = "gateway.wallet"
"""The domain of Ethereum addresses."""

SIGNED_TYPE = "gateway.signed_message"
"""The composite type of a text and who signed it, which arrives as a text and its signature."""

LONGEST_LIST = 5000
"""Elements; decoding more would hold up other callers."""


class JsonText(bytes):
    """A value that is JSON already, as the database wrote it."""


Encoder = Callable[[Any], Any]
Decoder = Callable[[Any, bool, str, str], Any]
"""Of a value, whether it is a string of a URL, its JSON path and its SQL type."""


def decode_arguments(fields: Sequence[Field], sent: Mapping[str, Any], is_text: bool, at: str = "") -> dict[str, Any]:
    """What was sent as the values of an argument list or a composite type, by SQL name.

    fields: what may be sent. sent: by JSON name. is_text: the values are strings of a URL. at: JSON path of the object.
    Raises Problem 422 naming the first field that is unknown, missing or malformed.
    """
    values: dict[str, Any] = {}
    for field in fields:
        name = field.json_name
        if name in sent:
            values[field.name] = decode(field, sent[name], is_text, f"{at}{name}")
        elif field.is_required:
            raise invalid(f"{at}{name}", "is missing")
    if len(values) < len(sent):
        known = {field.json_name for field in fields}
        raise invalid(f"{at}{next(name for name in sent if name not in known)}", "is unknown")
    return values


def decode(field: Field, value: Any, is_text: bool, path: str) -> Any:
    """One value as its SQL type; null stays null. Raises Problem 422 naming the path."""
    if value is None:
        return None
    if not field.is_array:
        return _decode_one(field, value, is_text, path)
    if not isinstance(value, list):
        raise invalid(path, "must be a list")
    if len(value) > LONGEST_LIST:
        raise invalid(path, f"must have at most {LONGEST_LIST} elements")
    return [_decode_one(field, item, is_text, f"{path}[{place}]") for place, item in enumerate(value)]


def _decode_one(field: Field, value: Any, is_text: bool, path: str) -> Any:
    if field.composite:
        # A null in a list of objects is nobody's wish.
        if not isinstance(value, dict):
            raise invalid(path, "must be an object")
        if field.composite.name == SIGNED_TYPE:
            return _signed_message(field.composite, value, path)
        fields = field.composite.fields
        values = decode_arguments(fields, value, False, f"{path}.")
        # Those left out have a domain's default; a composite is sent whole.
        whole = (values.get(part.name, part.constant) for part in fields)
        return cast(Callable[..., Any], field.composite.info.python_type)(*whole)
    if value is None:
        return None
    if field.labels and value not in field.labels:
        raise invalid(path, f"must be one of {', '.join(field.labels)}")
    decoder: Decoder = _wallet if field.domain == WALLET_DOMAIN else DECODERS.get(field.type, _text)
    return decoder(value, is_text, path, field.type)


def _text(value: Any, _is_text: bool, path: str, _type: str) -> str:
    if not isinstance(value, str):
        raise invalid(path, "must be a string")
    # PostgreSQL stores neither a NUL nor half of a surrogate pair, and it would say so without naming the field.
    try:
        value.encode()
    except UnicodeEncodeError:
        raise invalid(path, "has a character that can't be stored") from None
    if "\x00" in value:
        raise invalid(path, "has a character that can't be stored")
    return value


def _wallet(value: Any, is_text: bool, path: str, type_: str) -> str:
    address = checksum_address(_text(value, is_text, path, type_))
    if address is None:
        raise invalid(path, WALLET_WORDS)
    return address


def _signed_message(composite: Composite, value: dict[str, Any], path: str) -> Any:
    """The text and its signer. Raises Problem 422 for a signature that nobody can have made."""
    sent = decode_arguments(SIGNED_FIELDS, value, False, f"{path}.")
    for name, part in sent.items():
        if part is None:
            raise invalid(f"{path}.{name}", "is missing")
    try:
        signer = recover_signer(sent["message"], sent["signature"])
    except NotSignedError as error:
        raise invalid(f"{path}.signature", str(error)) from None
    return cast(Callable[..., Any], composite.info.python_type)(sent["message"], signer)


def _uuid(value: Any, _is_text: bool, path: str, _type: str) -> str:
    if not isinstance(value, str) or not UUID_FORM.fullmatch(value):
        raise invalid(path, "must be a UUID")
    return value.lower()


def _integer(value: Any, is_text: bool, path: str, type_: str) -> int:
    if is_text and INTEGER_FORM.fullmatch(value):
        value = int(value)
    bits = INTEGER_BITS[type_]
    if type(value) is not int or not -(1 << bits) <= value < 1 << bits:
        raise invalid(path, f"must be an integer from {-(1 << bits)} to {(1 << bits) - 1}")
    return value


def _boolean(value: Any, is_text: bool, path: str, _type: str) -> bool:
    if is_text:
        value = {"true": True, "false": False}.get(value)
    if not isinstance(value, bool):
        raise invalid(path, "must be true or false")
    return value


def _bytes(value: Any, _is_text: bool, path: str, _type: str) -> bytes:
    try:
        decoded = pybase64.b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError):
        decoded = None
    # One canonical form: the bits that padding leaves over, in the last four characters, must be zero.
    if decoded is None or pybase64.b64encode(decoded[-(len(decoded) % 3 or 3) :]).decode() != value[-4:]:
        raise invalid(path, "must be base64 in the standard alphabet, padded, without line breaks")
    return decoded


def _number(value: Any, is_text: bool, path: str, _type: str) -> Decimal:
    try:
        decimal = Decimal(value) if isinstance(value, str) or type(value) is int else Decimal("nan")
    except InvalidOperation:
        decimal = Decimal("nan")
    if not decimal.is_finite():
        raise invalid(path, "must be a decimal number as a string")
    return decimal


def _float(value: Any, is_text: bool, path: str, _type: str) -> float:
    try:
        return float(value if is_text or type(value) in (int, float) else "")
    except ValueError:
        raise invalid(path, "must be a number") from None


def _time(value: Any, _is_text: bool, path: str, _type: str) -> datetime:
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        time = None
    if time is None or time.tzinfo is None:
        raise invalid(path, "must be a time as in RFC 3339, with its zone")
    return time


def _date(value: Any, _is_text: bool, path: str, _type: str) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise invalid(path, "must be a date like 2026-01-31") from None


def _interval(value: Any, _is_text: bool, path: str, _type: str) -> str:
    if not isinstance(value, str) or not INTERVAL_FORM.fullmatch(value):
        raise invalid(path, "must be a length of time like 5 minutes or PT5M")
    return value


def _json(value: Any, is_text: bool, path: str, _type: str) -> Jsonb:
    if is_text:
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            raise invalid(path, "must be JSON") from None
    return Jsonb(value)


SIGNED_FIELDS = (
    Field("message", "text", False, True, None, "The text, exactly as it was signed.", None),
    Field(
        "signature", "text", False, True, None,
        "EIP-191 signature of the text (personal_sign): 0x and 130 hex digits.", None,
    ),
)  # fmt: skip
"""What arrives of a SIGNED_TYPE."""

DECODERS: dict[str, Decoder] = {
    "uuid": _uuid,
    "smallint": _integer,
    "integer": _integer,
    "bigint": _integer,
    "boolean": _boolean,
    "bytea": _bytes,
    "numeric": _number,
    "double precision": _float,
    "real": _float,
    "timestamp with time zone": _time,
    "date": _date,
    "interval": _interval,
    "jsonb": _json,
    "json": _json,
}
"""By SQL type; all others (text, …) travel as strings."""


def encode_base64(value: bytes | None) -> orjson.Fragment | None:
    """Bytes as base64 in the standard alphabet, padded, on one line: as finished JSON, since nothing needs escaping."""
    return None if value is None else orjson.Fragment(b'"%b"' % pybase64.b64encode(value))


def encode_plain(value: Any) -> Any:
    """A value of any type as orjson wants it: numeric as a string (floats lose digits), bytes as base64."""
    if isinstance(value, JsonText):
        return orjson.Fragment(bytes(value))  # it takes no subclass
    if isinstance(value, bytes):
        return encode_base64(value)
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return encode_row(value._asdict())
    if isinstance(value, list):
        return [encode_plain(item) for item in value]
    return value


def encode_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row whose columns are not known beforehand, by JSON names."""
    return {
        f"{name.removesuffix('_blob')}_b64"
        if (isinstance(value, bytes) and not isinstance(value, JsonText)) or name.endswith("_blob")
        else name: (encode_plain(value))
        for name, value in row.items()
    }


def row_encoders(fields: Sequence[Field], sign: Encoder) -> list[tuple[str, Encoder]]:
    """JSON name and encoder of each column of a result, worked out once a route.

    sign: makes a token of a column of claims.
    """
    return [(field.json_name, sign if field.domain == CLAIMS_DOMAIN else _encoder(field)) for field in fields]


def _encoder(field: Field) -> Encoder:
    one: Encoder = encode_base64 if field.type == "bytea" else encode_plain
    if field.composite:
        one = _object_encoder(field.composite.fields)
    if not field.is_array:
        return one

    def encode_list(value: Any) -> Any:
        return [encode_list(item) for item in value] if isinstance(value, list) else one(value)

    return encode_list


def _object_encoder(fields: Sequence[Field]) -> Encoder:
    parts = [(field.json_name, _encoder(field)) for field in fields]

    def encode_object(value: Any) -> Any:
        if value is None:
            return None
        return {name: encode(part) for (name, encode), part in zip(parts, value, strict=True)}

    return encode_object


def to_json(value: Any) -> bytes:
    """JSON with times in UTC as RFC 3339 and UUIDs as strings."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)
