"""Calls between services: short, with a deadline, by callers that show who they are."""

from kourse.kit.rpc.channels import Channels
from kourse.kit.rpc.server import RpcServer, caller

__all__ = ["Channels", "RpcServer", "caller"]
