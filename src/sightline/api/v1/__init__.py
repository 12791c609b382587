"""`/api/v1`: jobs as an API of today. Its OpenAPI document is made from the routes themselves.

| module | holds |
|---|---|
| `router` | which parts there are |
| `edge` | what every part works with |
| `models` | JSON in and out |
| `jobs` | list them, look at one |
| `changes` | create, rename, cancel, run again, remove |
| `events`, `watch` | what happens to a job, told as it happens; who looks for it |
| `tus` | uploads that go on where they were cut |
| `views` | a job's row as JSON |
| `asked` | questions to the worker, as answers over HTTP |
| `results`, `manifests`, `sniffed` | result files, the source, segments |
| `records`, `pictures` | tracks and detections by time; frames and clips |
| `counts`, `geometry`, `shapes`, `verdicts` | counted again; lines and zones; what people say of events |
| `result_models` | JSON of all these |
| `openapi` | the document, and a page of it |
"""
