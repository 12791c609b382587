"""The protocol as a model: a small world in which every process may die between any two steps.

Read in this order:

`rules`      what the protocol demands; each rule can be switched off
`world`      log, ledger, outbox, objects: what survives a crash
`worker`     the worker of a stateful stage, the mirror of `sightline.runtime.{order,worker}`
`producers`  feed and detect, which hold no state
`actors`     the other processes: upload, relay, retention, publish
`schedules`  the scheduler: one micro-step at a time, in seeded random order, with kills, zombies, outages
`checks`     what must hold when everything has come to rest

`python -m tests.model --schedules 2000` prints how many schedules go wrong without each rule.
"""
