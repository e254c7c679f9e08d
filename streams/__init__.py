"""The library: Kafka, Avro and statistics; it knows nothing of models, people, HTTP servers or the environment."""
