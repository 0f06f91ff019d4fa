"""Published limits for one file, so that a hostile file ends in an error message."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Ceilings for reading one file, in bytes, seconds and counts.

    `memory_bytes` is address space for workbooks; delimited text, which cannot unpack into more
    than it is, gets `memory_per_text_byte` for each byte on top.
    """

    text_bytes: int = 512 * MIB
    workbook_bytes: int = 25 * MIB
    archive_entries: int = 200
    archive_bytes: int = 200 * MIB
    archive_ratio: int = 100
    columns: int = 256
    rows: int = 5_000_000
    cell_characters: int = 32_767
    memory_bytes: int = 1024 * MIB
    memory_per_text_byte: int = 12
    cpu_seconds: int = 60
    wall_seconds: int = 180

    def memory_for(self, *, size: int, workbook: bool) -> int:
        """Return the address space allowed for a file of `size` bytes."""
        return self.memory_bytes + (0 if workbook else self.memory_per_text_byte * size)


LIMITS = Limits()
