"""From a picture of a code to a piece of goods, by the identifier that the decoder gives."""

from __future__ import annotations

import numpy as np
import pytest
import zxingcpp

from device.decode.optical import read_still
from device.gs1.items import TradeItem
from device.gs1.labels import Layout
from device.gs1.measures import Measure
from device.payment.classifying import Classifier
from device.payment.presented import Goods

GTIN = "09521234543213"
CLASSIFIER = Classifier(layouts=(Layout("21IIIIIPPPPPC"), Layout("26IIIIIPPPPPWWWWWC")), sells=lambda _: True)


def picture(kind: str, text: str, *, gs1: bool) -> np.ndarray:
    code = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, kind), **({"gs1": True} if gs1 else {}))
    return np.pad(np.array(zxingcpp.write_barcode_to_image(code, scale=4)), 60, constant_values=255)


@pytest.mark.parametrize(
    ("kind", "text", "gs1", "item"),
    [
        ("EAN13", "6901234567892", False, TradeItem(gtin="06901234567892")),
        ("EAN13", "2106013040083", False, TradeItem(gtin="02106013000001", price=Measure(4008, 2))),
        (
            "Code128",
            "260123401250005001",
            False,
            TradeItem(gtin="02601234000002", price=Measure(1250, 2), weight=Measure(500, 3)),
        ),
        ("Code128", f"(01){GTIN}(10)ABC(17)261231", True, TradeItem(gtin=GTIN, use_by="261231")),
        ("DataMatrix", f"(01){GTIN}(21)7(3103)000195", True, TradeItem(gtin=GTIN, weight=Measure(195, 3), serial="7")),
        ("QRCode", f"(01){GTIN}(10)ABC(15)261231", True, TradeItem(gtin=GTIN, best_before="261231")),
        ("DataBarExpanded", f"(01){GTIN}(3103)000195", False, TradeItem(gtin=GTIN, weight=Measure(195, 3))),
        ("QRCode", f"https://id.gs1.org/01/{GTIN}?17=261231", False, TradeItem(gtin=GTIN, use_by="261231")),
    ],
)
def test_a_picture_of_a_code_is_goods(kind: str, text: str, gs1: bool, item: TradeItem) -> None:
    readings = read_still(picture(kind, text, gs1=gs1))
    assert [CLASSIFIER.classify(reading) for reading in readings] == [Goods(item)]
