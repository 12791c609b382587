"""The protocol as a model: a small world in which every process may die between any two steps.

Read in this order:

`rules`      what the protocol demands; each rule can be switched off
`values`     records, jobs, and how much of them may be on its way
`world`      log, ledger, outbox, objects: what survives a crash
`members`    who owns which partition, as each process has heard it; `group` hands partitions over
`owning`     wait for the name, claim, work, leave: the mirror of `sightline.runtime.owning`
`worker`     the worker of a stateful stage, the mirror of `sightline.runtime.{order,worker}`
`producers`  feed and detect, which hold no state, the mirror of `sightline.runtime.{feed,detect,lanes}`
`actors`     the other processes: upload, removal, relay, retention, publish
`schedules`  the scheduler: one micro-step at a time, in seeded random order, with kills, zombies, outages
`checks`     what must hold when everything has come to rest

And what holds the model to the runtime:

`history`    a schedule, written down: what each process asked and was answered, until its death
`translated` the model's values as those of the product
`script`     ports that answer a real worker as its mirror was answered, if it asks the same
`replay`     the real workers, which must make the same calls
`twin`       the doubles of the real stores, which must give the same answers

`python -m tests.model --schedules 2000` prints how many schedules go wrong without each rule.
"""
