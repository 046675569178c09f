"""A Direct+ to run on this machine, over real HTTP: the whole remote contract, with a control API to steer it."""

from direct_plus.sandbox.control.client import SandboxControl, SandboxError
from direct_plus.sandbox.run import Sandbox, serve, start_sandbox

__all__ = ["Sandbox", "SandboxControl", "SandboxError", "serve", "start_sandbox"]
