"""The JSON Schema of what people write, for editors that check while one types."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import TypeAdapter


def schema_text(form: TypeAdapter[Any]) -> str:
    """The schema of a form, as text that names its dialect (JSON Schema 2020-12)."""
    from pydantic.json_schema import GenerateJsonSchema

    schema = {"$schema": GenerateJsonSchema.schema_dialect, **form.json_schema()}
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
