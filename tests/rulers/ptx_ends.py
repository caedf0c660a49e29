"""Refuse PTX in which a branch leads behind the last instruction of a function: nvcc took for unreachable what a kernel
reaches, and the machine code ends there without a word."""

from __future__ import annotations

import re

COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
FUNCTION = re.compile(r"^[^\n]*\.(?:entry|func)\b(?P<head>[^{;]*)\{(?P<body>.*?)^\}", re.DOTALL | re.MULTILINE)
LABEL = re.compile(r"([\w$%]+):")
DIRECTIVE = re.compile(r"\.(?:loc|pragma|file)\b")


def lost_ends(ptx: str) -> list[str]:
    """A line of trouble for each label without an instruction behind it, to which branches of its function lead."""
    found = []
    for function in FUNCTION.finditer(COMMENT.sub("", ptx)):
        lines = [line.strip() for line in function["body"].splitlines()]
        lines = [line for line in lines if line.strip("{} ") and not DIRECTIVE.match(line)]
        while lines and (label := LABEL.fullmatch(lines.pop())):
            word = re.compile(rf"(?<![\w$%]){re.escape(label[1])}(?![\w$%:])")
            if branches := len(word.findall(function["body"])):
                name = re.findall(r"[\w$]+(?=\s*\()", function["head"])[-1]
                found.append(f"{branches} branches lead to {label[1]}, behind the last instruction of {name}")
    return found
