"""The strategies of routes, one file each; `in_order` needs none."""

from headgate.gateway.strategies.cheapest import Cheapest
from headgate.gateway.strategies.fastest import Fastest
from headgate.gateway.strategies.strategy import Strategy
from headgate.gateway.strategies.tiered import Tiered
from headgate.gateway.strategies.weighted import Weighted

__all__ = ["Cheapest", "Fastest", "Strategy", "Tiered", "Weighted"]
