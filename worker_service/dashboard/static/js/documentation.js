"use strict";

SwaggerUIBundle({
  url: "openapi.json", // beside this page, also below a path prefix
  dom_id: "#documentation",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  validatorUrl: null, // nobody else is asked
});
