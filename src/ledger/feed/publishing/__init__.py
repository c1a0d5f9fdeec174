"""What others are told of an event: CloudEvents, their schemas, and the document that describes the feed.

Pure: no database, no clock, no network. Personal data never leaves here, neither in clear nor as ciphertext.
"""
