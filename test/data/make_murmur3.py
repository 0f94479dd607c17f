#!/usr/bin/env python3
"""Writes murmur3.json: MurmurHash3 x64 128 as Python's mmh3 computes it. Needs mmh3."""

import json
import pathlib

import mmh3


def case(data, seed=0):
    return {"data_hex": data.hex(), "seed": seed, "hash_hex": mmh3.hash_bytes(data, seed).hex()}


# Bytes over 0x7f show an implementation that reads them as signed.
pattern = bytes((i * 37 + 129) % 256 for i in range(1000))
cases = [case(pattern[:n]) for n in range(41)]  # two blocks, every length of tail
cases += [case(b"\xff" * n) for n in (1, 7, 8, 9, 15, 16, 17)]
cases += [case(b"foo"), case(b"The quick brown fox jumps over the lazy dog"), case(pattern)]
cases += [case(pattern[:33], seed) for seed in (1, 42, 0x80000000, 0xFFFFFFFF)]

lines = ",\n".join(json.dumps(c) for c in cases)
pathlib.Path(__file__).with_name("murmur3.json").write_text(f"[\n{lines}\n]\n")
