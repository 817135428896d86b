"""A short value that a schema allows: what has to be there, and nothing else."""

from typing import Any

OF_FORMATS = {
    "date": "2030-01-31",
    "date-time": "2030-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "uuid": "01a21785-ef08-7898-ae5c-919abed7dac8",
    "email": "ann@example.org",
    "uri": "https://example.org/",
}


def example_of(schema: dict[str, Any], components: dict[str, dict[str, Any]]) -> Any:
    """An example. It is a guess where the schema has a pattern.

    Args:
        schema: of a JSON value; its own example is taken where it has one.
        components: what its references lead to.
    """
    if "$ref" in schema:
        return example_of(components[schema["$ref"].rpartition("/")[2]], components)
    for name in ("examples", "enum"):
        if schema.get(name):
            return schema[name][0]
    for name in ("const", "default"):
        if schema.get(name) is not None:
            return schema[name]
    for name in ("anyOf", "oneOf", "allOf"):
        if schema.get(name):
            return example_of(schema[name][0], components)
    return _of_type(schema, components)


def _of_type(schema: dict[str, Any], components: dict[str, dict[str, Any]]) -> Any:
    kind = schema.get("type")
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: example_of(properties[name], components) for name in schema.get("required", ())}
    if kind == "array":
        return [example_of(schema.get("items", {}), components)] * schema.get("minItems", 0)
    if kind in ("integer", "number"):
        least = schema.get("minimum", schema.get("exclusiveMinimum", 0) + ("exclusiveMinimum" in schema))
        return max(1, least) if schema.get("maximum", 1) >= 1 else schema["maximum"]
    if kind == "boolean":
        return True
    if kind == "null":
        return None
    text = OF_FORMATS.get(schema.get("format", ""), "text")
    return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength", len(text))]
