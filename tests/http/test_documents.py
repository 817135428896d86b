"""Every operation says what it answers."""

from flask import Flask

NOT_OF_THE_CONTRACT = {"dashboard.overview", "dashboard.static"}
"""Pages for people, and what they load."""


def test_every_operation_has_a_document(app: Flask):
    without = {name for name, view in app.view_functions.items() if not hasattr(view, "document")}
    assert without == NOT_OF_THE_CONTRACT
