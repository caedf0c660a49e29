"""Zip archives, as far as torch writes them: stored or deflated members, each verified when it is read.

    members          each: local header, name, extra field, contents
    central directory, zip64 end and its locator (of large archives), end record

Members must lie behind one another, none may appear twice, and none may be larger than its place and the memory
allowance say; so a small file cannot unfold into a large one.
"""

from __future__ import annotations

import struct
import typing
import zlib

from ...files.tensorfile import short
from .checkpoint_file import CheckpointFile

MAGIC = b"PK\x03\x04"

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 1
_MOST_COMMENT = 1 << 16
_MEMBER_COST = 512  # bytes of memory that a member's description may take
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF


class Member(typing.NamedTuple):
    """Where the contents lie: `packed` bytes from `start`, which make `size`."""

    start: int
    packed: int
    size: int
    deflated: bool
    checksum: int


def members(file: CheckpointFile) -> dict[str, Member]:
    """The archive's members by name. Raises `PackError` where its directory cannot be believed."""
    start, length, count = _directory(file)
    data = file.read_at(start, length, "the archive's directory")
    found: dict[str, Member] = {}
    at = end = 0
    for _ in range(count):
        if at + _CENTRAL.size > length:
            raise file.error("the archive's directory ends early")
        name, header, member, at = _entry(file, data, at)
        member = _locate(file, name, header, member, end)
        end = member.start + member.packed
        if name in found or end > start:
            raise file.error(f"the archive's member {short(name)} appears twice, or lies over others")
        found[name] = member
    if at != length:
        raise file.error("the archive's directory goes on after its last member")
    return found


def read_member(file: CheckpointFile, name: str, member: Member) -> bytes:
    """A member's contents. Raises `PackError` where they are damaged, or larger than allowed."""
    file.charge(member.size)
    if not member.deflated:
        data = file.read_at(member.start, member.packed, f"the archive's member {short(name)}")
    else:
        file.charge(member.packed)
        data = _inflated(file, name, member)
        file.charge(-member.packed)
    if zlib.crc32(data) != member.checksum:
        raise file.error(f"the archive's member {short(name)} is damaged: its checksum is not the one in the archive")
    return data


def _inflated(file: CheckpointFile, name: str, member: Member) -> bytes:
    packed = file.read_at(member.start, member.packed, f"the archive's member {short(name)}")
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = inflater.decompress(packed, member.size + 1)
    except zlib.error as error:
        raise file.error(f"the archive's member {short(name)} is damaged ({error})") from None
    if len(data) != member.size or not inflater.eof:
        raise file.error(f"the archive's member {short(name)} has another size than its {member.size} bytes")
    return data


def _directory(file: CheckpointFile) -> tuple[int, int, int]:
    """(start, length, number of members) of the central directory."""
    tail_start = max(0, file.size - _END.size - _MOST_COMMENT)
    tail = file.read_at(tail_start, file.size - tail_start, "the archive's end")
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END.size > len(tail):
        raise file.error("is an archive without an end: it was cut")
    _, disk, first_disk, _, count, length, start, comment = _END.unpack_from(tail, at)
    if at + _END.size + comment != len(tail):
        raise file.error("is an archive with something behind its end")
    end = tail_start + at
    if _FULL16 in (count, disk) or _FULL32 in (length, start):
        start, length, count, end = _large_directory(file, end)
    elif disk or first_disk:
        raise file.error("is a part of an archive that is spread over files", "name a whole one")
    if start + length > end or length < count * _CENTRAL.size:
        raise file.error(f"the archive's directory is said to have {short(count)} members in {short(length)} bytes")
    file.charge(length)
    return start, length, count


def _large_directory(file: CheckpointFile, end: int) -> tuple[int, int, int, int]:
    """The same of an archive beyond the old format's numbers, and where that directory must end."""
    locator = file.read_at(end - _LOCATOR.size, _LOCATOR.size, "the archive's zip64 locator")
    signature, _, place, _ = _LOCATOR.unpack(locator)
    if signature != b"PK\x06\x07":
        raise file.error("is an archive without the zip64 end that it needs")
    fields = _END64.unpack(file.read_at(place, _END64.size, "the archive's zip64 end"))
    if fields[0] != b"PK\x06\x06":
        raise file.error("is an archive without the zip64 end that it needs")
    return fields[9], fields[8], fields[7], place


def _entry(file: CheckpointFile, data: bytes, at: int) -> tuple[str, int, Member, int]:
    """(name, place of the local header, member but for its start, the next entry's place) of a directory entry."""
    fields = _CENTRAL.unpack_from(data, at)
    signature, flags, method, checksum = fields[0], fields[3], fields[4], fields[7]
    packed, size, name_length, extra_length, comment_length, header = *fields[8:13], fields[16]
    at += _CENTRAL.size
    next_at = at + name_length + extra_length + comment_length
    if signature != b"PK\x01\x02" or next_at > len(data):
        raise file.error("the archive's directory is damaged")
    file.charge(_MEMBER_COST + name_length)
    name = data[at : at + name_length].decode("utf-8", "replace")
    if flags & _ENCRYPTED or method not in (_STORED, _DEFLATED):
        raise file.error(f"the archive's member {short(name)} is encrypted, or compressed in an unknown way")
    extra = data[at + name_length : at + name_length + extra_length]
    size, packed, header = _large(extra, size, packed, header)
    if method == _STORED and size != packed:
        raise file.error(f"the archive's member {short(name)} has {short(packed)} bytes, wanted {short(size)}")
    return name, header, Member(0, packed, size, method == _DEFLATED, checksum), next_at


def _large(extra: bytes, *numbers: int) -> typing.Iterator[int]:
    """`numbers`, those that are full replaced by the zip64 field of `extra`."""
    at = 0
    large = b""
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            large = extra[at + 4 : at + 4 + length]
        at += 4 + length
    for number in numbers:
        if number == _FULL32 and len(large) >= 8:
            number, large = int.from_bytes(large[:8], "little"), large[8:]
        yield number


def _locate(file: CheckpointFile, name: str, header: int, member: Member, end: int) -> Member:
    """The member with its start, once its local header is seen to lie behind the member before."""
    what = f"the archive's member {short(name)}"
    if header < end:
        raise file.error(f"{what} appears twice, or lies over others")
    fields = _LOCAL.unpack(file.read_at(header, _LOCAL.size, what))
    name_length, extra_length = fields[9], fields[10]
    local = file.read_at(header + _LOCAL.size, name_length, what)
    if fields[0] != MAGIC or local.decode("utf-8", "replace") != name:
        raise file.error(f"{what} is not where the directory says")
    start = header + _LOCAL.size + name_length + extra_length
    if start + member.packed > file.size:
        raise file.error(f"{what} reaches beyond the file's end: it was cut")
    return member._replace(start=start)
