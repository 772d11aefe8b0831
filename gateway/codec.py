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
from .problems import Problem, invalid
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

LAST_OF_ONE, LAST_OF_TWO = frozenset("AQgw"), frozenset("AEIMQUYcgkosw048")
"""The last character of base64 that ends in one or two bytes: four or two of its bits are over."""

LONGEST_LIST = 5000
"""Elements; decoding more would hold up other callers."""


class JsonText(bytes):
    """A value that is JSON already, as the database wrote it."""


Encoder = Callable[[Any], Any]
Decoder = Callable[[Any, bool], Any]
"""Of a value, and whether it is a string of a URL. Raises MalformedError."""

ABSENT: Any = object()
"""In the place of what was not sent."""


class MalformedError(Exception):
    """A value is not of its type. path: where, in JSON; put together on the way out, as nearly all values are well."""

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path

    def problem(self, name: str) -> Problem:
        """422 for the field of this name, or what is inside of it."""
        return invalid(f"{name}{self.path}".removeprefix("."), self.reason)


def arguments_decoder(fields: Sequence[Field]) -> Callable[[Mapping[str, Any], bool], dict[str, Any]]:
    """What makes the values of an argument list, by SQL name, of what was sent by JSON name; worked out once a route.

    It raises Problem 422 naming the first field that is unknown, missing or malformed.
    """
    decode_fields = _fields_decoder(fields, lambda _: ABSENT)
    names = [field.name for field in fields]

    def decode_arguments(sent: Mapping[str, Any], is_text: bool) -> dict[str, Any]:
        try:
            values = decode_fields(sent, is_text)
        except MalformedError as error:
            raise error.problem("") from None
        return {name: value for name, value in zip(names, values, strict=True) if value is not ABSENT}

    return decode_arguments


def string_decoder(field: Field) -> Callable[[str, str], Any]:
    """What makes the value of a field of the string in a path or a header, whose name comes second; worked out once a route.

    It raises Problem 422 for that name.
    """
    decode_one = _decoder(field)

    def decode_string(value: str, name: str) -> Any:
        try:
            return decode_one(value, True)
        except MalformedError as error:
            raise error.problem(name) from None

    return decode_string


def _fields_decoder(
    fields: Sequence[Field], absent: Callable[[Field], Any]
) -> Callable[[Mapping[str, Any], bool], list[Any]]:
    """absent: what stands for a field that was not sent and need not be."""
    parts = [(field.json_name, _decoder(field), field.is_required, absent(field)) for field in fields]

    def decode_fields(sent: Mapping[str, Any], is_text: bool) -> list[Any]:
        values = []
        unread = len(sent)
        for name, decode_one, is_required, default in parts:
            if name in sent:
                unread -= 1
                value = sent[name]
                try:
                    values.append(None if value is None else decode_one(value, is_text))
                except MalformedError as error:
                    error.path = f".{name}{error.path}"
                    raise
            elif is_required:
                raise MalformedError("is missing", f".{name}")
            else:
                values.append(default)
        if unread:
            known = {name for name, *_ in parts}
            raise MalformedError("is unknown", f".{next(name for name in sent if name not in known)}")
        return values

    return decode_fields


def _decoder(field: Field) -> Decoder:
    """Of a value of a field's type, or of a list of them; of no null."""
    if field.composite:
        one = _composite_decoder(field.composite)
    else:
        one = _labels_decoder(field.labels) if field.labels else _scalar_decoder(field)
    if not field.is_array:
        return one
    # A null in a list of objects is nobody's wish.
    element = one if field.composite else _or_null(one)

    def decode_list(value: Any, is_text: bool) -> Any:
        if not isinstance(value, list):
            raise MalformedError("must be a list")
        if len(value) > LONGEST_LIST:
            raise MalformedError(f"must have at most {LONGEST_LIST} elements")
        decoded: list[Any] = []
        try:
            # Its length is the place of what is malformed.
            for item in value:
                decoded.append(element(item, is_text))
        except MalformedError as error:
            error.path = f"[{len(decoded)}]{error.path}"
            raise
        return decoded

    return decode_list


def _or_null(decoder: Decoder) -> Decoder:
    return lambda value, is_text: None if value is None else decoder(value, is_text)


def _composite_decoder(composite: Composite) -> Decoder:
    is_signed = composite.name == SIGNED_TYPE
    # Those left out have a domain's default; a composite is sent whole.
    decode_fields = _fields_decoder(SIGNED_FIELDS if is_signed else composite.fields, lambda field: field.constant)

    def decode_composite(value: Any, _is_text: bool) -> Any:
        if not isinstance(value, dict):
            raise MalformedError("must be an object")
        values = decode_fields(value, False)
        if is_signed:
            values = _recover_signer(values)
        # What the driver takes for a value of this type; it makes the class after this decoder.
        return tuple.__new__(cast(type[tuple[Any, ...]], composite.info.python_type), values)

    return decode_composite


def _recover_signer(signed: list[Any]) -> list[Any]:
    """A text and its signer, of the text and its signature."""
    for field, value in zip(SIGNED_FIELDS, signed, strict=True):
        if value is None:
            raise MalformedError("is missing", f".{field.json_name}")
    message, signature = signed
    try:
        return [message, recover_signer(message, signature)]
    except NotSignedError as error:
        # Nobody can have made it.
        raise MalformedError(str(error), ".signature") from None


def _labels_decoder(labels: Sequence[str]) -> Decoder:
    def decode_label(value: Any, _is_text: bool) -> Any:
        if value not in labels:
            raise MalformedError(f"must be one of {', '.join(labels)}")
        return value

    return decode_label


def _scalar_decoder(field: Field) -> Decoder:
    if field.domain == WALLET_DOMAIN:
        return _wallet
    if field.type in INTEGER_BITS:
        return _integer_decoder(INTEGER_BITS[field.type])
    return DECODERS.get(field.type, _text)


def _text(value: Any, _is_text: bool) -> str:
    if not isinstance(value, str):
        raise MalformedError("must be a string")
    # PostgreSQL stores neither a NUL nor half of a surrogate pair, and it would say so without naming the field.
    try:
        value.encode()
    except UnicodeEncodeError:
        raise MalformedError("has a character that can't be stored") from None
    if "\x00" in value:
        raise MalformedError("has a character that can't be stored")
    return value


def _wallet(value: Any, is_text: bool) -> str:
    address = checksum_address(_text(value, is_text))
    if address is None:
        raise MalformedError(WALLET_WORDS)
    return address


def _uuid(value: Any, _is_text: bool) -> str:
    if not isinstance(value, str) or not UUID_FORM.fullmatch(value):
        raise MalformedError("must be a UUID")
    return value.lower()


def _integer_decoder(bits: int) -> Decoder:
    def decode_integer(value: Any, is_text: bool) -> int:
        if is_text and INTEGER_FORM.fullmatch(value):
            value = int(value)
        if type(value) is not int or not -(1 << bits) <= value < 1 << bits:
            raise MalformedError(f"must be an integer from {-(1 << bits)} to {(1 << bits) - 1}")
        return value

    return decode_integer


def _boolean(value: Any, is_text: bool) -> bool:
    if is_text:
        value = {"true": True, "false": False}.get(value)
    if not isinstance(value, bool):
        raise MalformedError("must be true or false")
    return value


def _bytes(value: Any, _is_text: bool) -> bytes:
    try:
        decoded = pybase64.b64decode(value, validate=True)
        # One canonical form: the bits that padding leaves over must be zero.
        if value[-1:] == "=" and value[-3:].rstrip("=")[-1:] not in (LAST_OF_ONE if value[-2] == "=" else LAST_OF_TWO):
            raise ValueError
    except (binascii.Error, ValueError, TypeError):
        raise MalformedError("must be base64 in the standard alphabet, padded, without line breaks") from None
    return decoded


def _number(value: Any, _is_text: bool) -> Decimal:
    try:
        decimal = Decimal(value) if isinstance(value, str) or type(value) is int else Decimal("nan")
    except InvalidOperation:
        decimal = Decimal("nan")
    if not decimal.is_finite():
        raise MalformedError("must be a decimal number as a string")
    return decimal


def _float(value: Any, is_text: bool) -> float:
    try:
        return float(value if is_text or type(value) in (int, float) else "")
    except ValueError:
        raise MalformedError("must be a number") from None


def _time(value: Any, _is_text: bool) -> datetime:
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        time = None
    if time is None or time.tzinfo is None:
        raise MalformedError("must be a time as in RFC 3339, with its zone")
    return time


def _date(value: Any, _is_text: bool) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise MalformedError("must be a date like 2026-01-31") from None


def _interval(value: Any, _is_text: bool) -> str:
    if not isinstance(value, str) or not INTERVAL_FORM.fullmatch(value):
        raise MalformedError("must be a length of time like 5 minutes or PT5M")
    return value


def _json(value: Any, is_text: bool) -> Jsonb:
    if is_text:
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            raise MalformedError("must be JSON") from None
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
"""By SQL type, beside integers; all others (text, …) travel as strings."""


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
