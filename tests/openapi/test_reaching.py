"""Every operation succeeds when it is asked rightly, and answers what the document says."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.openapi.documents import errors_of, operations, resolved
from tests.openapi.reaching import REACHED, Service
from worker_service.api.openapi.headers import ANSWER_HEADERS
from worker_service.broker.broker import JobBroker


def test_every_operation_and_each_of_its_successes_has_a_way_to_reach_it(document: dict[str, Any]):
    documented = {
        operation["operationId"]: {int(status) for status in operation["responses"] if status.startswith("2")}
        for _, _, operation in operations(document)
    }
    assert {id: set(ways) for id, ways in REACHED.items()} == documented


@pytest.mark.parametrize(("id", "status"), [(id, status) for id, ways in REACHED.items() for status in ways])
def test_operation_answers_what_the_document_says(
    client: FlaskClient, broker: JobBroker, document: dict[str, Any], id: str, status: int
):
    (operation,) = (each for _, _, each in operations(document) if each["operationId"] == id)
    said = resolved(document, operation["responses"][str(status)])

    answer = REACHED[id][status](Service(client, broker))

    assert answer.status_code == status, answer.get_data(as_text=True)
    for name in set(answer.headers.keys()) & set(ANSWER_HEADERS):
        assert name in said["headers"], name
    contents = said.get("content", {})
    if not contents:
        assert answer.get_data() == b""
        return
    ((media_type, content),) = contents.items()
    assert answer.content_type.replace("; charset=utf-8", "") == media_type.replace("; charset=utf-8", "")
    if media_type == "application/json":
        assert errors_of(document, content["schema"], answer.get_json()) == []
    else:
        assert next(answer.iter_encoded())
    answer.close()
