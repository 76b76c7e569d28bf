"""What clears up after the local Lambda itself was killed and could not.

A shell, for that is a small process: it reads from a pipe which process groups there are. When the pipe ends, because
whoever writes to it has ended, however that came about, it kills those that are left; frozen ones too. Then it removes
the folders that it was told of.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

SHELL = "/bin/sh"
SCRIPT = """
groups=" "
while read -r step group; do
    case "$step$groups" in
        start*) groups="$groups$group " ;;
        end*" $group "*) groups="${groups%% $group *} ${groups#* $group }" ;;
        folder*) set -- "$@" "$group" ;;
    esac
done
for group in $groups; do
    kill -KILL "-$group"
done
rm -rf "$@"
"""


class Reaper:
    """Starts with the first group or folder that it is told of. On Windows there is none."""

    def __init__(self) -> None:
        self._shell: subprocess.Popen[bytes] | None = None

    def started(self, group: int) -> None:
        """There is this process group from now on."""
        self._tell("start", str(group))

    def ended(self, group: int) -> None:
        """Nobody is left in it: its number may become somebody else's."""
        self._tell("end", str(group))

    def made(self, folder: Path) -> None:
        """There is this folder, which nobody is to find afterwards."""
        if "\n" not in str(folder):
            self._tell("folder", str(folder))

    def close(self) -> None:
        """Every group that it was told of is killed, and every folder removed."""
        shell, self._shell = self._shell, None
        if shell is not None:
            shell.communicate()

    def _start(self) -> None:
        with suppress(OSError):
            self._shell = subprocess.Popen(  # noqa: S603 - a script of ours
                [SHELL, "-c", SCRIPT],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                cwd="/",
                start_new_session=True,  # what is done to the terminal, or to our group, is not done to it
            )

    def _tell(self, step: str, what: str) -> None:
        if self._shell is None and step != "end" and sys.platform != "win32":
            self._start()
        if self._shell is not None and self._shell.stdin is not None:
            with suppress(OSError):  # somebody has killed it
                self._shell.stdin.write(f"{step} {what}\n".encode(errors="surrogateescape"))
