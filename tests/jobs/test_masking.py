"""Which arguments are sensitive, and that nothing of them is left."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from typing import TypedDict as OldTypedDict

import pytest
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from worker_service import Sensitive
from worker_service.jobs.errors import InvalidArguments
from worker_service.jobs.masking import (
    MASK,
    check_shown_arguments,
    is_sensitive,
    masked,
    scrubbed,
    secrets_of,
)
from worker_service.jobs.signature import arguments_schema, typed_arguments

if TYPE_CHECKING:
    from uuid import SafeUUID as Unknown

Secret = Annotated[str, Sensitive()]


class Login(BaseModel):
    user: str
    password: Secret
    inner: "Login | None" = None


class Aliased(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    password: Secret = Field(alias="pass-word")


class Whole(BaseModel):
    text: str


class Typed(TypedDict):
    user: str
    password: Secret


class Old(OldTypedDict):  # which pydantic does not take before Python 3.12
    password: Secret


@dataclass
class Plain:
    user: str
    password: Secret


def plain(password: Secret, user: str = "") -> None: ...
def optional(password: Secret | None = None) -> None: ...
def model(login: Login) -> None: ...
def models(logins: list[Login], by_name: dict[str, Login]) -> None: ...
def either(login: Login | str | int) -> None: ...
def pair(login: tuple[str, Secret]) -> None: ...
def whole(it: Annotated[Whole, Sensitive()]) -> None: ...
def aliased(it: Aliased) -> None: ...
def typed(it: Typed, other: Plain) -> None: ...
def old(it: Old) -> None: ...
def rest(*passwords: Secret, **more: Secret) -> None: ...
def unknown(it: "Annotated[Unknown, Sensitive()]") -> None: ...
def open_to_all(x: int, y: Whole) -> None: ...


@pytest.mark.parametrize(
    ("fn", "given", "shown"),
    [
        (plain, {"password": "hunter22", "user": "ann"}, {"password": MASK, "user": "ann"}),
        (optional, {"password": "hunter22"}, {"password": MASK}),
        (optional, {}, {}),
        (
            model,
            {"login": {"user": "ann", "password": "p", "inner": {"user": "bob", "password": "q"}}},
            {"login": {"user": "ann", "password": MASK, "inner": {"user": "bob", "password": MASK}}},
        ),
        (
            models,
            {"logins": [{"user": "a", "password": "p"}], "by_name": {"x": {"user": "b", "password": "q"}}},
            {"logins": [{"user": "a", "password": MASK}], "by_name": {"x": {"user": "b", "password": MASK}}},
        ),
        (either, {"login": {"user": "a", "password": "p"}}, {"login": {"user": "a", "password": MASK}}),
        (either, {"login": 5}, {"login": 5}),
        (pair, {"login": ["ann", "hunter22"]}, {"login": ["ann", MASK]}),
        (whole, {"it": {"text": "x"}}, {"it": MASK}),
        (aliased, {"it": {"pass-word": "x"}}, {"it": {"pass-word": MASK}}),
        (aliased, {"it": {"password": "x"}}, {"it": {"password": MASK}}),
        (
            typed,
            {"it": {"user": "a", "password": "p"}, "other": {"user": "b", "password": "q"}},
            {"it": {"user": "a", "password": MASK}, "other": {"user": "b", "password": MASK}},
        ),
        (old, {"it": {"password": "p"}}, {"it": MASK if sys.version_info < (3, 12) else {"password": MASK}}),
        (rest, {"passwords": ["a", "b"], "key": "c"}, {"passwords": MASK, "key": MASK}),
        (unknown, {"it": "x"}, {"it": MASK}),
        (
            plain,
            {"0": "hunter22", "1": "b"},
            {"0": MASK, "1": MASK},
        ),  # sent by position, to another signature
        (open_to_all, {"x": 1, "y": {"text": "t"}, "z": 2}, {"x": 1, "y": {"text": "t"}, "z": 2}),
    ],
)
def test_what_is_marked_is_hidden_and_nothing_else(fn: Callable[..., Any], given: Any, shown: Any):
    assert masked(fn, given) == shown
    assert is_sensitive(fn) == (MASK in str(shown) or fn is not open_to_all)


def test_all_arguments_of_an_unknown_actor_are_hidden():
    assert masked(None, {"x": 1, "y": {"z": "deep secret"}}) == {"x": MASK, "y": MASK}
    assert secrets_of(None, {"y": {"z": "deep secret"}}) == ("deep%20secret", "deep secret", "deep+secret")


def test_schema_says_so():
    found = arguments_schema(model)["$defs"]["Login"]["properties"]["password"]
    assert found == {"title": "Password", "type": "string", "writeOnly": True, "x-sensitive": True}


def test_worker_gets_the_value():
    assert typed_arguments(plain, ("hunter22",), {}) == (("hunter22",), {})
    (login,), _ = typed_arguments(model, ({"user": "a", "password": "hunter22"},), {})
    assert login.password == "hunter22"


@pytest.mark.parametrize(
    "text",
    [
        "wrong: s3cr3t/pass word!",
        "wrong: s3cr3t%2Fpass%20word%21",
        "wrong: s3cr3t%2Fpass+word%21",
    ],
)
def test_value_is_found_as_addresses_write_it(text: str):
    secrets = secrets_of(plain, {"password": "s3cr3t/pass word!"})
    assert scrubbed(text, secrets) == f"wrong: {MASK}"


def test_value_is_found_as_json_and_errors_write_it_and_line_by_line():
    value = 'begin\n"quoted" é\tend'
    secrets = secrets_of(plain, {"password": value})
    for text in (
        value,
        repr(value),
        '"quoted" é\tend',
        r"\"quoted\" \u00e9\tend",
        repr({"it": value}),
        "begin",
    ):
        left = scrubbed(text, secrets)
        assert "quoted" not in left, text
        assert "begin" not in left


def test_numbers_and_lists_are_found_too():
    def pin(it: Annotated[list[int], Sensitive()]) -> None: ...

    secrets = secrets_of(pin, {"it": [123456, 7]})
    assert secrets == ("123456",)
    assert scrubbed({"a": ["x 123456", 123456, 7, True, None]}, secrets) == {
        "a": [f"x {MASK}", MASK, 7, True, None]
    }


class TestChecking:
    def test_what_stands_for_a_value_in_a_view_is_no_value(self):
        with pytest.raises(InvalidArguments, match="send its value"):
            check_shown_arguments(plain, {"password": MASK})
        with pytest.raises(InvalidArguments, match="send its value"):
            check_shown_arguments(model, {"login": {"user": "a", "password": MASK}})
        check_shown_arguments(plain, {"password": "hunter22", "user": MASK})

    def test_error_does_not_tell_the_value(self):
        from pydantic import AfterValidator

        def strict(value: str) -> str:
            raise ValueError(f"{value!r} is too weak")

        def weak(password: Annotated[str, AfterValidator(strict), Sensitive()]) -> None: ...

        with pytest.raises(InvalidArguments) as caught:
            check_shown_arguments(weak, {"password": "hunter22"})
        told = str(caught.value) + "".join(map(str, caught.value.problems))
        assert "too weak" in told
        assert "hunter22" not in told
