"""CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), as LevelDB tables and TensorFlow bundles use it.

Python reads a byte at a time too slowly for a model, so the data are cut into equal lanes, numpy carries all lanes one
byte on at once, and neighbouring lanes are joined, pair by pair: crc(a + b) = advance(crc(a), len(b)) ^ crc(b), where
`advance` (what appending zeros does to a CRC) is linear over GF(2), and is therefore four table look-ups.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

_POLYNOMIAL = np.uint32(0x82F63B78)
_LANES = 1 << 13
_FEW = 256
_MASK_DELTA = 0xA282EAD8
_Words = NDArray[np.uint32]


def masked_crc32c(data: bytes) -> int:
    """The checksum as both formats store it: rotated and shifted, so that a CRC of CRCs stays one."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


def crc32c(data: bytes) -> int:
    """The CRC-32C of `data`; crc32c(b"123456789") is 0xE3069283."""
    state = np.uint32(0xFFFFFFFF)
    chunk = _LANES << 9
    for start in range(0, len(data), chunk):
        block = np.frombuffer(data, np.uint8, min(chunk, len(data) - start), start)
        state = _carry(state, block)
    return int(~state)


def _carry(state: np.uint32, block: NDArray[np.uint8]) -> np.uint32:
    """The CRC register after `block`."""
    if len(block) < _FEW:
        return _one_by_one(state, block.tobytes())
    lanes = 1 << max(0, min(_LANES, len(block) // 16).bit_length() - 1)
    length = len(block) // lanes
    whole = lanes * length
    registers = np.zeros(lanes, np.uint32)
    registers[0] = state
    registers = _bytewise(registers, block[:whole].reshape(lanes, length))
    while len(registers) > 1:
        registers = _apply(_advance(length), registers[0::2]) ^ registers[1::2]
        length *= 2
    return _bytewise(registers, block[whole:][None])[0]


def _one_by_one(state: np.uint32, block: bytes) -> np.uint32:
    """The same for so few bytes that numpy's calls would cost more than their work."""
    register, table = int(state), _plain_table()
    for byte in block:
        register = table[(register ^ byte) & 0xFF] ^ register >> 8
    return np.uint32(register)


def _bytewise(registers: _Words, rows: NDArray[np.uint8]) -> _Words:
    table = _table()
    for column in np.ascontiguousarray(rows.T):
        registers = table[(registers ^ column) & np.uint32(0xFF)] ^ (registers >> np.uint32(8))
    return registers


@functools.cache
def _table() -> _Words:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> np.uint32(1) ^ _POLYNOMIAL, table >> np.uint32(1))
    return table


@functools.cache
def _plain_table() -> list[int]:
    return _table().tolist()


@functools.lru_cache(256)
def _advance(length: int) -> _Words:
    """Four tables of 256: what `length` zero bytes make of each byte of a register."""
    if length == 1:
        images = _bytewise(np.uint32(1) << np.arange(32, dtype=np.uint32), np.zeros((32, 1), np.uint8))
    else:
        half = _advance(length // 2)
        images = _apply(half, _apply(half, np.uint32(1) << np.arange(32, dtype=np.uint32)))
        if length % 2:
            images = _apply(_advance(1), images)
    tables = np.zeros((4, 256), np.uint32)
    for bit in range(8):
        chosen = np.arange(256) >> bit & 1 == 1
        tables[:, chosen] ^= images.reshape(4, 8)[:, bit : bit + 1]
    return tables


def _apply(tables: _Words, registers: _Words) -> _Words:
    return (
        tables[0][registers & np.uint32(0xFF)]
        ^ tables[1][registers >> np.uint32(8) & np.uint32(0xFF)]
        ^ tables[2][registers >> np.uint32(16) & np.uint32(0xFF)]
        ^ tables[3][registers >> np.uint32(24)]
    )
