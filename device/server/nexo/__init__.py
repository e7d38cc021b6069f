"""The register's own language: nexo Retailer in JSON, as published under the name Terminal API, local and encrypted.

A register that speaks it already is paired once and gets its passphrase that way; it then drives this terminal as it
would any other. Served by a listener of its own, with TLS, at /nexo/.
"""
