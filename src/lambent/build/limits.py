"""What Lambda takes, by its page "Lambda quotas"; it counts a megabyte as 1024 x 1024 bytes."""

from __future__ import annotations

MEGABYTE = 1024 * 1024
DIRECT = 50 * MEGABYTE
"""Of a zip, where it is uploaded without S3."""
UNZIPPED = 250 * MEGABYTE
"""Of a function and its layers together."""
IMAGE = 10 * 1024 * MEGABYTE
CONSOLE = 3 * MEGABYTE
"""Of a zip whose source the console still shows."""
NEAR = 0.8


def megabytes(size: int) -> str:
    """`4.6 MB`; below one, `310 kB`; whole gigabytes, `10 GB`."""
    if size >= 1024 * MEGABYTE and size % (1024 * MEGABYTE) == 0:
        return f"{size // (1024 * MEGABYTE)} GB"
    if size < MEGABYTE:
        return f"{size / 1024:.0f} kB" if size >= 1024 else f"{size} B"
    return f"{size / MEGABYTE:.1f} MB"


def too_large(unzipped: int, parts: tuple[tuple[str, int], ...], *, image: bool = False) -> str:
    """What to do about what Lambda will not take; empty if it does."""
    most = IMAGE if image else UNZIPPED
    if unzipped <= most:
        return ""
    largest = ", ".join(f"{name} ({megabytes(size)})" for name, size in parts[:5])
    ways = (
        "Leave out what is not needed"
        if image
        else (
            "Leave out what is not needed (boto3 comes with Lambda's Pythons: --without-boto), or build an image, "
            "which may have 10 GB: --image"
        )
    )
    return (
        f"Expected {megabytes(most)} at most, as Lambda takes it{'' if image else ' unzipped, layers included'}, "
        f"but it is {megabytes(unzipped)}. The largest parts: {largest}. {ways}."
    )


def notes(size: int, unzipped: int) -> tuple[str, ...]:
    """What the maker of a zip should know about its sizes."""
    found = []
    if size > DIRECT:
        found.append(f"A zip of more than {megabytes(DIRECT)} goes to Lambda by way of S3.")
    elif size > NEAR * DIRECT:
        found.append(f"{megabytes(size)} of {megabytes(DIRECT)} that can be uploaded without S3.")
    if unzipped > NEAR * UNZIPPED:
        found.append(
            f"{megabytes(UNZIPPED - unzipped)} are left for layers: Lambda takes {megabytes(UNZIPPED)} unzipped in all."
        )
    return tuple(found)
