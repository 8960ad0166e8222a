"""A small HTTP/1.1 server: httptools parses, one asyncio protocol per connection, no framework between."""

from __future__ import annotations
