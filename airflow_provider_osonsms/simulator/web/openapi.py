"""The control addresses described in OpenAPI 3.1."""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any, Final

from airflow_provider_osonsms.simulator.web.control import ControlRoute

_COMPONENT: Final = "#/components/schemas/{model}"


def describe_api(routes: Iterable[ControlRoute]) -> dict[str, Any]:
    """Return the OpenAPI document of *routes*."""
    paths: dict[str, dict[str, Any]] = {}
    components: dict[str, Any] = {}
    for route in routes:
        operation = _describe_operation(route)
        if route.body is not None:
            schema = route.body.json_schema(ref_template=_COMPONENT)
            components |= schema.pop("$defs", {})
            if route.method == "PATCH":  # a field that is left out stays unchanged
                schema.pop("required", None)
            operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "OsonSMS simulator: control", "version": version("airflow-provider-osonsms")},
        "paths": paths,
        "components": {"schemas": components},
    }


def _describe_operation(route: ControlRoute) -> dict[str, Any]:
    return {
        "summary": route.summary,
        "parameters": [*_path_parameters(route.path), *_query_parameters(route)],
        "responses": {
            "200": {"description": "Done", "content": {"application/json": {}}},
            "400": {"description": 'What is wrong with the request, as {"error": "..."}'},
            "403": {"description": "The request comes from another site, or through another name"},
        },
    }


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = [step.strip("{}") for step in path.split("/") if step.startswith("{")]
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _query_parameters(route: ControlRoute) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    properties = route.query.model_json_schema()["properties"]
    return [{"name": name, "in": "query", "schema": schema} for name, schema in properties.items()]
