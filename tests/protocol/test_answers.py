"""What settlement says is signed by settlement."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import BEAT, DECISION, RECEIPT
from signing import make_key

from protocol.answers import Beat, Decision, Receipt, open_answer, seal_answer
from protocol.errors import Forged, Malformed, ProtocolProblem

KEY = make_key()
KINDS = (Decision, Receipt, Beat)


@pytest.mark.parametrize("said", [DECISION, RECEIPT, BEAT], ids=lambda said: type(said).__name__)
def test_what_settlement_says_comes_back(said: Decision | Receipt | Beat) -> None:
    message = seal_answer(said, KEY)
    assert open_answer(type(said), message, KEY.public_key) == said
    with pytest.raises(Forged):
        open_answer(type(said), message, make_key().public_key)


@pytest.mark.parametrize("said", [DECISION, RECEIPT, BEAT], ids=lambda said: type(said).__name__)
def test_one_answer_does_not_pass_for_another(said: Decision | Receipt | Beat) -> None:
    message = seal_answer(said, KEY)
    for kind in KINDS:
        if kind is not type(said):
            with pytest.raises(Malformed):
                open_answer(kind, message, KEY.public_key)


@given(st.binary(max_size=100), st.sampled_from(KINDS))
def test_any_bytes_are_refused(data: bytes, kind: type[Decision]) -> None:
    with pytest.raises(ProtocolProblem):
        open_answer(kind, data, KEY.public_key)
