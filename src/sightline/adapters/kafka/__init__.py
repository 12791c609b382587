"""Kafka: the event log over topics, members over consumer groups, topics made by command. Needs the extra `kafka`."""
