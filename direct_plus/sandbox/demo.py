"""The demo world."""

from direct_plus.sandbox.world import World


def start_demo(world: World, every: float) -> None:
    raise NotImplementedError
