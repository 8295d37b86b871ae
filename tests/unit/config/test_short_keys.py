"""An operator is told of keys that are too short to be hidden, and never by quoting one."""

from __future__ import annotations

from headgate.config.checks.short_keys import short_key_warnings
from headgate.config.provider_keys import ProviderKeySettings
from headgate.config.settings import ProviderSettings


def test_each_short_key_is_named_by_its_place():
    keys = (
        ProviderKeySettings(name="a", api_key="zq7"),
        ProviderKeySettings(name="b", api_key="zq7-enough"),
    )
    found = short_key_warnings(
        {
            "local": ProviderSettings(api_key="zq7-xyz"),
            "pool": ProviderSettings(keys=keys),
            "none": ProviderSettings(),
            "fine": ProviderSettings(api_key="zq7-8chr"),
        }
    )
    assert [line.partition(" ")[0] for line in found] == [
        "providers.local.api_key",
        "providers.pool.keys[0].api_key",
    ]
    assert "zq7" not in "".join(found)
