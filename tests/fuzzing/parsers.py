"""Every parser that takes bytes from outside, the ways in which it may refuse them, and sound inputs to begin with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from outside import KEY, as_signed, first_messages, json_body
from scanner_parsers import SCANNER_PARSERS

from device.decode import camera_wire, scanned, symbologies
from device.drivers.base import Scan
from device.drivers.framing import Framer
from device.drivers.keyboard import KeyDecoder
from device.gs1 import carriers, coupons, elements, gtin, labels, link
from device.gs1.problems import Gs1Problem
from device.payment.classifying import Awaits, Classifier, MemberShape
from device.ports import Reading, Source
from device.server.problems import Refusal
from keys.certificates import CertificateUnusable, parse_certificate
from protocol import answers, cbor, emv_qr, money, phone, questions, records, tokens, transport
from protocol.envelope import ContentType, take_apart
from protocol.errors import ProtocolProblem
from protocol.waveform import ggwave_frame

AIMS = ("", "]C0", "]C1", "]E0", "]E3", "]E4", "]I1", "]Q1", "]Q3", "]d2", "]e0", "]J1", "]X0")
SYMBOLOGIES = ("UNKNOWN", "EAN13", "EAN8", "UPCE", "QR", "CODE128", "DATABAR")
GTIN = b"0109521234543213"
COUPON = b"0123456123456111101233261231"
LONG_COUPON = b"106141410222223100110222111101231023456721104561045678991201"
LAYOUTS = (labels.Layout("21IIIIIPPPPPC"), labels.Layout("26IIIIIPPPPPWWWWWC"), *labels.COUNTRIES["germany"])
SHOPPER = b"hQVDUFYwMWEaTwegAAAAVVVVVw8SNFZ4kBI0WNGRIgESNF8="
LINKS = (
    b"https://id.gs1.org/01/09521234543213/10/ABC/21/7?17=261231&3103=000486",
    b"https://a/8004/9520614141234567?01=09520123456788",
)


@dataclass(frozen=True, slots=True)
class Parser:
    """One parser; anything raised but a refusal is a finding."""

    name: str
    read: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...]
    seeds: tuple[bytes, ...]


def text_of(data: bytes) -> str:
    return Reading(Source.SCANNER, "fuzz", "QR", data, 0).text


def of_text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: read(text_of(data))


def frame(data: bytes) -> object:
    """Cut the input into pieces, at places that its first bytes say, and frame them."""
    framer = Framer(("any", "cr", "crlf", "none")[len(data) % 4])  # type: ignore[arg-type]
    frames, place, now = [], 0, 0
    while place < len(data):
        size = 1 + data[place] % 7
        now += data[place] * 10
        frames += framer.feed(data[place : place + size], now)
        place += size
    return frames + framer.expire(now + 10_000)


def press(data: bytes) -> object:
    decoder = KeyDecoder()
    return [decoder.feed(code, value % 3) for code, value in zip(data[::2], data[1::2], strict=False)]


CLASSIFIER = Classifier(members=(MemberShape(r"10\d{16}"),), layouts=LAYOUTS, sells=lambda item: item[-2] in "02468")


def classify(data: bytes) -> object:
    """Let the first three bytes say where the rest was read, and what the sale waits for."""
    where = (data[:3] + bytes(3))[:3]
    reading = Reading(
        (Source.SCANNER, Source.OPTICAL, Source.ACOUSTIC)[where[0] % 3],
        "fuzz",
        SYMBOLOGIES[where[1] % len(SYMBOLOGIES)],
        data[3:],
        0,
        AIMS[where[2] % len(AIMS)],
    )
    repr(reading)
    return repr(CLASSIFIER.classify(reading, Awaits(goods=where[0] % 2 == 0, member=where[0] % 5 == 0)))


def carry(data: bytes) -> object:
    return carriers.read_carrier(AIMS[(data or b"\0")[0] % len(AIMS)], text_of(data[1:]))


def read_labels(data: bytes) -> object:
    return [labels.read_label(layout, text_of(data)) for layout in LAYOUTS if labels.is_laid_out(layout, text_of(data))]


def read_tokens(data: bytes) -> object:
    if len(data) == tokens.SIGNED_BYTES:
        return tokens.parse_signed_token(data)
    return tokens.parse_short_token(data)


def camera_lines(data: bytes) -> object:
    return [camera_wire.decode_from_process(line) for line in camera_wire.Lines().feed(data.rstrip(b"\n") + b"\n")]


CAMERA = (
    camera_wire.encode(camera_wire.Beat(frames=5)),
    camera_wire.encode(camera_wire.Seen(symbology="QR", raw=b"TWC:ABCDEFGHABCDEFGH", aim="]Q1", at_ms=5)),
)
SCAN = (b"]E06901234567892", b"]C1" + GTIN + b"10A\x1d99B", b"280389411343685293\r\n", b"]Q1TWC:ABCDEFGHABCDEFGH")
MESSAGES = first_messages()
PARSERS = (
    Parser("scanner text", lambda raw: scanned.reading_of(Scan(raw, "x", 0)), (scanned.ScanRefused,), SCAN),
    Parser("scanner frames", frame, (), SCAN),
    Parser("keyboard events", press, (), (bytes((42, 1, 30, 1, 30, 0, 42, 0, 28, 1)),)),
    Parser("AIM identifier", symbologies.split_aim, (), SCAN),
    Parser("reading", classify, (), tuple(b"\0\0" + bytes([aim]) + seed for aim in range(5) for seed in SCAN)),
    Parser("what a code carries", carry, (Gs1Problem,), tuple(b"\2" + seed[3:] for seed in SCAN)),
    Parser(
        "element string",
        of_text(elements.read_element_string),
        (Gs1Problem,),
        (GTIN + b"3103000486392299\x1d17261231", b"8110" + COUPON, b"8007GB82WEST12345698765432\x1d"),
    ),
    Parser("brackets", of_text(elements.read_bracketed), (Gs1Problem,), (b"(01)09521234543213(10)A\\(1(17)261231",)),
    Parser("digital link", of_text(link.read_link), (Gs1Problem,), LINKS),
    Parser("AI 8110", of_text(coupons.read_manufacturer_coupon), (Gs1Problem,), (COUPON, LONG_COUPON)),
    Parser("AI 8112", of_text(coupons.read_positive_offer), (Gs1Problem,), (b"001234561234560123456",)),
    Parser("GTIN", of_text(gtin.read_gtin), (Gs1Problem,), (b"6901234567892", b"96385074", b"09521234543213")),
    Parser("UPC-E", of_text(gtin.read_upce), (Gs1Problem,), (b"04252614",)),
    Parser("label of a scale", read_labels, (Gs1Problem,), (b"2106013040083", b"260123401250005001", b"2211114002394")),
    Parser("merchant code", of_text(emv_qr.parse_merchant_code), (emv_qr.EmvQrProblem,), MESSAGES["merchant"]),
    Parser("challenge code", of_text(emv_qr.read_challenge_code), (emv_qr.EmvQrProblem,), MESSAGES["challenge"]),
    Parser("shopper code", of_text(emv_qr.parse_shopper_code), (emv_qr.EmvQrProblem,), (SHOPPER,)),
    Parser("challenge by sound", tokens.Challenge.from_sound, (ProtocolProblem,), MESSAGES["sound"]),
    Parser("token text", of_text(tokens.token_from_text), (ProtocolProblem,), MESSAGES["token text"]),
    Parser("token", read_tokens, (ProtocolProblem,), MESSAGES["token"]),
    Parser("ggwave frame", ggwave_frame.unseal, (), (ggwave_frame.seal(bytes(16)),)),
    Parser("amount", lambda raw: money.parse_decimal(text_of(raw), "CNY"), (ValueError,), (b"12.30", b"-5", b"0.01")),
    Parser("CBOR", cbor.decode, (ProtocolProblem,), MESSAGES["record"]),
    Parser("record", records.parse_record, (ProtocolProblem,), MESSAGES["record"]),
    Parser("envelope", lambda raw: take_apart(raw, ContentType.RECORD), (ProtocolProblem,), MESSAGES["envelope"]),
    Parser("run of records", transport.unpack_run, (ProtocolProblem,), MESSAGES["run"]),
    Parser("birth", transport.read_birth, (ProtocolProblem,), MESSAGES["birth"]),
    Parser("phone", lambda raw: phone.read_phone(phone.Order, raw), (ProtocolProblem,), MESSAGES["phone"]),
    Parser(
        "signed question",
        as_signed(ContentType.QUESTION, lambda raw: questions.open_question(raw, KEY.public_key)),
        (ProtocolProblem,),
        MESSAGES["question"],
    ),
    Parser(
        "signed answer",
        as_signed(ContentType.ANSWER, lambda raw: questions.open_answer(raw, KEY.public_key)),
        (ProtocolProblem,),
        MESSAGES["answer"],
    ),
    Parser(
        "signed decision",
        as_signed(ContentType.DECISION, lambda raw: answers.open_answer(answers.Decision, raw, KEY.public_key)),
        (ProtocolProblem,),
        MESSAGES["decision"],
    ),
    Parser(
        "signed beat",
        as_signed(ContentType.BEAT, lambda raw: answers.open_answer(answers.Beat, raw, KEY.public_key)),
        (ProtocolProblem,),
        MESSAGES["beat"],
    ),
    Parser("point of a curve", phone.point_to_key, (ProtocolProblem,), MESSAGES["point"]),
    Parser("certificate", parse_certificate, (CertificateUnusable,), MESSAGES["certificate"]),
    Parser("register's request", json_body, (Refusal,), MESSAGES["request"]),
    Parser("line of the camera", camera_lines, (camera_wire.WireError,), CAMERA),
    *(Parser(*parser) for parser in SCANNER_PARSERS),
)
