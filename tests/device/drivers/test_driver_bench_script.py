"""Scripts work a bench line by line."""

import pytest
from driver_stand import wait_until
from simulated_rigs import SimulatedScannerRig

from device.drivers.simulated.bench import Bench
from device.drivers.simulated.script import BadScript, read_script, run_script

on = pytest.mark.parametrize


@pytest.fixture
def rig(request, tmp_path):
    rig = request.param(tmp_path)
    rig.subject.start()
    yield rig
    rig.close()


@on("rig", [SimulatedScannerRig], indirect=True)
def test_script_is_run_line_by_line(rig, tmp_path):
    script = tmp_path / "day.bench"
    script.write_text(
        "# a scanner comes and goes\n"
        "wait-for scanner rig\n"
        "type 6901234567892 scanner=rig aim=]E0 pieces=3,4 pause=1\n\n"
        "wait 0.05\n"
        "unplug scanner rig   # pulled out\n"
        "wait-for scanner rig missing seconds=2\n"
        "plug scanner rig\n"
        "type 'https://a.example/?x=1 2' scanner=rig\n",
        encoding="utf-8",
    )
    said = []
    run_script(rig.bench, script, said.append)
    assert wait_until(lambda: len(rig.delivered) == 2)
    assert [scan.raw for scan in rig.delivered] == [b"]E06901234567892", b"https://a.example/?x=1 2"]
    assert len(said) == 7
    assert said[3] == "unplug scanner rig"


@on(
    ("line", "text"),
    [
        ("fly", 'line 2: there is no command "fly"; known are wait, '),
        ("wait", 'line 2: "wait" takes 1 words'),
        ("wait-for camera", '"wait-for" takes 2 to 3 words'),
        ("show-qr X tilt=much", 'line 2: "much" is no value for "tilt"'),
        ("type 'open", "line 2: No closing quotation"),
    ],
)
def test_bad_script_is_refused_before_anything_is_done(tmp_path, line, text):
    script = tmp_path / "bad.bench"
    script.write_text(f"press\n{line}\n", encoding="utf-8")
    with pytest.raises(BadScript, match=text):
        read_script(script)
    with pytest.raises(BadScript, match=text):
        run_script(Bench(tmp_path, patience_s=0.0), script)


def test_script_says_which_line_a_device_refused(tmp_path):
    script = tmp_path / "lonely.bench"
    script.write_text("\npress\n", encoding="utf-8")
    with pytest.raises(BadScript, match=r"lonely.bench, line 2: no simulated button"):
        run_script(Bench(tmp_path, patience_s=0.0), script)
