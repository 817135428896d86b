"""The OpenAPI document, made of the routes, their `Document`s, the scopes and the models.

Reading order: route, document (the whole), operation (one of its operations), problems (what goes wrong with it),
headers, schemas (of the models), jobs (one for each actor), examples.
"""

from .document import document
from .route import openapi

__all__ = ["document", "openapi"]
