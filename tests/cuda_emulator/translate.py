#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes C++ of a .cu file, for tests/cuda_emulator: starts of kernels and shared memory become calls of the emulator.

usage: translate.py IN.cu OUT.cpp     lines keep their numbers
"""
import re
import sys

LAUNCH = re.compile(r"(?P<kernel>\w+(?:<[\w\s,]+>)?)(?P<gap>\s*)<<<(?P<configuration>.*?)>>>\s*\((?P<empty>\s*\))?",
                    re.DOTALL)
DYNAMIC_SHARED = re.compile(r"extern\s+__shared__\s+(?:__align__\(\d+\)\s+)?(?P<type>[\w:<>\s]+?)\s*(?P<name>\w+)\[\];")
STATIC_SHARED = re.compile(r"__shared__\s+(?P<declaration>[^;]+);")
ARRAY = re.compile(r"(\w+)(?:\[[^\]]*\])+")


def launch(match):
    rest = ")" if match["empty"] else ", "
    start = f'::cuda_emulator::Launch("{match["kernel"]}", {match["configuration"]})({match["kernel"]}{rest}'
    return start + "\n" * match["gap"].count("\n")


def dynamic_shared(match):
    kind = match["type"]
    return f'{kind}* const {match["name"]} = static_cast<{kind}*>(::cuda_emulator::dynamic_shared());'


def static_shared(match):
    names = ARRAY.findall(match["declaration"])
    touched = "".join(f" ::cuda_emulator::shared({name}, sizeof {name});" for name in names)
    return f'static {match["declaration"]};{touched}'


def translate(text):
    text = LAUNCH.sub(launch, text)
    text = DYNAMIC_SHARED.sub(dynamic_shared, text)
    return STATIC_SHARED.sub(static_shared, text)


def main():
    source, target = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        text = translate(file.read())
    for left in ("<<<", "__shared__"):
        if left in text:
            sys.exit(f"{source}: {left} in a form that this script does not know")
    with open(target, "w", encoding="utf-8") as file:
        file.write(f'#line 1 "{source}"\n{text}')


if __name__ == "__main__":
    main()
