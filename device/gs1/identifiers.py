"""Application identifiers of GS1: the form of each, and which others it needs or excludes.

Source: the GS1 Syntax Dictionary of 2026-07-27, as facts. One line says, for identifiers of one kind: the components of
the value (N digits, X letters of the 82-character set, Y of the 39-character set, Z of base64url; a length or ..most;
[optional]; names of checks), "dl" if it may stand in the query of a Digital Link, "req" what it needs (one of the
commas, all of the plus signs), "ex" what it excludes ("*" is the rest of its own family), "key" if it is the key of a
Digital Link, with the qualifiers that may follow in this order ("|" between the ways).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from device.gs1.problems import BadElement

SHORTEST, LONGEST = 2, 4
"""Digits of an identifier."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """One application identifier."""

    code: str
    pattern: re.Pattern[str]
    """The whole value; a group for each component."""
    checks: tuple[tuple[str, ...], ...]
    """The names of the checks of each component."""
    in_query: bool
    requires: tuple[tuple[str, ...], ...]
    """One of these groups must be there as a whole; none is needed when empty."""
    excludes: tuple[str, ...]
    ways: tuple[tuple[str, ...], ...] | None
    """For a key of a Digital Link the sequences of its qualifiers."""

    @property
    def fixed(self) -> int:
        """Characters of a value that no separator ends; 0 where a separator does."""
        return fixed_length(self.code)


def find(code: str) -> Identifier:
    """Find an identifier; BadElement if there is none such."""
    lines = _lines_by_code()
    if code not in lines:
        raise BadElement("", "no such application identifier is known")
    return _read(code, lines[code])


def is_identifier(code: str) -> bool:
    """Tell whether such an identifier is known."""
    return code in _lines_by_code()


def fixed_length(code: str) -> int:
    """Give the characters of a value that no separator ends, 0 where one does; also for identifiers yet to come."""
    return _PREDEFINED.get(code[:2], len(code)) - len(code)


def leading(text: str) -> Identifier:
    """Find the identifier that a text begins with; BadElement if it begins with none."""
    for length in range(SHORTEST, LONGEST + 1):
        if is_identifier(text[:length]) and len(text) >= length:
            return find(text[:length])
    raise BadElement("", "no known application identifier stands where one must")


def fits(code: str, wanted: str) -> bool:
    """Tell whether a code is `wanted`, in which each n stands for any digit."""
    return len(code) == len(wanted) and code.startswith(wanted.rstrip("n"))


_PREDEFINED = {
    **dict.fromkeys(("11", "12", "13", "14", "15", "16", "17", "18", "19"), 8),
    **dict.fromkeys(("31", "32", "33", "34", "35", "36"), 10),
    "00": 20,
    "01": 16,
    "02": 16,
    "03": 16,
    "04": 18,
    "20": 4,
    "41": 16,
}
"""Characters of identifier and value for the first two digits (GS1 General Specifications, figure 7.8.5-2)."""

_SETS = {
    "N": "[0-9]",
    "X": r"""[!-"%-?A-Z_a-z]""",
    "Y": r"[#\-/0-9A-Z]",
    "Z": "[-0-9A-Z_a-z=]",
}
_COMPONENT = re.compile(r"(\[?)([NXYZ])(\.\.)?([0-9]+)\]?((?:,[a-z0-9]+)*)")


@functools.cache
def _lines_by_code() -> dict[str, str]:
    """Give the line of the table for each code."""
    found = {}
    for line in _TABLE.strip().splitlines():
        codes, _, rest = line.partition(": ")
        for code in _expanded(codes):
            found[code] = rest
    return found


def _expanded(codes: str) -> Iterator[str]:
    for item in codes.split(","):
        first, _, last = item.partition("-")
        yield from (str(number).zfill(len(first)) for number in range(int(first), int(last or first) + 1))


@functools.cache
def _read(code: str, line: str) -> Identifier:
    spec, *words = line.split(" ")
    rules = dict(word.partition("=")[::2] for word in words)
    components = [_COMPONENT.fullmatch(part) for part in spec.split("+")]
    own = code[:3] + "n"
    return Identifier(
        code=code,
        pattern=re.compile("".join(_component(part) for part in components if part)),
        checks=tuple(tuple(part[5].split(",")[1:]) for part in components if part),
        in_query="dl" in rules,
        requires=tuple(tuple(group.split("+")) for group in _listed(rules.get("req", ""))),
        excludes=tuple(own if each == "*" else each for each in _listed(rules.get("ex", ""))),
        ways=_ways(rules["key"]) if "key" in rules else None,
    )


def _component(match: re.Match[str]) -> str:
    optional, letters, variable, length = match[1], _SETS[match[2]], match[3], match[4]
    if variable:
        return f"({letters}{{{0 if optional else 1},{length}}})"
    return f"({letters}{{{length}}})" + ("?" if optional else "")


def _ways(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(_listed(way)) for way in text.split("|"))


def _listed(text: str) -> list[str]:
    return text.split(",") if text else []


_TABLE = """
00: N18,csum dl key
01: N14,csum dl ex=255,37 key=22,10,21|235
02: N14,csum dl ex=01,03 req=37
03: N14,csum ex=01,02,37,235
10: X..20 dl req=01,02,03,8006,8026
11,13,15,16: N6,yymmd0 dl req=01,02,03,8006,8026
12: N6,yymmd0 dl req=8020
17: N6,yymmd0 dl req=01,02,03,255,8006,8026
20: N2 dl req=01,02,03,8006,8026
21: X..20 req=01,03,8006 ex=235
22: X..20 req=01
235: X..28 req=01
240,241: X..30 dl req=01,02,03,8006,8026
242: N..6 dl req=01,02,8006,8026
243: X..20 dl req=01,03
250: X..30 dl req=01+21,03+21,8006+21
251: X..30 dl req=01,03,8006
253: N13,csum+[X..17] dl key
254: X..20 req=414
255: N13,csum+[N..12] dl key ex=01,02,415,8006,8020,8026
30: N..8 dl req=01,02
3100-3105,3110-3115,3120-3125,3130-3135,3140-3145,3150-3155,3160-3165,3200-3205,3210-3215: N6 dl req=01,02 ex=*
3220-3225,3230-3235,3240-3245,3250-3255,3260-3265,3270-3275,3280-3285,3290-3295,3500-3505: N6 dl req=01,02 ex=*
3510-3515,3520-3525,3560-3565,3570-3575,3600-3605,3610-3615,3640-3645,3650-3655,3660-3665: N6 dl req=01,02 ex=*
3300-3305,3310-3315,3320-3325,3330-3335,3340-3345,3350-3355,3360-3365,3400-3405,3410-3415: N6 dl req=00,01 ex=*
3420-3425,3430-3435,3440-3445,3450-3455,3460-3465,3470-3475,3480-3485,3490-3495,3530-3535: N6 dl req=00,01 ex=*
3540-3545,3550-3555,3620-3625,3630-3635,3670-3675,3680-3685,3690-3695: N6 dl req=00,01 ex=*
3370-3375: N6 dl req=01 ex=*
37: N..8 dl req=00+02,00+8026
3900-3909: N..15 dl req=255,8020 ex=*,391n,394n,8111
3910-3919: N3,iso4217+N..15 dl req=8020 ex=*
3920-3929: N..15 dl req=01+30,01+31nn,01+32nn,01+35nn,01+36nn ex=*,393n
3930-3939: N3,iso4217+N..15 dl req=30,31nn,32nn,35nn,36nn ex=*
3940-3943: N4 dl req=255 ex=*,8111
3950-3955: N6 dl req=30,31nn,32nn,35nn,36nn ex=392n,393n,*,8005
400,7023,90: X..30 dl
401: X..30 dl key
402: N17,csum dl key
403,4308,4319: X..30 dl req=00
410,411,412,413,416: N13,csum dl
414: N13,csum dl key=254|7040
415: N13,csum dl req=8020 key=8020
417: N13,csum dl key=7040
420: X..20 dl ex=421
421: N3+X..9 dl ex=4307
422: N3 dl req=01,02,03,8006,8026 ex=426
423,425: N3+[N3]+[N3]+[N3]+[N3] dl req=01,02,03 ex=426
424: N3 dl req=01,02,03 ex=426
426: N3 dl req=01,02,03
427: X..3 dl req=01+422,02+422,03+422
4300,4301,4310,4311,4320: X..35,pcenc dl req=00
4302,4304,4305,4306,4312,4314,4315,4316: X..70,pcenc dl req=00
4303: X..70,pcenc dl req=4302
4307,4317: X2 dl req=00
4309: N10,latitude+N10,longitude dl req=00
4313: X..70,pcenc dl req=4312
4318: X..20 dl req=00
4321,4322,4323: N1,yesno dl req=00
4324,4325: N6,yymmd0+N4,hhmi dl req=00
4326: N6,yymmdd dl req=00
4330: N6+[X1],hyphen dl req=00 ex=4331
4331: N6+[X1],hyphen dl req=00 ex=4330
4332: N6+[X1],hyphen dl req=00 ex=4333
4333: N6+[X1],hyphen dl req=00 ex=4332
7001: N13 dl req=01,02,8006,8026
7002: X..30 dl req=01,02
7003: N6,yymmdd+N4,hhmi dl req=01,02,03
7004: N..4 dl req=01+10,03+10
7005: X..12 dl req=01,02
7006: N6,yymmdd dl req=01,02
7007: N6,yymmdd+[N6],yymmdd dl req=01,02
7008: X..3 dl req=01,02
7009: X..10 dl req=01,02
7010: X..2 dl req=01,02,03
7011: N6,yymmdd+[N4],hhmi dl req=01,02,03
7020: X..20 dl req=01+416,03+416,8006+416
7021,8012: X..20 dl req=01,03,8006
7022: X..20 dl req=01+7021,03+7021,8006+7021
7030,7031,7032,7033,7034,7035,7036,7037,7038,7039: N3+X..27 dl req=01,02
7040: N1+X1+X1+X1,importeridx
7041: X..4 req=00
710,711,712,713,714,715,716,717: X..20 dl req=01
7230,7231,7232,7233,7234,7235,7236,7237,7238,7239: X2+X..28 dl req=01,8004
7240: X..20 dl req=01,8006 ex=03
7241: N2 dl req=8017,8018
7242: X..25 dl req=8017,8018
7250: N8,yyyymmdd dl req=8018 ex=7251
7251: N8,yyyymmdd+N4,hhmi dl req=8018 ex=7250
7252: N1,iso5218 dl req=8018
7253,7254: X..40,pcenc dl req=8017,8018 ex=7256,7259
7255: X..10 dl req=8017,8018 ex=7256,7259
7256: X..90,pcenc dl req=8017,8018
7257: X..70,pcenc dl req=8018
7258: X3,posinseqslash dl req=8018+7259
7259: X..40,pcenc dl req=8018 ex=7256
8001: N4,nonzero+N5,nonzero+N3,nonzero+N1,winding+N1 dl req=01
8002: X..20 dl
8003: N1,zero+N13,csum+[X..16] dl key
8004: X..30 dl key=7040
8005: N6 dl req=01,02
8006: N14,csum+N4,pieceoftotal dl ex=01,03,37 key=22,10,21
8007: X..34,iban dl req=415
8008: N6,yymmdd+N2,hh+[N2],mi+[N2],ss dl req=01,02,03
8009: X..50 dl req=00,01,03
8010: Y..30 dl key=8011
8011: N..12,nozeroprefix req=8010
8013: X..25 dl key
8014: X..25,hasnondigit req=01
8017: N18,csum dl ex=8018 key=8019
8018: N18,csum dl ex=8017 key=8019
8019: N..10 req=8017,8018
8020: X..25 req=415
8026: N14,csum+N4,pieceoftotal dl req=37 ex=02,03,8006
8030: Z..90 dl req=00,01+21,03+21,253,255,8003,8004,8006+21,8010+8011,8017,8018
8040: N15 req=01+21
8041: N15 req=01+21+8040
8042: N32 req=01+21+8040
8043: N18+[N..2] req=01+21+8040
8110: X..70,couponcode dl
8111: N4 dl req=255
8112: X..70,couponposoffer dl
8200: X..70 req=01
91-99: X..90 dl
"""
