#!/usr/bin/env python3
"""Decides whether every public header compiles alone. usage: headers.py COMPILER STANDARD"""
import concurrent.futures
import os
import subprocess
import sys

import repository

FLAGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror", "-fsyntax-only", "-x", "c++"]


def compile_alone(compiler, standard, header):
    unpacked = os.path.join(repository.ROOT, ".deps/boost/usr/include")
    command = [compiler, f"-std={standard}", *FLAGS, "-I", os.path.join(repository.ROOT, "include"), "-isystem", unpacked, "-"]
    ran = subprocess.run(command, input=f"#include <{header}>\n#include <{header}>\n", capture_output=True, text=True, check=False)
    return header, ran.returncode, ran.stderr


def main(compiler, standard):
    headers = [path.removeprefix("include/") for path in repository.files() if path.startswith("include/")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        ran = list(pool.map(lambda header: compile_alone(compiler, standard, header), headers))
    failed = [(header, errors) for header, code, errors in ran if code != 0]
    for header, errors in failed:
        print(f"{header} does not compile alone with {compiler} -std={standard}:\n{errors}")
    print(f"{compiler} -std={standard}: {len(headers) - len(failed)} of {len(headers)} headers compile alone")
    return 1 if failed or not headers else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
