"""The HTTP edge, a process of its own: it takes uploads in, answers from job rows and objects, and calls ports only.

It loads no engine and demuxes nothing: who makes it hands it a `Backend`, whose `probe` looks into an upload elsewhere. Every
call of a port goes through a bounded pool of threads, so the event loop never waits for a disk.

| module | holds |
|---|---|
| `app` | the application: who answers on which port, in which order requests are judged |
| `backend`, `settings`, `pool`, `look` | what it works over, its limits, its threads, what many ask a store for |
| `system_a`, `system_b`, `health`, `metrics`, `page`, `v1` | routes |
| `documented`, `described`, `paths` | what the OpenAPI document says of them, what may stand in a path |
| `uploads`, `wanted`, `form`, `multipart`, `sink`, `claims`, `partial`, `magic` | how an upload becomes a job |
| `problems`, `texts` | what is said when something is wrong, and in which language |
| `auth`, `access`, `tokens`, `limiter` | who asks, what they may do, how often |
| `cors` | pages of other origins that were named |
| `observed`, `reports` | what is counted and logged of requests, what processes report |
| `guard`, `linger`, `body`, `protocol` | what is refused, and how slow or large a request may be |
| `stored` | objects with ETag and Range |
| `server` | sockets and signals |
"""
