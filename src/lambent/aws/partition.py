"""What the names of AWS's hosts end with, region by region. Pure.

Source: botocore's partitions.json.
"""

from __future__ import annotations

_SUFFIXES = {
    "cn-": "amazonaws.com.cn",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
    "eu-isoe-": "cloud.adc-e.uk",
}
"""Begin of a region's name → what hosts there end with; elsewhere `amazonaws.com`."""


def suffix(region: str) -> str:
    """Return `amazonaws.com`, or what stands there in the region's partition."""
    return next((suffix for begin, suffix in _SUFFIXES.items() if region.startswith(begin)), "amazonaws.com")
