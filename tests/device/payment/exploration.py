"""Every story of one sale up to a length, equal situations told once, and what has to hold in each of them."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass

from world import Whereabouts, World, answer_password, begin, futures, hear, pass_time, take

from device.payment.checkout import next_tick_ms
from device.payment.sale import DECLINED_LATE
from device.payment.views import Phase
from protocol.records import Mode, Verdict

_PATIENCE = 60
"""Rounds after which a sale must have ended once everybody answers."""


class Broken(AssertionError):
    """A story after which something does not hold."""

    def __init__(self, why: str, story: Iterable[str], world: World) -> None:
        super().__init__(f"{why}: {' > '.join(story)}\n{world}")


@dataclass(frozen=True, slots=True)
class Explored:
    """What was looked at."""

    stories: int
    """Steps tried."""
    situations: int
    """Different worlds that were found."""


def explore(length: int, *, minor: int | None = 1_000) -> Explored:
    """Tell all stories of up to `length` events; Broken for the first that ends wrong."""
    seen = {begin(minor)}
    edge: list[tuple[World, tuple[str, ...]]] = [(world, ()) for world in seen]
    settled: set[World] = set()
    stories = 0
    for _ in range(length):
        next_edge = []
        for world, story in edge:
            for name, future in futures(world):
                stories += 1
                if future not in seen:
                    seen.add(future)
                    told = (*story, name)
                    check(future, told, settled)
                    next_edge.append((future, told))
        edge = next_edge
    return Explored(stories, len(seen))


def wander(events: int, seed: int) -> Explored:
    """Tell random stories until `events` have happened."""
    chance, settled, seen = random.Random(seed), set[World](), 0
    left = events
    while left > 0:
        world = begin(chance.choice([1_000, None]))
        story: list[str] = []
        for _ in range(min(left, chance.randint(5, 60))):
            name, world = chance.choice(list(futures(world)))
            story.append(name)
            check(world, story, settled)
            left -= 1
        seen += 1
        settled.clear()
    return Explored(events, seen)


def check(world: World, story: Iterable[str], settled: set[World]) -> None:
    """Raise Broken unless everything holds now, and at the end of every ending that this world can have."""
    if why := fault_of(world):
        raise Broken(why, story, world)
    for password in (Verdict.APPROVED, Verdict.DECLINED):
        for acquirer in (Verdict.APPROVED, Verdict.DECLINED):
            end = settle_down(world, password, acquirer, settled)
            if end is not None and (why := fault_of(end) or fault_of_end(end)):
                raise Broken(f"{why} (at last: {password.name}, {acquirer.name})", story, end)


def fault_of(world: World) -> str:
    """Say what must never be, empty if all is well."""
    sale = world.sale
    is_paid = sale.phase is Phase.PAID
    if is_paid != bool(sale.payment) or world.approved != frozenset({sale.payment} - {""}):
        return "paid without a record that says so, or a record without a payment"
    if world.ends != sale.phase.is_final:
        return "a sale ends once"
    if sale.payment in world.reversed_:
        return "what pays is reversed"
    if sale.phase.is_final and not world.intents <= world.told | world.reversed_:
        return "an intent without an end"
    if (next_tick_ms(sale) is None) is not sale.phase.is_final:
        return "a sale that waits for nothing"
    return ""


def fault_of_end(world: World) -> str:
    """Say what must not be once everybody has heard everything."""
    sale = world.sale
    if not sale.phase.is_final:
        return "a sale that never ends"
    if world.queue:
        return "records that nobody takes"
    if sale.phase is not Phase.PAID:
        return "charged and not paid" if world.charged_minor else ""
    accepted_offline = sale.attempt is not None and sale.attempt.mode is Mode.OFFLINE
    if world.charged_minor == sale.due.minor:
        return "" if world.where(sale.payment) is Whereabouts.CHARGED else "paid by something else"
    is_loss = accepted_offline and not world.charged_minor and sale.reason == DECLINED_LATE
    return "" if is_loss else "paid and not charged what was due"


def settle_down(world: World, password: Verdict, acquirer: Verdict, settled: set[World]) -> World | None:
    """Let everybody hear everything until nothing changes; None if this world's end was looked at before."""
    key = world
    if password is Verdict.APPROVED and acquirer is Verdict.APPROVED:
        if key in settled:
            return None
        settled.add(key)
    for _ in range(_PATIENCE):
        before = world
        while world.queue:
            world = take(world, acquirer)
        for subject in [name for name, where, _ in world.money if where is Whereabouts.PENDING]:
            world = answer_password(world, subject, password)
        for said in sorted(world.said, key=repr):
            world = hear(world, said)
        if world == before and world.sale.phase.is_final:
            break
        if not world.sale.phase.is_final:
            world = pass_time(world)
    return world


def main() -> None:
    """Explore from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--length", type=int, default=10, help="of the longest story (default 10)")
    parser.add_argument("--events", type=int, default=1_000_000, help="random events besides (default 1,000,000)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for minor in (1_000, None):
        began = time.monotonic()
        explored = explore(options.length, minor=minor)
        _say(f"{'basket' if minor is None else 'amount'}: {explored}", began)
    if options.events:
        began = time.monotonic()
        _say(f"random: {wander(options.events, options.seed)}", began)


def _say(what: str, began: float) -> None:
    sys.stdout.write(f"{what} in {time.monotonic() - began:.0f} s\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
