"""What asks a service over HTTP: its commands on the command line. Nothing but the standard library, and nothing of the service.

| module | holds |
|---|---|
| `server` | requests and their errors |
| `uploads` | a file sent in pieces, going on where an earlier try was cut |
| `events` | what happens to a job, as it happens |
| `files` | results, brought whole or going on, compared with their hash |
"""
