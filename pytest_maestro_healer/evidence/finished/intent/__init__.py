"""Was a change meant? What a second place says of it: messages, changelogs, documents, sentences."""
