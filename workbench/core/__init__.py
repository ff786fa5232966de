"""The nouns of the workbench: schema, table, model, result, method, parameters, context."""
