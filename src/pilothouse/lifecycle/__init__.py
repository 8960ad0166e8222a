"""Life cycles: BPMN runs over the rows of the unit of work, and the task types that call the use cases."""

from __future__ import annotations
