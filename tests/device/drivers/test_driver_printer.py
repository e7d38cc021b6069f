"""Slips over python-escpos' own bytes."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import segno
from driver_rigs import FilePrinterRig, SerialPrinterRig
from driver_stand import wait_until
from hypothesis import given
from hypothesis import strategies as st
from simulated_rigs import SimulatedPrinterRig

from device.drivers.base import Slip, SlipLine, Style
from device.drivers.errors import DriverUnsupported
from device.drivers.registry import make_driver
from device.drivers.simulated.paper import PaperReader
from device.drivers.slips import PaperOptions, lay_out, printable, slip_bytes, width
from device.ports import HealthState

SLIP = Slip(
    (
        SlipLine("银座商场", style=Style.LARGE),
        SlipLine("Receipt", style=Style.CENTRED),
        SlipLine(style=Style.RULE),
        SlipLine("绿茶 500ml", "¥5.00"),
        SlipLine("Total", "5.00", style=Style.BOLD),
        SlipLine("TW1:ABC", style=Style.QR),
    )
)


def read(slip: Slip, **options) -> list[str]:
    paper = PaperOptions(**options)
    return PaperReader(paper.encoding).read(slip_bytes(slip, paper)).splitlines()


def test_slip_says_what_it_should():
    assert [line.strip() for line in read(SLIP)[:7]] == [
        "银座商场",
        "Receipt",
        "-" * 32,
        "绿茶 500ml" + " " * 17 + "¥5.00",
        "Total" + " " * 23 + "5.00",
        "[QR TW1:ABC]",
    ]


def test_chinese_printer_gets_gb18030_in_kanji_mode():
    data = slip_bytes(SLIP, PaperOptions())
    assert data.startswith(b"\x1b@\x1c&")
    assert "银座商场".encode("gb18030") in data
    assert b"\x1bt" not in data


def test_other_printer_gets_its_code_page():
    data = slip_bytes(Slip((SlipLine("Käse 5 €"),)), PaperOptions(encoding="cp858", profile="TM-T88III"))
    assert b"\x1c." in data
    assert b"\x1bt\x13" in data
    assert "Käse 5 €".encode("cp858") in data


def test_letters_that_the_code_page_lacks_do_not_stop_the_slip():
    data = slip_bytes(Slip((SlipLine("茶 tea"),)), PaperOptions(encoding="cp858"))
    assert b" tea\n" in data


@pytest.mark.parametrize("options", [{"encoding": "klingon"}, {"profile": "no such printer"}])
def test_encoding_that_does_not_exist_is_told(options):
    with pytest.raises(ValueError, match="python-escpos cannot print that"):
        slip_bytes(SLIP, PaperOptions(**options))


def test_styles_end_with_their_line():
    data = slip_bytes(Slip((SlipLine("BIG", style=Style.LARGE), SlipLine("small"))), PaperOptions())
    big, small = data.index(b"BIG"), data.index(b"small")
    assert b"\x1d!\x11" in data[:big]
    assert data[big:small].endswith(b"\x1d!\x00\x1bE\x00\x1ba\x00")


def test_qr_code_as_a_picture_has_the_right_modules():
    data = slip_bytes(Slip((SlipLine("TW1:ABC", style=Style.QR),)), PaperOptions(qr_native=False, qr_dots=1))
    at = data.index(b"\x1dv0")
    row, rows = int.from_bytes(data[at + 4 : at + 6], "little"), int.from_bytes(data[at + 6 : at + 8], "little")
    bits = np.unpackbits(np.frombuffer(data[at + 8 : at + 8 + row * rows], np.uint8)).reshape(rows, 8 * row)
    assert rows == segno.make_qr("TW1:ABC", error="l").symbol_size(border=1)[1]
    assert list(bits[1, 1:8]) == [1] * 7


def test_cutting_can_be_left_out():
    assert b"\x1dV" in slip_bytes(SLIP, PaperOptions())
    assert b"\x1dV" not in slip_bytes(SLIP, PaperOptions(cut=False))


def test_product_name_cannot_command_the_printer():
    evil = Slip((SlipLine("tea\x1b@\x1dV\x00\n\x10\x14\x01", "1\x1b.00"), SlipLine("x\x1bp", style=Style.CENTRED)))
    data = slip_bytes(evil, PaperOptions())
    harmless = slip_bytes(
        Slip((SlipLine("tea @ V    ", "1 .00"), SlipLine("x p", style=Style.CENTRED))), PaperOptions()
    )
    assert data.count(b"\x1b") == harmless.count(b"\x1b")
    assert data.count(b"\x1d") == harmless.count(b"\x1d")
    assert b"\x10" not in data


@given(st.text(max_size=120), st.text(max_size=60), st.integers(16, 48))
def test_no_line_is_wider_than_the_paper(text, right, columns):
    lines = lay_out(text, right, columns)
    assert lines
    assert all(width(line) <= columns for line in lines)
    assert all(printable(line) == line for line in lines)


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=120), st.integers(16, 48))
def test_wrapping_loses_no_letter(text, columns):
    assert "".join(lay_out(text, "", columns)) == text


@given(
    st.lists(st.builds(SlipLine, st.text(max_size=50), st.text(max_size=20), st.sampled_from(list(Style))), max_size=4)
)
def test_any_slip_gives_bytes_that_can_be_read_back(lines):
    slip = Slip(tuple(line for line in lines if line.style is not Style.QR or line.text))
    try:
        data = slip_bytes(slip, PaperOptions())
    except UnicodeEncodeError:
        pytest.fail("text that the encoding lacks stopped the slip")
    assert PaperReader("gb18030").read(data).endswith("\n") or not slip.lines


def test_slips_are_printed_in_order_and_print_returns_at_once(tmp_path):
    rig = SimulatedPrinterRig(tmp_path)
    rig.subject.start()
    begun = time.monotonic()
    for number in range(10):
        rig.subject.print(Slip((SlipLine(f"slip {number}"),)))
    assert time.monotonic() - begun < 5.0
    assert wait_until(lambda: len(rig.bench.slips(printer="rig")) == 10, 15.0)
    assert [slip.text.split("\n")[0] for slip in rig.bench.slips(printer="rig")] == [f"slip {n}" for n in range(10)]
    rig.close()


def test_paper_out_is_health_and_new_paper_heals_it(tmp_path):
    rig = SimulatedPrinterRig(tmp_path)
    rig.subject.start()
    rig.bench.break_device("printer", "rig", "paper-out")
    rig.subject.print(SLIP)
    assert rig.is_in(HealthState.FAILED)
    assert "paper" in rig.subject.health.detail
    assert not rig.bench.slips(printer="rig")
    rig.bench.mend_device("printer", "rig")
    assert rig.deliver()
    rig.close()


def test_slip_that_cannot_be_rendered_is_health_and_not_an_exception(tmp_path):
    rig = FilePrinterRig(tmp_path)
    subject = make_driver(
        "printer", "escpos", "rig", {"connection": "file", "path": str(tmp_path / "lp0"), "encoding": "klingon"}
    )
    subject.start()
    subject.print(SLIP)
    assert wait_until(lambda: subject.health.state is HealthState.FAILED, 10.0)
    assert "a slip was not printed" in subject.health.detail
    assert (tmp_path / "lp0").read_bytes() == b""
    subject.stop()
    rig.close()


def test_slip_for_an_unplugged_printer_is_dropped_and_told(tmp_path):
    rig = SerialPrinterRig(tmp_path)
    rig.subject.start()
    assert rig.is_in(HealthState.WORKING)
    rig.unplug()
    rig.subject.print(SLIP)
    assert wait_until(lambda: rig.subject.health.state is HealthState.MISSING, 10.0)
    rig.plug()
    assert rig.is_in(HealthState.WORKING)
    assert rig.taken() == b""
    rig.close()


@pytest.mark.filterwarnings("ignore:Exception ignored in.*socket")  # python-escpos leaves a refused socket open
def test_network_printer_that_is_off_is_missing(tmp_path):
    options = {"connection": "network", "host": "127.0.0.1", "port": 1, "timeout_s": 1.0}
    subject = make_driver("printer", "escpos", "slips", options)
    subject.start()
    subject.print(SLIP)
    assert wait_until(lambda: subject.health.state is HealthState.MISSING, 10.0)
    assert "cannot be opened" in subject.health.detail
    assert not wait_until(lambda: subject.health.state is not HealthState.MISSING, 1.5)
    subject.stop()


def test_printer_that_takes_nothing_does_not_hold_up_the_terminal(tmp_path):
    os.mkfifo(tmp_path / "lp0")
    subject = make_driver("printer", "escpos", "slips", {"connection": "file", "path": str(tmp_path / "lp0")})
    subject.start()
    for _ in range(30):
        subject.print(SLIP)
    assert wait_until(lambda: subject.health.state is HealthState.FAILED, 10.0)
    begun = time.monotonic()
    subject.stop()
    assert time.monotonic() - begun < 5.0
    with (tmp_path / "lp0").open("rb") as fifo:  # lets the thread that was left behind end
        assert fifo.read()
    assert subject.health.state is HealthState.STOPPED


def test_usb_printer_without_pyusb_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    options = {"connection": "usb", "vendor_id": 0x04B8, "product_id": 0x0E15}
    with pytest.raises(DriverUnsupported, match="pip install pyusb"):
        make_driver("printer", "escpos", "slips", options).start()


def test_printing_leaves_no_folder_behind(tmp_path: Path) -> None:
    program = "from device.drivers.escpos_loader import load_escpos; load_escpos().Dummy(profile='TM-T88III')"
    subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ, "TMPDIR": str(tmp_path)})
    assert list(tmp_path.iterdir()) == []
