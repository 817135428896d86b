"""The header of each script says what its body does; names, states and documentation agree with the scripts.

The bodies are read as text. That is sound as far as the scripts keep to their habits: every key is named by a
function or constant of lib/keys.lua, and a status word or a state stands as a literal where it is used.
"""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from worker_service import store as package
from worker_service.jobs.states import TRANSITIONS, State
from worker_service.store import Store
from worker_service.store.keys import Keys
from worker_service.store.scripts import VERBS, source

LUA = Path(package.__file__).parent / "lua"
LIFECYCLE = Path(__file__).parents[2] / "docs" / "job-lifecycle.md"
SECTIONS = ("Guarantee", "Keys", "Uses", "ARGV", "Returns")
STATES = {state.value for state in State}

#: A function at the left margin: on one line, or up to an `end` at the left margin.
_FUNCTION = re.compile(r"^(?:local )?function (\w+)\([^)]*\)(.* end|\n(?:.*\n)*?end)$", re.MULTILINE)
_NAME = re.compile(r"\b[A-Za-z_]\w*\b")


def split(path: Path) -> tuple[list[str], str]:
    """The comment lines at the top of a file, and its code without comments."""
    lines = path.read_text().splitlines()
    top = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    return lines[:top], re.sub(r"--.*", "", "\n".join(lines[top:]))


def header(verb: str) -> dict[str, str]:
    """The sections of a script's header, each on one line; the first is under the verb itself."""
    lines, _ = split(LUA / f"{verb}.lua")
    sections: dict[str, str] = {}
    name = ""
    for line in lines:
        text = line.removeprefix("--").strip()
        begins = re.match(rf"({'|'.join((verb, *SECTIONS))}): ", text)
        if begins:
            name = begins.group(1)
            text = text[begins.end() :]
        sections[name] = f"{sections.get(name, '')} {text}".strip()
    return sections


@cache
def library_functions() -> dict[str, tuple[str, str]]:
    """Function -> (library, body), of all libraries but keys."""
    found = {}
    for path in (LUA / "lib").glob("*.lua"):
        if path.stem != "keys":
            for name, body in _FUNCTION.findall(split(path)[1]):
                found[name] = (path.stem, body)
    return found


@cache
def families() -> dict[str, str]:
    """Name in lib/keys.lua -> family of keys, as headers call it."""
    text = (LUA / "lib" / "keys.lua").read_text()
    found: dict[str, str] = {}
    for names, values in re.findall(r"^local ([A-Z_, ]+) = (.+)$", text, re.MULTILINE):
        if names != "P":
            found.update(zip(names.split(", "), re.findall(r"P \.\. '(\w+)'", values), strict=True))
    found.update(re.findall(r"^local function (\w+)\(.*?\) return P \.\. '(\w+):'", text, re.MULTILINE))
    return found


def code_of(verb: str) -> str:
    """The code of a script and of every library function that it reaches."""
    text = split(LUA / f"{verb}.lua")[1]
    reached: set[str] = set()
    waiting = called(text)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            body = library_functions()[name][1]
            text += body
            waiting |= called(body)
    return text


def called(text: str) -> set[str]:
    return set(_NAME.findall(without_strings(text))) & set(library_functions())


def without_strings(text: str) -> str:
    return re.sub(r"'[^']*'", "''", text)


def words_returned(text: str) -> set[str]:
    """Literals that stand in a return, in the reply, or instead of a word that an error took."""
    lines = re.findall(r"\breturn\b(.*)", text) + re.findall(r"local reply = (.*)", text)
    lines += re.findall(r"words\[k\] = ok and word or (.*)", text)
    plain = "\n".join(line for line in lines if "redis." not in line)
    return set(re.findall(r"(?<!= )'([a-z][a-z_]+)'", plain))


def with_words_of_libraries(text: str) -> str:
    """The code, and that of library functions whose word it returns as its own."""
    for name in called(text):
        if re.search(rf"\bword\b.* = {name}\(", text) and re.search(r"return \{?word\b", text):
            text += with_words_of_libraries(library_functions()[name][1])
    return text


def words_promised(returns: str) -> set[str]:
    """The first word of each choice: `one word per job: created | exists`, `{rescued | holding, ...}`."""
    choices = returns.partition(": ")[2] if returns.startswith("one word per ") else returns
    if "|" not in choices and not re.fullmatch(r"\w+", choices):
        return set()
    return {re.match(r"\s*\{?(\w+)", choice).group(1) for choice in choices.split("|")}  # type: ignore[union-attr]


def test_every_script_is_listed_and_there():
    assert sorted(VERBS) == sorted(path.stem for path in LUA.glob("*.lua"))


@pytest.mark.parametrize("verb", VERBS)
class TestHeader:
    def test_it_has_every_section_in_order(self, verb: str):
        assert tuple(header(verb)) == (verb, *SECTIONS)
        assert all(header(verb).values())

    def test_guarantee_and_what_it_does_are_sentences(self, verb: str):
        assert header(verb)[verb].endswith(".")
        assert header(verb)["Guarantee"].endswith(".")

    def test_keys_are_those_the_script_touches(self, verb: str):
        names = set(_NAME.findall(without_strings(code_of(verb))))
        touched = {family for name, family in families().items() if name in names}

        assert sorted(header(verb)["Keys"].split()) == sorted(touched)

    def test_libraries_are_those_it_needs_each_after_what_it_needs_itself(self, verb: str):
        uses = header(verb)["Uses"].split()
        needed = {library_functions()[name][0] for name in reachable(split(LUA / f"{verb}.lua")[1])}
        assert sorted(uses) == sorted({"keys", *needed})

        seen: set[str] = set()
        for library in uses:
            seen.add(library)
            for name in called(split(LUA / "lib" / f"{library}.lua")[1]) & reachable(code_of(verb)):
                assert library_functions()[name][0] in seen, f"{library} needs {name} before it"

    def test_words_are_those_it_returns(self, verb: str):
        text = with_words_of_libraries(split(LUA / f"{verb}.lua")[1])

        assert words_returned(text) == words_promised(header(verb)["Returns"])

    def test_it_is_given_one_key_and_looks_for_none(self, verb: str):
        text = split(LUA / f"{verb}.lua")[1]
        for library in header(verb)["Uses"].split():
            if library != "keys":
                text += split(LUA / "lib" / f"{library}.lua")[1]

        assert not re.search(r"\bKEYS\b|\bcjson\b|\bcmsgpack\b|'S?SCAN'|'[HZ]SCAN'|'RANDOMKEY'", text)

    def test_every_argument_it_reads_is_described(self, verb: str):
        read = {int(number) for number in re.findall(r"ARGV\[(\d+)\]", split(LUA / f"{verb}.lua")[1])}
        described = {
            int(number) for number in re.findall(r"(?<![\w+])(\d+)(?=(?:\.\.)? [a-z])", header(verb)["ARGV"])
        }

        assert read <= described

    def test_states_it_writes_are_targets_of_its_transitions(self, verb: str):
        written = states_written(code_of(verb))

        assert written == {target.value for _, target in TRANSITIONS.get(verb, ())}


def reachable(text: str) -> set[str]:
    found: set[str] = set()
    waiting = called(text)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting |= called(library_functions()[name][1])
    return found


def states_written(text: str) -> set[str]:
    """Literals that name a state, where they are not compared with and not returned."""
    return set(re.findall(r"(?<![=~]= )(?<!return )'(\w+)'", text)) & STATES


@pytest.mark.parametrize("path", sorted((LUA / "lib").glob("*.lua")), ids=lambda path: path.stem)
def test_every_library_says_what_it_is_for(path: Path):
    lines, _ = split(path)

    assert lines
    assert lines[-1].endswith(".") or path.stem == "create"


def test_libraries_define_no_name_twice():
    names = [name for path in (LUA / "lib").glob("*.lua") for name, _ in _FUNCTION.findall(split(path)[1])]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("verb", VERBS)
def test_source_is_what_the_server_takes(store: Store, verb: str):
    assert store.client.script_load(source(verb))


class TestKeys:
    """lib/keys.lua and store/keys.py."""

    #: Arguments of the functions; the names of the two sides otherwise follow from each other.
    ARGUMENTS = ("7", 8)

    def lua_names(self) -> dict[str, str]:
        return {
            name: name.lower() if name.isupper() else re.sub("_key$|_channel$", "", name)
            for name in families()
        }

    def python_name(self, keys: Keys, name: str) -> str:
        value = getattr(keys, name)
        if isinstance(value, str):
            return value
        wanted = value.__code__.co_argcount - 1
        made: str = value(*self.ARGUMENTS[:wanted])
        return made

    def test_both_name_the_same_families(self):
        public = {name for name in dir(Keys("x")) if not name.startswith("_")} - {"prefix"}

        assert set(self.lua_names().values()) == public

    def test_both_make_the_same_names(self, store: Store):
        names = self.lua_names()
        given = ", ".join(repr(argument) for argument in self.ARGUMENTS)
        calls = ", ".join(name if name.isupper() else f"{name}({given})" for name in names)
        script = (LUA / "lib" / "keys.lua").read_text() + f"return {{{calls}}}"

        made: list[bytes] = store.client.eval(script, 1, store.keys.prefix)

        wanted = [self.python_name(store.keys, python) for python in names.values()]
        assert [name.decode() for name in made] == wanted

    def test_all_share_one_hash_tag(self, store: Store):
        for name in self.lua_names().values():
            assert self.python_name(store.keys, name).startswith(store.keys.prefix)
        assert re.fullmatch(r"\{[a-z0-9-]+\}:", store.keys.prefix)


class TestLifecyclePage:
    def rows(self) -> Iterable[tuple[str, str, str]]:
        lines = LIFECYCLE.read_text().splitlines()
        begin = next(n for n, line in enumerate(lines) if re.match(r"\| *script *\| *from *\| *to *\|", line))
        for line in lines[begin + 2 :]:
            if not line.startswith("|"):
                return
            script, before, after = (cell.strip().strip("`") for cell in line.split("|")[1:4])
            yield script, before, after

    def test_page_and_table_list_the_same_transitions(self):
        table = {
            (script, "-" if before is None else before.value, after.value)
            for script, moves in TRANSITIONS.items()
            for before, after in moves
        }

        assert sorted(self.rows()) == sorted(table)


def test_transitions_are_those_of_scripts():
    assert set(TRANSITIONS) <= set(VERBS)
