"""`/api/v1`: jobs as an API of today. Its OpenAPI document is made from the routes themselves.

| module | holds |
|---|---|
| `router` | which parts there are |
| `edge` | what every part works with |
| `models` | JSON in and out |
| `jobs` | list, look |
| `views` | a job's row as JSON |
| `openapi` | the document, and a page of it |
"""
