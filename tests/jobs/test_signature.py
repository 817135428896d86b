"""An actor's signature decides which arguments are accepted, and what the function is called with."""

import functools
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.http import actors
from worker_service.jobs.errors import InvalidArguments
from worker_service.jobs.signature import arguments_by_name, check_arguments, typed_arguments

TYPED = {
    "day": "2024-02-29",
    "id": "12345678-1234-1234-1234-123456789abc",
    "price": "1.10",
    "size": "large",
    "home": {"street": "Main", "number": 1.0},
    "tags": ["a"],
}


def call_as_a_worker(fn: Any, given: dict[str, Any]) -> Any:
    args, kwargs = typed_arguments(fn, *check_arguments(fn, given))
    return fn(*args, **kwargs)


def pointers(fn: Any, given: dict[str, Any]) -> list[str]:
    with pytest.raises(InvalidArguments) as caught:
        check_arguments(fn, given)
    return [problem.pointer for problem in caught.value.problems]


class TestChecking:
    def test_accepted_arguments_stay_json(self):
        _, named = check_arguments(actors.typed, TYPED)
        assert named == TYPED

    def test_integral_float_becomes_an_integer_where_one_is_asked_for_and_nowhere_else(self):
        _, named = check_arguments(actors.typed, {**TYPED, "ratio": 2.0})
        assert (repr(named["home"]["number"]), repr(named["ratio"])) == ("1", "2.0")
        assert repr(TYPED["home"]["number"]) == "1.0"  # type: ignore[index]  # the caller's object is left alone

    @pytest.mark.parametrize("number", ["1", True, 1.5, None])
    def test_models_inside_are_as_strict(self, number: object):
        assert pointers(actors.typed, {**TYPED, "home": {"street": "x", "number": number}}) == [
            "/args/home/number"
        ]

    def test_every_wrong_argument_is_named(self):
        wrong = {**TYPED, "day": "2023-02-29", "size": "medium", "home": {"street": 1}, "more": 1}
        found = pointers(actors.typed, wrong)
        assert found == ["/args/day", "/args/size", "/args/home/street", "/args/home/number", "/args/more"]

    @pytest.mark.parametrize("value", [1, 1.0, "1", [1, 2.0], []])
    def test_any_branch_of_a_union_will_do(self, value: object):
        check_arguments(actors.union, {"value": value})

    @pytest.mark.parametrize(
        ("value", "where"),
        [(1.5, ["/args/value"]), (None, ["/args/value"]), ([1, "x"], ["/args/value", "/args/value/1"])],
    )
    def test_no_branch_of_a_union_is_reported_without_the_names_of_branches(
        self, value: object, where: list[str]
    ):
        assert pointers(actors.union, {"value": value}) == where

    @pytest.mark.parametrize("value", [None, 1.0, "text", [1], {"a": {}}])
    def test_parameter_without_annotation_takes_anything_unchanged(self, value: object):
        _, named = check_arguments(actors.anything, {"value": value})
        assert named == {"value": value}
        assert type(named["value"]) is type(value)

    def test_annotation_that_does_not_exist_takes_anything(self):
        check_arguments(actors.unresolved, {"value": {"a": 1}})

    def test_default_of_none_may_be_given(self):
        check_arguments(actors.nullable, {"value": None})

    def test_positional_only_parameters_are_sent_by_position(self):
        given = {"first": 1, "second": 2, "third": 4, "last": 5, "else": "x"}
        assert check_arguments(actors.positional, given) == ((1, 2), {"third": 4, "last": 5, "else": "x"})
        assert call_as_a_worker(actors.positional, given) == 12

    def test_names_that_mean_something_to_pydantic_are_names_like_others(self):
        given = {"self": 1, "json": "x", "model_config": 2, "_hidden": 3}
        assert check_arguments(actors.odd_names, given) == ((), given)


class TestTyping:
    def test_function_gets_what_its_annotations_ask_for(self):
        assert call_as_a_worker(actors.typed, TYPED) == "29.02.2024 1234 2.10 LARGE Main 1.0 ('a',)"

    def test_arguments_sent_by_position_are_typed_too(self):
        args, kwargs = typed_arguments(actors.typed, tuple(TYPED.values())[:5], {})
        assert args[:3] == (date(2024, 2, 29), UUID(TYPED["id"]), Decimal("1.10"))  # type: ignore[arg-type]
        assert kwargs == {}

    def test_plain_annotations_leave_arguments_as_they_came(self):
        args: tuple[Any, ...] = ("no number",)
        kwargs: dict[str, Any] = {}
        typed = typed_arguments(actors.add, args, kwargs)
        assert typed[0] is args
        assert typed[1] is kwargs

    def test_value_that_cannot_become_its_type_is_named(self):
        with pytest.raises(InvalidArguments, match="/args/day"):
            typed_arguments(actors.typed, (), {**TYPED, "day": "soon"})

    def test_wrapped_function_is_seen_through(self):
        @functools.wraps(actors.typed)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            return actors.typed(*args, **kwargs)

        assert call_as_a_worker(wrapped, TYPED).startswith("29.02.2024")


class TestNaming:
    def test_positions_become_names(self):
        assert arguments_by_name(actors.positional, (1, 2), {"last": 3, "extra": 4}) == {
            "first": 1,
            "second": 2,
            "last": 3,
            "extra": 4,
        }

    def test_arguments_of_an_unknown_actor_have_their_positions_as_names(self):
        assert arguments_by_name(None, ("a", "b"), {"c": 1}) == {"0": "a", "1": "b", "c": 1}
