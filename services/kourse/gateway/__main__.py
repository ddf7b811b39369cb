"""Builds the gateway and serves it."""

from kourse.gateway.app import gateway
from kourse.gateway.settings import GatewaySettings
from kourse.kit.runtime import run

if __name__ == "__main__":
    run(gateway(GatewaySettings.load()))
